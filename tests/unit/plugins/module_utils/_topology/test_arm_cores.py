# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of ARM cores."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._topology import arm_cores


@pytest.mark.parametrize(("maker", "part", "vendor", "name"), [
    ("0x41", "0xd4f", "ARM", "Neoverse-V2"),
    ("0x41", "0xd84", "ARM", "Neoverse-V3"),
    ("0xc0", "0xac3", "Ampere", "Ampere-1"),
    ("0x48", "0xd40", "HiSilicon", "Cortex-A76"),
    ("0x41", "0xfff", "ARM", "0xfff"),
    ("0x99", "0xd4f", "0x99", "0xd4f"),
    ("", "junk", "", "junk"),
])
def test_names(maker, part, vendor, name):
    assert arm_cores.implementer(maker) == vendor
    assert arm_cores.name(maker, part) == name
