# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/proc/cpuinfo of every architecture: vendor, model, architecture, and the numbers of the processors."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._topology import cpuinfo

X86 = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 9654  96-Core\nflags\t\t: fpu lm\n"
GRACE = "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd4f\n"
HYBRID = GRACE.replace("0xd4f", "0xd87") + "\n" + GRACE.replace("0xd4f", "0xd85")
NEW_CORE = GRACE.replace("0x41", "0x7f").replace("0xd4f", "0xfff")


@pytest.mark.parametrize(("text", "vendor", "model", "architecture"), [
    (X86, "AuthenticAMD", "AMD EPYC 9654  96-Core", "x86_64"),
    (X86.replace(" lm", ""), "AuthenticAMD", "AMD EPYC 9654  96-Core", "i686"),
    (GRACE, "ARM", "Neoverse-V2", "aarch64"),
    (HYBRID, "ARM", "Cortex-A725 + Cortex-X925", "aarch64"),
    (NEW_CORE, "0x7f", "0xfff", "aarch64"),
    ("CPU implementer : 0x41\nCPU architecture: 7\nCPU part : 0xc0f\n", "ARM", "Cortex-A15", "armv7l"),
    ("CPU implementer : 0x41\nCPU architecture: AArch64\nCPU part : 0xd08\n", "ARM", "Cortex-A72", "aarch64"),
    ("vendor_id       : IBM/S390\n# processors    : 2\nprocessor 0: version = FF\n", "IBM/S390", None, "s390x"),
    ("processor : 0\nvendor : GenuineIntel\narch : IA-64\nfamily : 32\nmodel : 1\n", "GenuineIntel", None, "ia64"),
    ("processor\t: 0\ncpu\t\t: POWER9, altivec supported\n", None, "POWER9, altivec supported", None),
    ("processor: 0\nisa: rv64imafdc\nuarch: sifive,u74-mc\nmvendorid: 0x489\n", "0x489", "sifive,u74-mc", "riscv64"),
    ("Model Name\t: Loongson-3A5000\nISA : loongarch32 loongarch64\n", None, "Loongson-3A5000", "loongarch64"),
    ("", None, None, None),
])
def test_what_a_processor_is(machine, text, vendor, model, architecture):
    fields = cpuinfo.read(machine({"/proc/cpuinfo": text}), {})
    assert cpuinfo.vendor(fields) == vendor
    assert cpuinfo.model(fields) == model
    assert cpuinfo.architecture(fields) == architecture


def test_it_is_read_once(machine, tmp_path):
    host, found = machine({"/proc/cpuinfo": X86}), {}
    first = cpuinfo.read(host, found)
    (tmp_path / "proc" / "cpuinfo").unlink()
    assert cpuinfo.read(host, found) == first != {}


def test_a_missing_file_is_a_note(machine):
    host = machine({"/proc/version": ""})
    assert cpuinfo.read(host, {}) == {}
    assert "/proc/cpuinfo" in host.notes[0]


@pytest.mark.parametrize(("text", "numbers"), [
    ("processor\t: 0\nx: 1\n\nprocessor\t: 2\n", [0, 2]),
    ("# processors : 9\nprocessor 1: a\nprocessor 5: b\n", [1, 5]),
    ("Processor\t: ARMv7\nprocessor\t: 3\n", [3]), ("", []),
])
def test_the_numbers_of_the_processors(machine, text, numbers):
    assert cpuinfo.numbers(machine({"/proc/cpuinfo": text})) == numbers
