# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind irq: the CPUs that a device's interrupts may go to, one place for each PCI device with such interrupts.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. Nothing native persists it: the node runner
puts it back. Interrupts that the kernel manages itself are left alone: see _topology/interrupts.py.
"""

from __future__ import annotations

import errno

from .. import _cpulist
from .._topology import interrupts

KEYED_BY = "target"
VOLATILE = True
OWNER = None
ABSENT = "no network, RDMA or NVMe device here has interrupts of its own on PCI"
_BOOT = "/proc/sys/kernel/random/boot_id"
_DEFAULT = "/proc/irq/default_smp_affinity"
_ORIGINAL = "boot="
_MANAGED = (errno.EIO, errno.EPERM)


def files(role):
    """There is no file for it."""
    return []


def file(role, target, taken=False):
    """There is no file for it."""
    return None


def places(host, row, options):
    """[(target, path, fields)] of the devices; the node is "" where it cannot be told."""
    return [(" ".join(device["names"] + [device["address"]]), device["path"],
             {"node": "" if device["node"] is None else str(device["node"])}) for device in interrupts.devices(host)]


def read(host, target, path):
    """All the CPUs that the device's movable interrupts may go to; "" where it has only managed ones."""
    if not host.exists(path):
        raise FileNotFoundError(errno.ENOENT, "there is no such device any more", path)
    cpus = [interrupts.allowed(host, number) or () for number in interrupts.divided(host, path)[0]]
    return _cpulist.format(set().union(*cpus))


def satisfied(running, desired):
    """Within what is asked for is enough: irqbalance gives each interrupt one of those CPUs. An original always is."""
    if desired.startswith(_ORIGINAL):
        return True
    try:
        return set(_cpulist.parse(running)) <= set(_cpulist.parse(desired))
    except ValueError:
        return False


def write(host, target, path, text):
    """Send every movable interrupt to these CPUs, or back to where each was when `in_force` was asked."""
    back = text.startswith(_ORIGINAL)
    each, rest = _original(host, text) if back else ({}, text)
    movable = interrupts.divided(host, path)[0]
    managed, failed = [], []
    for number in movable:
        try:
            if back or not _is_within(host, number, rest):
                _send(host, number, each.get(number, rest), rest)
        except FileNotFoundError:
            continue  # The driver gave it up meanwhile.
        except OSError as error:
            (managed if error.errno in _MANAGED else failed).append((number, error))
    if back:
        interrupts.forget(host, path)
    else:
        interrupts.remember(host, [number for number, _error in managed])
    if failed:
        raise _failure(failed, len(movable))


def _is_within(host, number, cpus):
    """Whether an interrupt goes to some of these CPUs only: then whoever chose among them, as irqbalance, is right."""
    now = interrupts.allowed(host, number)
    return bool(now) and now <= set(_cpulist.parse(cpus))


def _send(host, number, cpus, otherwise):
    """One interrupt. CPUs that are all offline by now are refused: then it goes where new ones go."""
    if interrupts.allowed(host, number) == set(_cpulist.parse(cpus)):
        return
    path = "%s/%s/smp_affinity_list" % (interrupts.IRQ, number)
    try:
        host.write_value(path, cpus)
    except OSError as error:
        if error.errno != errno.EINVAL or cpus == otherwise:
            raise
        host.write_value(path, otherwise)


def _failure(failed, count):
    """One error for all. An x86 CPU has some 200 vectors, which a few CPUs run out of."""
    error = failed[0][1]
    words = "interrupt %s and %d more of %d: %s" % (failed[0][0], len(failed) - 1, count, error.strerror)
    if error.errno == errno.ENOSPC:
        words += ": these CPUs have no vector left for it, so give the system more cores or the device fewer queues"
    return OSError(error.errno, words)


def in_force(host, row, target, path):
    """(path, text): "boot=ID default=CPUS NUMBER=CPUS ..."; after another boot the numbers mean nothing.

    Left out are those that are where the kernel puts new ones: for a driver that was loaded after the first apply that
    is a setting of ours, and no original.
    """
    default = _kernels_default(host)
    words = [_ORIGINAL + (host.text(_BOOT) or ""), "default=" + default]
    for number in interrupts.divided(host, path)[0]:
        cpus = _cpulist.format(interrupts.allowed(host, number) or ())
        if cpus not in ("", default):
            words.append("%s=%s" % (number, cpus))
    return path, " ".join(words)


def _original(host, text):
    """({number: CPUs} if the numbers are of this boot, the CPUs of any other interrupt).

    Those are where new ones went, and where they go by now, for one of the two may be of our making.
    """
    words = dict(word.partition("=")[::2] for word in text.split())
    boot, default = words.pop("boot"), _cpulist.parse(words.pop("default", ""))
    everywhere = _cpulist.format(set(default) | set(_cpulist.parse(_kernels_default(host))))
    return (words if boot and boot == host.text(_BOOT) else {}), everywhere


def _kernels_default(host):
    """The CPUs that an interrupt gets when a driver asks for it, among those that are online."""
    try:
        default = set(_cpulist.from_mask(host.text(_DEFAULT) or ""))
    except ValueError:
        default = set()
    online = _online(host)
    return _cpulist.format(default & set(_cpulist.parse(online))) or online


def _online(host):
    return host.text("/sys/devices/system/cpu/online") or "0"


def plain(text):
    """A value as it is written."""
    return text.strip()


def identity(row, target, path):
    """What names the original in the journal: the PCI address, for names can change."""
    return "irq:" + path.rpartition("/")[2]


def others(host):
    """Who moves interrupts has no file in which a line would win: see _rules/interrupts.py."""
    return []


def rival(settled, row, target, path, ours, value):
    """See `others`."""
    return None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
