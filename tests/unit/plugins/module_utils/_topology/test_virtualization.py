# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a system is virtualized by, from the files that each hypervisor and container manager shows."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._topology import cpuinfo, virtualization

GUEST = {"/proc/cpuinfo": "flags : lm hypervisor\n"}
METAL = {"/proc/cpuinfo": "flags : lm\n"}
ARM = {"/proc/cpuinfo": "CPU implementer : 0x41\nCPU architecture: 8\nCPU part : 0xd4f\n"}
POWER = {"/proc/cpuinfo": "cpu : POWER9\n"}
S390 = {"/proc/cpuinfo": "vendor_id : IBM/S390\n"}
DMI = "/sys/class/dmi/id/"
CLOCK = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
TREE = "/proc/device-tree/"


@pytest.mark.parametrize(("files", "answer"), [
    (METAL, "none"),
    (dict(METAL, **{DMI + "sys_vendor": "Amazon EC2", DMI + "product_name": "p5.48xlarge"}), "none"),
    (GUEST, "vm-other"),
    (dict(GUEST, **{CLOCK: "kvm-clock tsc"}), "kvm"),
    (dict(GUEST, **{DMI + "sys_vendor": "QEMU", CLOCK: "kvm-clock tsc acpi_pm"}), "kvm"),
    (dict(GUEST, **{DMI + "sys_vendor": "QEMU", CLOCK: "tsc hpet"}), "qemu"),
    (dict(GUEST, **{DMI + "sys_vendor": "Amazon EC2", CLOCK: "kvm-clock tsc"}), "amazon"),
    (dict(GUEST, **{DMI + "product_name": "Google Compute Engine", CLOCK: "kvm-clock"}), "google"),
    (dict(GUEST, **{DMI + "sys_vendor": "VMware, Inc."}), "vmware"),
    (dict(GUEST, **{DMI + "bios_vendor": "innotek GmbH"}), "oracle"),
    (dict(GUEST, **{DMI + "sys_vendor": "Microsoft Corporation", DMI + "product_name": "Virtual Machine"}),
     "microsoft"),
    (dict(GUEST, **{DMI + "sys_vendor": "Microsoft Corporation", DMI + "product_name": "Surface"}), "vm-other"),
    (dict(METAL, **{"/sys/hypervisor/type": "xen"}), "xen"),
    (dict(METAL, **{"/sys/hypervisor/type": "xen", "/proc/xen/capabilities": "control_d\n"}), "none"),
    ({"/proc/cpuinfo": "vendor_id : User Mode Linux\n"}, "uml"),
    (dict(ARM, **{DMI + "sys_vendor": "NVIDIA", DMI + "product_name": "GB200 NVL"}), "none"),
    (dict(ARM, **{DMI + "sys_vendor": "Amazon EC2", DMI + "product_name": "g5g.metal"}), "none"),
    (dict(ARM, **{DMI + "sys_vendor": "Amazon EC2", DMI + "product_name": "g5g.2xlarge"}), "amazon"),
    (dict(ARM, **{TREE + "hypervisor/compatible": "linux,kvm\0"}), "kvm"),
    (dict(ARM, **{TREE + "model": "Raspberry"}), "none"),
    (ARM, None),
    (dict(POWER, **{TREE + "ibm,partition-name": "lp1", TREE + "hmc-managed?": ""}), "powervm"),
    (dict(POWER, **{TREE + "compatible": "qemu,pseries\0"}), "qemu"),
    (dict(S390, **{"/proc/sysinfo": "Manufacturer: IBM\nVM00 Control Program: z/VM    6.1.0\n"}), "zvm"),
    (dict(S390, **{"/proc/sysinfo": "Manufacturer: IBM\nVM00 Control Program: KVM/Linux\n"}), "kvm"),
    (dict(S390, **{"/proc/sysinfo": "Manufacturer: IBM\nLPAR Number: 1\n"}), "none"),
    (dict(GUEST, **{"/run/systemd/container": "docker\n"}), "docker"),
    (dict(METAL, **{"/run/host/container-manager": "lxc:pod\n"}), "lxc"),
    (dict(METAL, **{"/proc/1/environ": "A=b\0container=podman\0"}), "podman"),
    (dict(METAL, **{"/proc/1/environ": "A=b\0mycontainer=podman\0"}), "none"),
    (dict(METAL, **{"/.dockerenv": ""}), "docker"),
    (dict(METAL, **{"/run/.containerenv": ""}), "podman"),
    (dict(GUEST, **{"/proc/sys/kernel/osrelease": "5.15.1-microsoft-standard-WSL2"}), "wsl"),
    (dict(METAL, **{"/proc/vz/x": ""}), "openvz"),
    ({}, None),
])
def test_detect(machine, files, answer):
    host = machine(dict({"/etc/os-release": ""}, **files))
    assert virtualization.detect(host, cpuinfo.read(host, {})) == answer
