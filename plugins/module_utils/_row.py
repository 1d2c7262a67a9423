# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a row of the catalogue is: one tunable, its place, its legal values, and why anyone cares.

PRIVATE to the collection. A row never says what the value should be on a node: that is the role's default, a
derivation or the operator. Contradictory rows fail at import, not on a node. Pure.
"""

from __future__ import annotations

DISRUPTIONS = ("none", "process", "link", "reboot")
EFFECTS = ("now", "next process", "reboot")


class Row:
    """One tunable. Made by the constructors below, which are named after the kind of place it lives in.

    `devices` names the option of the role that lists the devices which the row repeats over.
    """

    def __init__(self, kind, name, value, **words):
        self.kind = kind
        self.name = name
        self.value = value
        self.variable = words.pop("variable")
        self.paths = words.pop("paths")
        self.doc = words.pop("doc")
        self.source = words.pop("source")
        self.target = words.pop("target", name)
        self.effect = words.pop("effect", "now")
        self.disruption = words.pop("disruption", "none")
        self.raise_only = words.pop("raise_only", False)
        self.twin = words.pop("twin", None)
        self.needs = words.pop("needs", None)
        self.reserved = words.pop("reserved", None)
        self.devices = words.pop("devices", None)
        if words:
            raise ValueError("%s: unknown %s" % (name, ", ".join(sorted(words))))
        if self.effect not in EFFECTS or self.disruption not in DISRUPTIONS:
            raise ValueError("%s: effect %s, disruption %s" % (name, self.effect, self.disruption))
        if not self.doc.endswith(".") or not self.source.startswith("https://"):
            raise ValueError("%s: doc is a sentence, source an address" % name)


def sysctl(name, value, **words):
    """A key of sysctl(8). `twin` is the key that the kernel zeroes when this one is written; `needs` names a row that
    must not have failed before this one is written.
    """
    return Row("sysctl", name, value, paths=("/proc/sys/" + name.replace(".", "/"),), **words)


def sysfs(name, value, path, **words):
    """A file below /sys. In `path`, or the first of several that is there, {field} stands for a number or a name, and
    each match is a place of its own; all matches of a * are one place, with one value.

    `reserved` names what others may reserve at boot by another name (_conflicts.py), and what is then not taken away.
    """
    return Row("sysfs", name, value, paths=(path,) if isinstance(path, str) else tuple(path), **words)


def slice_property(name, value, **words):
    """A property of systemd.resource-control(5), named UNIT/PROPERTY."""
    return Row("resource_control", name, value, paths=(), **words)


def cpuset(name, value, **words):
    """A file of cgroup v2's cpuset controller that systemd does not manage, named SLICE/FILE."""
    return Row("cpuset", name, value, paths=(), **words)


def irq(name, value, **words):
    """Where the interrupts of a device go: a place for each PCI device."""
    return Row("irq", name, value, paths=(), **words)


def unit_environment(name, value, **words):
    """A variable in the environment of a service, named UNIT/VARIABLE."""
    return Row("unit_environment", name, value, paths=(), **words)


def kernel_argument(name, value, **words):
    """An argument of the kernel command line, named by its key."""
    return Row("kernel_argument", name, value, paths=(), effect="reboot", disruption="reboot", **words)


def document(name, value, **words):
    """A file that is published for others below /etc/gpuwright."""
    return Row("document", name, value, paths=(), **words)


def nccl_conf(name, value, **words):
    """A variable of NCCL, by its name."""
    return Row("nccl_conf", name, value, paths=(), effect="next process", disruption="process", **words)


def block_queue(name, value, **words):
    """A file of a block device's queue, named queue/FILE, persisted by a udev rule."""
    return Row("udev_attribute", name, value, paths=("/sys/class/block/{device}/" + name,), **words)


def net_attribute(name, value, **words):
    """A file of a network interface in /sys/class/net, named net/FILE, persisted by a udev rule."""
    return Row("udev_attribute", name, value, paths=("/sys/class/net/{device}/" + name.partition("/")[2],), **words)


def netdev(name, value, **words):
    """A property of a network interface, named GROUP/PROPERTY: link/mtu, or what ethtool(8) knows, such as ring/rx."""
    return Row("netdev", name, value, paths=(), disruption="link", **words)


def rail_route(name, value, **words):
    """A routing rule and table of its own for each of several interfaces in one subnet."""
    return Row("rail_route", name, value, paths=(), **words)


def unit_limit(name, value, **words):
    """A limit of systemd.exec(5), named Limit..., of every service of the row that is installed."""
    return Row("unit_limit", name, value, paths=(), **words)


def pam_limit(name, value, **words):
    """An item of limits.conf(5) for everybody who logs in through PAM."""
    return Row("pam_limit", name, value, paths=(), effect="next process", disruption="process", **words)


def logind(name, value, **words):
    """A setting of logind.conf(5)."""
    return Row("logind", name, value, paths=(), **words)


def unit_state(name, value, **words):
    """Whether a unit is enabled and running, named by the unit."""
    return Row("unit_state", name, value, paths=(), **words)


def dcb(name, value, **words):
    """A property of an interface's data center bridging, named dcb/PROPERTY, by dcb(8) or mlnx_qos."""
    return Row("dcb", name, value, paths=(), disruption="link", **words)


def device_attribute(name, value, path, **words):
    """A file of a device that nothing native persists; {device} in `path` stands for the device."""
    return Row("device_attribute", name, value, paths=(path,), **words)


def rdma_cm(name, value, **words):
    """A default of the RDMA connection manager for the ports of a device, in configfs."""
    return Row("rdma_cm", name, value, paths=(), **words)


def pci_config(name, value, **words):
    """A field of PCI functions' configuration space, named pci/FIELD."""
    return Row("pci_config", name, value, paths=(), disruption="link", **words)


def kernel_module(name, value, **words):
    """Whether a kernel module is loaded, now and at boot, named by the module."""
    return Row("kernel_module", name, value, paths=("/sys/module/" + name,), **words)


def module_option(name, value, **words):
    """A parameter of a kernel module, named MODULE/PARAMETER, as of the next time that the module is loaded."""
    return Row("module_option", name, value, paths=(), effect="reboot", disruption="reboot", **words)
