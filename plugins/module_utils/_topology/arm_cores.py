# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of ARM processor cores, which the kernel gives as numbers only (MIDR_EL1: implementer and part).

PRIVATE to the collection. Numbers from the technical reference manuals of the makers; lscpu prints the same names.
"""

from __future__ import annotations

_IMPLEMENTERS = {
    0x41: "ARM", 0x42: "Broadcom", 0x43: "Cavium", 0x44: "DEC", 0x46: "FUJITSU", 0x48: "HiSilicon", 0x49: "Infineon",
    0x4d: "Motorola/Freescale", 0x4e: "NVIDIA", 0x50: "APM", 0x51: "Qualcomm", 0x53: "Samsung", 0x56: "Marvell",
    0x61: "Apple", 0x66: "Faraday", 0x69: "Intel", 0x6d: "Microsoft", 0x70: "Phytium", 0xc0: "Ampere",
}
_PARTS = {
    0x41: {
        0xb36: "ARM1136", 0xb56: "ARM1156", 0xb76: "ARM1176", 0xc05: "Cortex-A5", 0xc07: "Cortex-A7",
        0xc08: "Cortex-A8", 0xc09: "Cortex-A9", 0xc0d: "Cortex-A17", 0xc0e: "Cortex-A17", 0xc0f: "Cortex-A15",
        0xd01: "Cortex-A32", 0xd02: "Cortex-A34", 0xd03: "Cortex-A53", 0xd04: "Cortex-A35", 0xd05: "Cortex-A55",
        0xd06: "Cortex-A65", 0xd07: "Cortex-A57", 0xd08: "Cortex-A72", 0xd09: "Cortex-A73", 0xd0a: "Cortex-A75",
        0xd0b: "Cortex-A76", 0xd0c: "Neoverse-N1", 0xd0d: "Cortex-A77", 0xd0e: "Cortex-A76AE", 0xd40: "Neoverse-V1",
        0xd41: "Cortex-A78", 0xd42: "Cortex-A78AE", 0xd43: "Cortex-A65AE", 0xd44: "Cortex-X1", 0xd46: "Cortex-A510",
        0xd47: "Cortex-A710", 0xd48: "Cortex-X2", 0xd49: "Neoverse-N2", 0xd4a: "Neoverse-E1", 0xd4b: "Cortex-A78C",
        0xd4c: "Cortex-X1C", 0xd4d: "Cortex-A715", 0xd4e: "Cortex-X3", 0xd4f: "Neoverse-V2", 0xd80: "Cortex-A520",
        0xd81: "Cortex-A720", 0xd82: "Cortex-X4", 0xd83: "Neoverse-V3AE", 0xd84: "Neoverse-V3", 0xd85: "Cortex-X925",
        0xd87: "Cortex-A725", 0xd88: "Cortex-A520AE", 0xd89: "Cortex-A720AE", 0xd8e: "Neoverse-N3",
        0xd8f: "Cortex-A320",
    },
    0x42: {0x00f: "Brahma-B15", 0x100: "Brahma-B53", 0x516: "ThunderX2"},
    0x43: {0x0a1: "ThunderX-88XX", 0x0a2: "ThunderX-81XX", 0x0a3: "ThunderX-83XX", 0x0af: "ThunderX2-99xx",
           0x0b8: "ThunderX3-T110"},
    0x46: {0x001: "A64FX", 0x003: "MONAKA"},
    0x48: {0xd01: "TaiShan-v110", 0xd02: "TaiShan-v120", 0xd40: "Cortex-A76"},
    0x4e: {0x000: "Denver", 0x003: "Denver 2", 0x004: "Carmel", 0x010: "Olympus"},
    0x50: {0x000: "X-Gene"},
    0x51: {0x001: "Oryon", 0xc00: "Falkor", 0xc01: "Saphira"},
    0x6d: {0xd49: "Azure-Cobalt-100"},
    0x70: {0x660: "FTC660", 0x661: "FTC661", 0x662: "FTC662", 0x663: "FTC663", 0x664: "FTC664", 0x862: "FTC862"},
    0xc0: {0xac3: "Ampere-1", 0xac4: "Ampere-1a", 0xac5: "Ampere-1b"},
}


def implementer(number):
    """The maker's name, or its number as the kernel wrote it where nobody told us the name."""
    return _IMPLEMENTERS.get(_integer(number), number)


def name(maker, part):
    """The core's name, or its number as the kernel wrote it."""
    return _PARTS.get(_integer(maker), {}).get(_integer(part), part)


def _integer(text):
    try:
        return int(text, 16)
    except ValueError:
        return None
