# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What amdgpu shows in sysfs, in the forms of the kernel's own documentation, and KFD folders of real machines."""

from __future__ import annotations

import pathlib
import tarfile

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import gpu_amd
from ansible_collections.gpuwright.node.plugins.module_utils._topology import kfd, pci

CAPTURES = pathlib.Path(__file__).resolve().parents[4] / "captures"
ADDRESS = "0000:c3:00.0"
FOLDER = "/sys/bus/pci/devices/%s" % ADDRESS
FILES = {
    "/product_name": "AMD Instinct MI300X OAM\n", "/unique_id": "5a1e3c0f9d2b4e77\n", "/gpu_busy_percent": "3\n",
    "/power_dpm_force_performance_level": "auto\n",
    "/pp_dpm_sclk": "0: 500Mhz\n1: 132Mhz *\n2: 2100Mhz\n", "/pp_dpm_mclk": "0: 900Mhz\n1: 1300Mhz *\n",
    "/ras/umc_err_count": "ue: 1\nce: 4\nde: 0\n", "/ras/gfx_err_count": "ue: 0\nce: 2\n",
    "/ras/features": "feature mask: 0x3fff\n",
    "/ras/gpu_vram_bad_pages": "0x00001000 : 0x00001000 : R\n0x00002000 : 0x00001000 : P\n",
    "/hwmon/hwmon4/temp1_label": "junction\n", "/hwmon/hwmon4/temp1_input": "41000\n",
    "/hwmon/hwmon4/temp1_crit": "100000\n", "/hwmon/hwmon4/temp2_label": "mem\n",
    "/hwmon/hwmon4/temp2_input": "35000\n", "/hwmon/hwmon4/temp2_crit": "105000\n",
    "/hwmon/hwmon4/power1_input": "140000000\n", "/hwmon/hwmon4/power1_cap": "750000000\n",
    "/hwmon/hwmon4/power1_cap_max": "750000000\n", "/hwmon/hwmon4/power1_cap_default": "750000000\n",
}
DRIVEN = {ADDRESS: {"driver": "amdgpu"}}


def _read(machine, **changed):
    files = {FOLDER + path: text for path, text in dict(FILES, **changed).items() if text is not None}
    (address, record), = gpu_amd.read(machine(files), {}, DRIVEN)
    assert address == ADDRESS
    return record


def test_a_gpu(machine):
    record = _read(machine)
    assert (record["name"], record["uuid"]) == ("AMD Instinct MI300X OAM", "GPU-5a1e3c0f9d2b4e77")
    assert record["ecc"]["volatile"] == {"corrected": 6, "uncorrected": 1, "blocks": {"umc": 1}}
    assert record["retired_pages"] == {"double_bit": 1, "single_bit": None, "pending": True}
    assert record["clocks"]["now"] == {"sm": 132, "memory": 1300}
    assert record["clocks"]["max"] == {"sm": 2100, "memory": 1300}
    assert record["temperature"] == {"junction": 41, "slowdown": 100, "memory": 35, "max_memory": 105}
    assert record["power"] == {"draw": 140.0, "limit": 750.0, "default_limit": 750.0, "max_limit": 750.0}
    assert (record["utilization"], record["performance_state"]) == (3, "auto")


def test_an_average_is_the_draw_where_there_is_one(machine):
    assert _read(machine, **{"/hwmon/hwmon4/power1_average": "120000000"})["power"]["draw"] == 120.0


def test_a_gpu_without_ras_or_sensors(machine):
    bare = {path: None for path in FILES if "/ras/" in path or "/hwmon/" in path}
    record = _read(machine, **bare)
    assert [record[key] for key in ("ecc", "retired_pages", "temperature", "power")] == [None] * 4


@pytest.mark.parametrize("text", ["", "ue 1", "\0", "ue: -1\nce: x"])
def test_broken_counters_are_none(machine, text):
    assert _read(machine, **{"/ras/umc_err_count": text, "/ras/gfx_err_count": text})["ecc"] is None


def test_an_amd_gpu_without_a_driver_is_told(machine):
    host = machine({})
    assert gpu_amd.read(host, {}, {ADDRESS: {"driver": None}}) == []
    assert ADDRESS in host.notes[0]


def test_no_amd_gpu_is_nothing_to_tell(machine):
    host = machine({"/sys/class/kfd/kfd/proc/1/pasid": "1"})
    assert gpu_amd.read(host, {}, {}) == []
    assert host.notes == []


@pytest.mark.parametrize("name", ["mi210-xgmi-pcie", "carrizo-apu+dgpu"])
def test_kfd_of_a_real_machine_gives_its_gpus(machine, name):
    files = {}
    with tarfile.open(CAPTURES / "rocm-kfd" / name / "kfd-topology.tar.xz") as members:
        for member in members:
            if member.isreg():
                path = member.name.rpartition("nodes/")[2]
                files["/sys/class/kfd/kfd/topology/nodes/" + path] = members.extractfile(member).read().decode()
    host = machine(files)
    found = gpu_amd.read(host, {}, {})
    assert [address for address, _record in found] == sorted(
        {node["pci_address"] for node in kfd.read(host)}, key=pci.order) != []
    assert all(record["in_driver"] and record["ecc"] is None for _address, record in found)
