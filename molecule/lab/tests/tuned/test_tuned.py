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
        HUGE % 0: "8", HUGE % 1: "4",
        "/sys/fs/cgroup/system.slice/cpuset.cpus.effective": "0-1",
        "/sys/fs/cgroup/user.slice/cpuset.cpus.effective": "0-1",
        "/sys/fs/cgroup/init.scope/cpuset.cpus.effective": "0-1",
        "/sys/fs/cgroup/gpuwright.slice/cpuset.cpus.effective": "2-3",
        "/sys/devices/virtual/workqueue/cpumask": "3", "/proc/irq/default_smp_affinity": "3"},
}

SETTINGS = {
    "vm.swappiness", "vm.max_map_count", "vm.panic_on_oom", "kernel.panic", "nr_hugepages",
    "transparent_hugepage/enabled", "transparent_hugepage/defrag", "kernel.numa_balancing", "vm.zone_reclaim_mode",
    "affinity.json",
}
SETTINGS_OF_ONE_HOST = {
    "molecule-inference": {"vm.dirty_ratio", "vm.dirty_background_ratio"},
    "molecule-training": {
        "vm.dirty_bytes", "vm.dirty_background_bytes", "system.slice/AllowedCPUs", "user.slice/AllowedCPUs",
        "init.scope/AllowedCPUs", "gpuwright.slice/AllowedCPUs", "workqueue/cpumask", "irq/default_smp_affinity",
        "irq/smp_affinity_list", "irqbalance.service/IRQBALANCE_BANNED_CPULIST"},
}

# Settings that this kernel or hardware does not have: name to the reason in the report. Exact.
NOT_APPLICABLE = {"cpufreq/scaling_governor": "this kernel has no such setting"}

# What a host of two cores cannot do better, and what the kernel makes of an emulated clock now and then.
RULES = {"molecule-inference": set(), "molecule-training": {"R4"}}
NOW_AND_THEN = {"clocksource"}

FILES = {
    "/etc/sysctl.d/90-gpuwright-vm.conf", "/etc/sysctl.d/90-gpuwright-numa.conf",
    "/etc/tmpfiles.d/90-gpuwright-vm.conf", "/etc/tmpfiles.d/90-gpuwright-thp.conf",
    "/etc/gpuwright/affinity.json",
    *("/etc/gpuwright/desired/%s.json" % role for role in ("vm", "thp", "numa", "cpu_isolation")),
}
UNITS = "/etc/systemd/system/"
DROP_IN = "/90-gpuwright-cpu_isolation.conf"
FILES_OF_ONE_HOST = {
    "molecule-inference": set(),
    "molecule-training": {
        UNITS + "system.slice.d" + DROP_IN, UNITS + "user.slice.d" + DROP_IN, UNITS + "init.scope.d" + DROP_IN,
        UNITS + "gpuwright.slice.d" + DROP_IN, UNITS + "slices.target.d" + DROP_IN,
        UNITS + "irqbalance.service.d" + DROP_IN, "/etc/gpuwright/cpu_isolation-irqbalance.service.env",
        "/etc/tmpfiles.d/90-gpuwright-cpu_isolation.conf",
        UNITS + "gpuwright-boot.service", UNITS + "gpuwright-device.service", UNITS + "gpuwright-device.timer",
        UNITS + "multi-user.target.d/90-gpuwright.conf", "/etc/udev/rules.d/90-gpuwright.rules"},
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


def test_only_our_files_persist_it(host, name):
    found = host.check_output("find /etc -path '*gpuwright*' -type f").split()
    assert set(found) == FILES | FILES_OF_ONE_HOST[name]


def test_every_setting_is_ok_or_known_not_to_apply(name, answer):
    assert {step["name"] for step in answer["settings"]} == SETTINGS | SETTINGS_OF_ONE_HOST[name] | set(NOT_APPLICABLE)
    others = {step["name"]: (step["status"], step["reason"]) for step in answer["settings"] if step["status"] != "ok"}
    assert others == {name: ("not_applicable", reason) for name, reason in NOT_APPLICABLE.items()}


def test_nothing_waits_for_a_reboot_and_no_rule_is_broken(name, answer):
    assert answer["status"] == "answered"
    assert answer["reboot_required"] is False
    found = {finding["rule"] for finding in answer["rules"] if finding["severity"] != "I"}
    assert found - NOW_AND_THEN == RULES[name]


def test_topology_of_the_host(answer):
    topology = answer["topology"]
    assert [(node["id"], node["cpus"], node["distances"], node["kind"]) for node in topology["numa_nodes"]] == [
        (0, "0-1", {"0": 10, "1": 21}, "cpu"), (1, "2-3", {"0": 21, "1": 10}, "cpu")]
    assert [core["cpus"] for core in topology["cpu"]["cores"]] == ["0-1", "2-3"]
    assert topology["cpu"]["threads_per_core"] == 2
    assert sorted(drive["numa_node"] for drive in topology["nvme"]) == [0, 1]
