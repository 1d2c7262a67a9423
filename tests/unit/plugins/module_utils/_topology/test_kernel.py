# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running kernel offers."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._topology import kernel

MM = "/sys/kernel/mm/"
CPU = "/sys/devices/system/cpu/"


def read(host):
    found = {"sources": {}, "notes": host.notes, "system": {"kernel": "6.8.0"}, "_pci": {}, "gpus": [], "nics": [],
             "rdma_devices": [], "nvme": [], "pci_paths": [], "gpu_nics": {}, "numa_nodes": [], "cpu": {}}
    return kernel.read(host, found), found["sources"]


def test_a_kernel_that_has_it_all(machine):
    fact, _sources = read(machine({
        MM + "hugepages/hugepages-1048576kB/nr_hugepages": "0", MM + "hugepages/hugepages-2048kB/nr_hugepages": "0",
        MM + "transparent_hugepage/enabled": "always [madvise] never\n",
        MM + "transparent_hugepage/defrag": "always defer defer+madvise [madvise] never\n",
        CPU + "nohz_full": "\n", "/proc/sys/kernel/io_uring_disabled": "2\n",
        "/proc/sys/net/ipv4/tcp_available_congestion_control": "reno cubic bbr\n"}))
    assert fact["hugepage_sizes"] == [2048, 1048576]
    assert fact["thp"] == {"enabled": "madvise", "defrag": "madvise", "shmem_enabled": None}
    assert fact["nohz_full_built"] is True
    assert fact["io_uring_disabled"] == 2
    assert fact["congestion_controls"] == ["bbr", "cubic", "reno"]


def test_a_capture_without_these_files(machine):
    fact, _sources = read(machine({"/etc/os-release": ""}))
    assert {name: fact[name] for name in ("hugepage_sizes", "thp", "nohz_full_built", "congestion_controls",
                                          "io_uring_disabled")} == dict.fromkeys(
        ("hugepage_sizes", "thp", "nohz_full_built", "congestion_controls", "io_uring_disabled"))


def test_a_kernel_without_huge_pages_has_none(machine):
    fact, _sources = read(machine({MM + "ksm/run": "0"}))
    assert fact["hugepage_sizes"] == []
    assert fact["thp"] is None


@pytest.mark.parametrize(("files", "answer", "source"), [
    ({CPU + "isolated": ""}, False, "inferred"),
    ({"/boot/config-6.8.0": "CONFIG_NO_HZ_FULL=y\n"}, True, "/boot/config-6.8.0"),
    ({"/boot/config-6.8.0": "# CONFIG_NO_HZ_FULL is not set\n", CPU + "isolated": ""}, False, "/boot/config-6.8.0"),
])
def test_full_dynticks_without_their_file(machine, files, answer, source):
    fact, sources = read(machine(files))
    assert fact["nohz_full_built"] is answer
    assert source in sources["kernel.nohz_full_built"]


def test_a_failure_of_gpudirect_leaves_the_rest(machine, monkeypatch):
    def fail(_host, _found):
        raise KeyError("planted")
    monkeypatch.setattr(kernel.gpudirect, "read", fail)
    host = machine({"/proc/sys/kernel/io_uring_disabled": "0"})
    assert read(host)[0]["io_uring_disabled"] == 0
    assert any("KeyError: 'planted'" in note for note in host.notes)
