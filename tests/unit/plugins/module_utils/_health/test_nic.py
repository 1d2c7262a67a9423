# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network interfaces: carrier and errors."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import nic
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu, sysfs


def test_the_interfaces_of_a_node(tmp_path):
    root = eight_gpu.build(tmp_path)
    sysfs.write_all(root, "sys/class/net/rail0", {
        "carrier_changes": 3, "statistics/rx_errors": 0, "statistics/rx_crc_errors": 5, "statistics/rx_bytes": 9,
        "statistics/rx_dropped": 4, "statistics/tx_fifo_errors": 1, "statistics/collisions": 2})
    found = {record["name"]: record for record in nic.read(Host(str(root)), {})}
    assert len(found) == 11
    assert found["rail0"] == {
        "name": "rail0", "pci_address": "0000:1a:00.0", "operstate": "up", "speed": 400000, "carrier_changes": 3,
        "errors": {"rx_crc_errors": 5, "tx_fifo_errors": 1, "collisions": 2}}
    assert found["eno1"]["carrier_changes"] is None and found["eno1"]["errors"] == {}


@pytest.mark.parametrize("speed", [-1, 0, 65535, 4294967295, "x"])
def test_a_speed_that_is_none(tmp_path, speed):
    root = eight_gpu.build(tmp_path)
    sysfs.write(root, "sys/class/net/rail0/speed", speed)
    assert [record["speed"] for record in nic.read(Host(str(root)), {}) if record["name"] == "rail0"] == [None]


def test_interfaces_without_a_device_are_left_out(machine):
    host = machine({"/sys/class/net/bond0/operstate": "up", "/sys/class/net/lo/operstate": "unknown"})
    assert nic.read(host, {}) == []
