# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NVMe drives and whether they work."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._health import nvme
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu, sysfs


def test_the_drives_of_a_node(tmp_path):
    root = eight_gpu.build(tmp_path)
    sysfs.write_all(root, "sys/class/nvme/nvme0", {
        "serial": "S6CKNN0T   ", "state": "dead", "firmware_rev": "GDC5602Q"})
    drives = nvme.read(Host(str(root)), {})
    assert len(drives) == 8
    assert drives[0] == {"name": "nvme0", "pci_address": "0000:22:00.0", "serial": "S6CKNN0T", "state": "dead",
                         "model": "SAMSUNG MZWLO3T8HCLS-00A07", "firmware": "GDC5602Q"}
    assert drives[1]["serial"] is None and drives[1]["state"] is None


def test_a_drive_over_a_fabric_has_no_address(machine):
    host = machine({"/sys/class/nvme/nvme7/serial": "abc", "/sys/class/nvme/nvme7/state": "live",
                    "/sys/class/nvme/nvme-fabrics/dev": "1"})
    assert [(drive["name"], drive["pci_address"], drive["state"]) for drive in nvme.read(host, {})] == [
        ("nvme7", None, "live")]
