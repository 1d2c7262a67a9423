# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After site.yml, and again after a reboot, every setting is right: in the kernel, in its file and in the report."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

REPORT = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "report" / "audit.json"

# What both hosts run with, written down by hand and not asked of the roles.
VALUES = {
    "/proc/sys/vm/swappiness": "10",
    "/proc/sys/vm/max_map_count": "1048576",
    "/proc/sys/vm/panic_on_oom": "0",
    "/proc/sys/kernel/panic": "10",
    "/proc/sys/kernel/numa_balancing": "0",
    "/proc/sys/vm/zone_reclaim_mode": "0",
    "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    "/sys/kernel/mm/transparent_hugepage/defrag": "always defer defer+madvise [madvise] never",
}

# What only one of them does: the defaults for its 2 GB, or the values of molecule.yml.
HUGE = "/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages"
OF_ONE_HOST = {
    "molecule-inference": {
        "/proc/sys/vm/dirty_ratio": "10", "/proc/sys/vm/dirty_background_ratio": "3",
        "/proc/sys/vm/dirty_bytes": "0", "/proc/sys/vm/dirty_background_bytes": "0",
        HUGE % 0: "0", HUGE % 1: "0"},
    "molecule-training": {
        "/proc/sys/vm/dirty_ratio": "0", "/proc/sys/vm/dirty_background_ratio": "0",
        "/proc/sys/vm/dirty_bytes": "268435456", "/proc/sys/vm/dirty_background_bytes": "67108864",
        HUGE % 0: "8", HUGE % 1: "4"},
}

SETTINGS = {
    "vm.swappiness", "vm.max_map_count", "vm.panic_on_oom", "kernel.panic", "nr_hugepages",
    "transparent_hugepage/enabled", "transparent_hugepage/defrag", "kernel.numa_balancing", "vm.zone_reclaim_mode",
}
DIRTY = {
    "molecule-inference": {"vm.dirty_ratio", "vm.dirty_background_ratio"},
    "molecule-training": {"vm.dirty_bytes", "vm.dirty_background_bytes"},
}

# Settings that this kernel or hardware does not have: name to the reason in the report. Exact.
NOT_APPLICABLE = {}

FILES = {
    "/etc/sysctl.d/90-gpuwright-vm.conf", "/etc/sysctl.d/90-gpuwright-numa.conf",
    "/etc/tmpfiles.d/90-gpuwright-vm.conf", "/etc/tmpfiles.d/90-gpuwright-thp.conf",
}


@pytest.fixture(scope="module")
def name(host):
    """The host's name."""
    return host.backend.get_hostname()


@pytest.fixture(scope="module")
def answer(name):
    """What the report says of this host."""
    return json.loads(REPORT.read_text())["hosts"][name]


def test_the_kernel_runs_with_it(host, name):
    expected = {**VALUES, **OF_ONE_HOST[name]}
    lines = host.check_output("grep -H . " + " ".join(expected)).splitlines()
    assert dict(line.split(":", 1) for line in lines) == expected


def test_only_our_files_persist_it(host):
    found = host.check_output("find /etc -name '*gpuwright*' -type f").split()
    assert set(found) == FILES


def test_every_setting_is_ok_or_known_not_to_apply(name, answer):
    assert {step["name"] for step in answer["settings"]} == SETTINGS | DIRTY[name] | set(NOT_APPLICABLE)
    others = {step["name"]: (step["status"], step["reason"]) for step in answer["settings"] if step["status"] != "ok"}
    assert others == {name: ("not_applicable", reason) for name, reason in NOT_APPLICABLE.items()}


def test_nothing_waits_for_a_reboot_and_no_rule_is_broken(answer):
    assert answer["status"] == "answered"
    assert answer["reboot_required"] is False
    assert [finding for finding in answer["rules"] if finding["severity"] != "I"] == []


def test_topology_of_the_host(answer):
    topology = answer["topology"]
    assert [(node["id"], node["cpus"], node["distances"], node["kind"]) for node in topology["numa_nodes"]] == [
        (0, "0-1", {"0": 10, "1": 21}, "cpu"), (1, "2-3", {"0": 21, "1": 10}, "cpu")]
    assert [core["cpus"] for core in topology["cpu"]["cores"]] == ["0-1", "2-3"]
    assert topology["cpu"]["threads_per_core"] == 2
    assert sorted(drive["numa_node"] for drive in topology["nvme"]) == [0, 1]
