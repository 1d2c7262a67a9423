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
    "/proc/sys/fs/nr_open": "1048576",
    "/proc/sys/net/core/rmem_max": "67108864",
    "/proc/sys/net/core/wmem_max": "67108864",
    "/proc/sys/net/ipv4/tcp_rmem": "4096\t131072\t67108864",
    "/proc/sys/net/ipv4/tcp_wmem": "4096\t65536\t67108864",
    "/proc/sys/net/core/somaxconn": "4096",
    "/proc/sys/net/ipv4/tcp_max_syn_backlog": "4096",
}

# What only one of them does: the defaults for its 2 GB, or the values of molecule.yml.
HUGE = "/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages"
QUEUE = "/sys/class/block/nvme%dn1/queue/%s"
OF_ONE_HOST = {
    "molecule-inference": {
        QUEUE % (0, "scheduler"): "[none] mq-deadline ", QUEUE % (1, "scheduler"): "[none] mq-deadline ",
        QUEUE % (0, "read_ahead_kb"): "128", QUEUE % (1, "read_ahead_kb"): "128",
        "/proc/sys/vm/dirty_ratio": "10", "/proc/sys/vm/dirty_background_ratio": "3",
        "/proc/sys/vm/dirty_bytes": "0", "/proc/sys/vm/dirty_background_bytes": "0",
        HUGE % 0: "0", HUGE % 1: "0"},
    "molecule-training": {
        QUEUE % (0, "scheduler"): "[mq-deadline] none", QUEUE % (1, "scheduler"): "[mq-deadline] none",
        QUEUE % (0, "wbt_lat_usec"): "0", QUEUE % (1, "wbt_lat_usec"): "0",
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
    "affinity.json", "fs.nr_open", "net.core.rmem_max", "net.core.wmem_max", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    "net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog", "queue/scheduler", "NCCL_DEBUG", "NCCL_IB_TIMEOUT", "NCCL_*",
}
SETTINGS_OF_ONE_HOST = {
    "molecule-inference": {"vm.dirty_ratio", "vm.dirty_background_ratio"},
    "molecule-training": {
        "vm.dirty_bytes", "vm.dirty_background_bytes", "system.slice/AllowedCPUs", "user.slice/AllowedCPUs",
        "init.scope/AllowedCPUs", "gpuwright.slice/AllowedCPUs", "workqueue/cpumask", "irq/default_smp_affinity",
        "irq/smp_affinity_list", "irqbalance.service/IRQBALANCE_BANNED_CPULIST",
        "LimitNOFILE", "queue/wbt_lat_usec", "queue/read_ahead_kb"},
}

# Settings that this kernel or hardware does not have: the reason in the report to their names. Exact.
NOT_APPLICABLE = {
    "this kernel has no such setting": {"cpufreq/scaling_governor"},
    "no interfaces of this node share a subnet: network_rails is empty": {
        "net.ipv4.conf.{device}.arp_ignore", "net.ipv4.conf.{device}.arp_announce",
        "net.ipv4.conf.{device}.rp_filter", "rail/route"},
    "there is no RDMA device here": {
        "dcb/dcbx", "dcb/trust", "dcb/prio-pfc", "ecn/roce_np/enable", "ecn/roce_rp/enable", "ecn/roce_np/cnp_dscp",
        "ecn/roce_np/cnp_802p_prio", "LimitMEMLOCK", "memlock", "RemoveIPC", "traffic_class.json", "fabric.txt"},
    "no NVIDIA GPU is here": {"nvidia_peermem", "nvidia-persistenced.service", "nvidia-fabricmanager.service"},
}
NOT_APPLICABLE_TO_ONE_HOST = {
    "molecule-inference": {
        "none of these services is installed here": {"LimitNOFILE"},
        "no filesystem that is mounted here rests on an NVMe drive": {"queue/read_ahead_kb"}},
    "molecule-training": {},
}

# What a host of two cores cannot do better, and what the kernel makes of an emulated clock now and then.
RULES = {"molecule-inference": set(), "molecule-training": {"R4"}}
NOW_AND_THEN = {"clocksource"}

FILES = {
    "/etc/sysctl.d/90-gpuwright-vm.conf", "/etc/sysctl.d/90-gpuwright-numa.conf",
    "/etc/tmpfiles.d/90-gpuwright-vm.conf", "/etc/tmpfiles.d/90-gpuwright-thp.conf",
    "/etc/sysctl.d/90-gpuwright-network.conf", "/etc/udev/rules.d/90-gpuwright-nvme.rules",
    "/etc/gpuwright/affinity.json", "/etc/gpuwright/nccl.env",
    *("/etc/gpuwright/desired/%s.json" % role
      for role in ("vm", "thp", "numa", "cpu_isolation", "network", "nccl_env", "nvme")),
}
# The file that NCCL reads, and the one for services and containers: on one host in place of what was there.
NCCL_FILES = ("/etc/nccl.conf", "/etc/gpuwright/nccl.env")
NCCL = ["NCCL_DEBUG=WARN", "NCCL_IB_TIMEOUT=22", "NCCL_NET_PLUGIN=none"]
UNITS = "/etc/systemd/system/"
DROP_IN = "/90-gpuwright-cpu_isolation.conf"
FILES_OF_ONE_HOST = {
    "molecule-inference": set(),
    "molecule-training": {
        UNITS + "system.slice.d" + DROP_IN, UNITS + "user.slice.d" + DROP_IN, UNITS + "init.scope.d" + DROP_IN,
        UNITS + "gpuwright.slice.d" + DROP_IN, UNITS + "slices.target.d" + DROP_IN,
        UNITS + "irqbalance.service.d" + DROP_IN,
        UNITS + "irqbalance.service.d/90-gpuwright-network-limits.conf",
        "/etc/gpuwright/cpu_isolation-irqbalance.service.env", "/etc/tmpfiles.d/90-gpuwright-cpu_isolation.conf",
        UNITS + "gpuwright-boot.service", UNITS + "gpuwright-device.service", UNITS + "gpuwright-device.timer",
        UNITS + "multi-user.target.d/90-gpuwright.conf", "/etc/udev/rules.d/90-gpuwright.rules",
        "/etc/network/if-up.d/90-gpuwright"},
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


@pytest.mark.parametrize("path", NCCL_FILES)
def test_nccl_has_its_environment_and_nothing_of_anybody_elses(host, path):
    assert host.check_output("grep -v -e '^#' -e '^$' " + path).splitlines() == NCCL
    assert oct(host.file(path).mode) == "0o644"


def test_the_volume_on_a_drive_and_the_service_have_theirs(host, name):
    if name == "molecule-training":
        drive = host.check_output("basename $(findmnt --noheadings --output SOURCE /models)")
        assert host.file("/sys/class/block/%s/queue/read_ahead_kb" % drive).content_string.strip() == "4096"
        main = "$(systemctl show --value --property=MainPID irqbalance)"
        limits = host.check_output("prlimit --noheadings --raw --output=SOFT,HARD --nofile --pid " + main)
        assert limits == "1048576 1048576"


def test_every_setting_is_ok_or_known_not_to_apply(name, answer):
    right = {step["name"] for step in answer["settings"] if step["status"] == "ok"}
    assert right == SETTINGS | SETTINGS_OF_ONE_HOST[name]
    others = {}
    for step in answer["settings"]:
        if step["status"] != "ok":
            assert step["status"] == "not_applicable"
            others.setdefault(step["reason"], set()).add(step["name"])
    assert others == {**NOT_APPLICABLE, **NOT_APPLICABLE_TO_ONE_HOST[name]}


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
