# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine as a whole: names, kernel, maker."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._topology import system

DMI = "/sys/class/dmi/id/"


def read(host):
    found = {"sources": {}, "notes": host.notes}
    return system.read(host, found), found["sources"]


def test_a_server(machine):
    fact, sources = read(machine({
        "/proc/sys/kernel/hostname": "gpu17\n", "/proc/sys/kernel/arch": "x86_64\n", "/proc/cmdline": "ro quiet\n",
        "/proc/sys/kernel/osrelease": "6.8.0-40-generic\n", "/proc/cpuinfo": "flags : lm\n",
        DMI + "sys_vendor": "Supermicro\n", DMI + "product_name": "SYS-821GE-TNHR\n"}))
    assert fact == {"hostname": "gpu17", "architecture": "x86_64", "kernel": "6.8.0-40-generic", "vendor": "Supermicro",
                    "product": "SYS-821GE-TNHR", "virtualization": "none", "boot_cmdline": "ro quiet"}
    assert sources == {}


def test_an_older_kernel_and_an_image(machine):
    fact, sources = read(machine({"/etc/hostname": "image\n", "/proc/cpuinfo": "flags : fpu lm\n",
                                  "/proc/version": "Linux version 5.15.0-1 (gcc) #1 SMP"}))
    assert (fact["hostname"], fact["architecture"], fact["kernel"]) == ("image", "x86_64", "5.15.0-1")
    assert "inferred" in sources["system.architecture"]


def test_placeholders_of_the_firmware_are_unknown(machine):
    fact, _sources = read(machine({DMI + "sys_vendor": "To Be Filled By O.E.M.",
                                   DMI + "product_name": "Default string"}))
    assert (fact["vendor"], fact["product"]) == (None, None)


def test_device_tree_and_s390(machine, tmp_path):
    assert read(machine({"/proc/device-tree/model": "IBM,9105-22A\0"}))[0]["product"] == "IBM,9105-22A"
    (tmp_path / "proc" / "device-tree" / "model").unlink()
    fact, _sources = read(machine({"/proc/sysinfo": "Manufacturer:  IBM\nType:          8561\n"}))
    assert (fact["vendor"], fact["product"]) == ("IBM", "8561")


def test_nothing_known_is_null(machine):
    fact, sources = read(machine({"/etc/os-release": ""}))
    assert set(fact.values()) == {None}
    assert sources == {}
