# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a system is virtualized by, in the words of systemd-detect-virt(1), read from files alone.

PRIVATE to the collection. A container counts before the virtual machine that it runs in. Asking the processor itself
(CPUID) needs machine code, so the hypervisor's name comes from what it shows the guest: clocks, DMI, device tree.
"""

from __future__ import annotations

import re

_CLOCKS = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
_DMI = "/sys/class/dmi/id"
_TREE = "/proc/device-tree"
# The first line that fits decides. Bochs is what QEMU without KVM used to call its BIOS.
_BY_DMI = (
    ("KVM", "kvm"), ("OpenStack", "kvm"), ("KubeVirt", "kvm"), ("Amazon EC2", "amazon"), ("QEMU", "qemu"),
    ("VMware", "vmware"), ("VMW", "vmware"), ("innotek GmbH", "oracle"), ("VirtualBox", "oracle"),
    ("Oracle Corporation", "oracle"), ("Xen", "xen"), ("Bochs", "bochs"), ("Parallels", "parallels"),
    ("BHYVE", "bhyve"), ("Hyper-V", "microsoft"), ("Apple Virtualization", "apple"),
    ("Google Compute Engine", "google"), ("Microsoft Corporation", "microsoft"), ("Alibaba Cloud", "kvm"),
)
_DMI_FILES = ("product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version")
_CLOCK_OF = (("kvm-clock", "kvm"), ("hyperv_clocksource", "microsoft"), ("xen", "xen"))
# What a bare-metal instance of a cloud is called: its DMI names the cloud all the same.
_BARE_METAL = re.compile(r"\.metal(-\w+)?$|^BM\.|-metal$")


def detect(host, cpu):
    """The name of the container manager or hypervisor, "vm-other" for an unknown one, "none", or None if nothing tells.

    `cpu` is cpuinfo.read's answer: x86 processors say there that a hypervisor is below.
    """
    return _container(host) or _virtual_machine(host, cpu)


def _container(host):
    manager = host.text("/run/host/container-manager") or host.text("/run/systemd/container")
    if manager:
        return manager.split(":")[0].strip()
    if "microsoft" in (host.text("/proc/sys/kernel/osrelease") or "").lower():
        return "wsl"
    if host.exists("/proc/vz") and not host.exists("/proc/bc"):
        return "openvz"
    try:
        told = re.search(rb"(?:^|\0)container=([^\0]+)", host.read_bytes("/proc/1/environ"))
    except OSError:
        told = None  # Only root may look.
    if told:
        return told.group(1).decode("utf-8", "replace")
    if host.exists("/run/.containerenv"):
        return "podman"
    return "docker" if host.exists("/.dockerenv") else None


def _virtual_machine(host, cpu):
    if cpu.get("vendor_id") == "User Mode Linux":
        return "uml"
    xen = _xen(host)
    if xen:
        return xen
    on_x86 = "flags" in cpu
    below = "hypervisor" in cpu["flags"].split() if on_x86 else None
    product = host.text(_DMI + "/product_name") or ""
    if below is False or (not on_x86 and _BARE_METAL.search(product)):
        return "none"
    guess = _by_dmi(host)
    # Where DMI names a cloud, systemd reports the cloud; QEMU's own DMI does not say whether KVM runs it.
    if guess not in (None, "qemu", "bochs"):
        return guess
    return _by_clock(host) or guess or _by_device_tree(host) or _by_sysinfo(host) or _rest(host, cpu, below)


def _rest(host, cpu, below):
    if below:
        return "vm-other"
    # Not x86, and neither firmware table nor device tree names a hypervisor.
    return "none" if cpu and (host.is_folder(_DMI) or host.is_folder(_TREE)) else None


def _xen(host):
    """Xen names itself; its first domain runs on the metal as far as settings are concerned."""
    if "control_d" in (host.text("/proc/xen/capabilities") or ""):
        return "none"
    return "xen" if host.text("/sys/hypervisor/type") == "xen" else None


def _by_dmi(host):
    for name in _DMI_FILES:
        text = host.text("%s/%s" % (_DMI, name)) or ""
        for start, answer in _BY_DMI:
            # Microsoft makes computers too: only this product of theirs is a virtual machine.
            if text.startswith(start) and (start != "Microsoft Corporation" or _is_hyper_v(host)):
                return answer
    return None


def _is_hyper_v(host):
    return host.text(_DMI + "/product_name") == "Virtual Machine"


def _by_clock(host):
    clocks = (host.text(_CLOCKS) or "").split()
    return next((answer for clock, answer in _CLOCK_OF if clock in clocks), None)


def _by_device_tree(host):
    hypervisor = host.text(_TREE + "/hypervisor/compatible") or ""
    for start, answer in (("linux,kvm", "kvm"), ("xen", "xen"), ("vmware", "vmware")):
        if start in hypervisor:
            return answer
    if hypervisor:
        return "vm-other"
    if host.exists(_TREE + "/ibm,partition-name") and host.exists(_TREE + "/hmc-managed?"):
        return "powervm"
    compatible = host.text(_TREE + "/compatible") or ""
    emulated = "qemu" in compatible or any("fw-cfg" in name for name in host.names(_TREE))
    return "qemu" if emulated else None


def _by_sysinfo(host):
    """On s390 the machine lists the levels below: a control program is a hypervisor, none means a logical partition."""
    text = host.text("/proc/sysinfo")
    if text is None:
        return None
    program = re.search(r"^VM00 Control Program:\s*(.*\S)", text, re.MULTILINE)
    if not program:
        return "none"
    return "zvm" if program.group(1).startswith("z/VM") else "kvm"
