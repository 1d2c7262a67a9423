# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rule on the policy for PCIe links."""

from __future__ import annotations

import pytest

from tests.sysroots import pci_node, sysfs
from tests.sysroots.eight_gpu import NIC_ADDRESSES
from tests.sysroots.pci_node import build, findings

POLICY = "/sys/module/pcie_aspm/parameters/policy"


@pytest.mark.parametrize("text, found", [
    ("default performance [powersave] powersupersave", True), ("default performance powersave [powersupersave]", True),
    ("[default] performance powersave powersupersave", False), ("default [performance] powersave", False)])
def test_aspm_policy(tmp_path, text, found):
    told = findings(build(tmp_path, **{POLICY: text}))
    assert ("aspm" in told) is found
    assert not found or (told["aspm"][0][0] == "W" and "pcie_aspm.policy=performance" in told["aspm"][0][1])


def test_aspm_that_firmware_left_on_is_told(tmp_path):
    root = build(tmp_path)
    pci_node.put_config(root, NIC_ADDRESSES[1], sysfs.config_space(None, 0, aspm=2))
    assert findings(root)["aspm"] == [
        ("I", "the links of mlx5_1 may go to sleep (ASPM), as the firmware set them up")]
