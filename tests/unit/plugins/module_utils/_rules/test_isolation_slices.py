# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on who is in which slice, and of what mode auto decides."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import isolation_slices as rules

from tests.sysroots import isolation_node
from tests.sysroots.isolation_node import (
    BOOT,
    CPU,
    PARTITION,
    PINNED,
    SLICES,
    VLLM,
    enable,
    found,
    gpu,
    process,
    unit,
    view,
)

SILENT = ({}, "")
OURS = "/gpuwright.slice/vllm.service"
IN_OURS = VLLM + "\nSlice=gpuwright.slice"


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return isolation_node.build(tmp_path)


@pytest.mark.parametrize("pid, comm, cgroup, holds", [
    (7, "slurmd", "/system.slice/slurmd.service", []),
    (8, "slurmstepd", "/system.slice/slurmstepd.scope/job_1/step_0/slurm", []),
    (9, "dockerd", "/system.slice/docker.service", []),
    (10, "containerd", "/system.slice/containerd.service", []),
    (11, "kubelet", "/system.slice/kubelet.service", []),
    (12, "python3", "/user.slice/user-1000.slice/session-3.scope", ["/dev/nvidia0"]),
    (13, "python3", "/system.slice/docker-0123.scope", ["/dev/kfd"]),
    (14, "worker", "/init.scope", ["/dev/nvidia3"]),
])
def test_slices_are_refused_while_somebody_would_be_squeezed(root, pid, comm, cgroup, holds):
    process(root, pid, comm, cgroup, *holds)
    findings, words = found(rules.squeezed, view(root, SLICES))
    assert findings == dict.fromkeys(SLICES, ("squeezed", "E"))
    assert "process %d (%s" % (pid, comm) in words and "in %s" % cgroup in words


@pytest.mark.parametrize("name, chosen, refused", [
    ("slurmd.service", None, True), ("docker.service", None, True), ("slurmd.service", "user-x.slice", True),
    ("slurmd.service", "gpuwright-jobs.slice", False), ("slurmd.service", "jobs.slice", False),
    ("ssh.service", None, False)])
def test_slices_are_refused_where_the_next_boot_would_squeeze_somebody(root, name, chosen, refused):
    """A node in maintenance: the batch system is stopped while the role runs, and starts afterwards."""
    enable(root, name)
    if chosen:
        unit(root, name + ".d/slice.conf", "[Service]\nSlice=" + chosen)
    findings, words = found(rules.squeezed, view(root, SLICES))
    assert findings == (dict.fromkeys(SLICES, ("squeezed", "E")) if refused else {})
    assert not refused or words.startswith(name + ", enabled")


def test_everybody_who_would_be_squeezed_is_named(root):
    process(root, 7, "slurmd", "/system.slice/slurmd.service")
    process(root, 12, "python3", "/user.slice/user-0.slice/session-1.scope", "/dev/nvidia0")
    _findings, words = found(rules.squeezed, view(root, SLICES))
    assert words.startswith("process 7 (slurmd) in /system.slice/slurmd.service, process 12 (python3, holds ")


@pytest.mark.parametrize("comm, cgroup, holds", [
    ("python3", OURS, ["/dev/nvidia0"]), ("sshd", "/system.slice/ssh.service", []),
    ("nvidia-persistenced", "/system.slice/nvidia-persistenced.service", ["/dev/nvidia0"]),
    ("python3", "/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope", ["/dev/nvidia0"])])
def test_nobody_is_squeezed_in_a_slice_that_is_not_restricted(root, comm, cgroup, holds):
    process(root, 20, comm, cgroup, *holds)
    assert found(rules.squeezed, view(root, SLICES)) == SILENT


@pytest.mark.parametrize("comm, cgroup, holds", [
    ("python3", "/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope", ["/dev/nvidia0"]),
    ("conmon", "/machine.slice/libpod-conmon-1.scope", []), ("python3", "/docker/0123", ["/dev/nvidia0"])])
def test_a_partition_takes_its_cpus_from_every_other_slice(root, comm, cgroup, holds):
    """As cgroup-v2.rst has it: they are no longer among the effective CPUs of any other group."""
    asked = dict(SLICES, **{"gpuwright.slice/cpuset.cpus.partition": "root"})
    process(root, 20, comm, cgroup, *holds)
    process(root, 21, "python3", OURS, "/dev/nvidia1")
    findings, words = found(rules.squeezed, view(root, asked))
    assert findings == dict.fromkeys(asked, ("squeezed", "E"))
    assert "process 20 (%s" % comm in words and "process 21" not in words


def test_only_the_slices_that_are_asked_for_count(root):
    process(root, 12, "python3", "/user.slice/user-0.slice/session-1.scope", "/dev/nvidia0")
    assert found(rules.squeezed, view(root, {"system.slice/AllowedCPUs": "0-1"})) == SILENT
    assert found(rules.squeezed, view(root, BOOT, **PINNED)) == SILENT


def test_storage_clients_and_stopped_services_are_warned_of(root):
    process(root, 30, "mmfsd", "/system.slice/gpfs.service")
    unit(root, "vllm.service", VLLM)
    unit(root, "vllm-2.service", VLLM + "\nSlice=system-vllm.slice")
    findings, words = found(rules.squeezed, view(root, SLICES))
    assert findings == {"system.slice/AllowedCPUs": ("squeezed", "W")}
    assert "vllm-2.service, in system-vllm.slice" in words
    assert "process 30 (mmfsd) in /system.slice/gpfs.service" in words and "vllm.service, in system.slice" in words


@pytest.mark.parametrize("mode, severity", [("slices", "E"), ("partition", "E"), ("boot", "E"), ("auto", "I")])
def test_a_partition_that_is_refused_is_said(root, mode, severity):
    refused = dict(PARTITION, workload="", refused="no core is left for work")
    (one,) = rules.partition_is_possible(view(root, cpu_isolation_mode=mode, cpu_isolation_partition=refused))
    assert (one["rule"], one["severity"], one["setting"]) == ("partition", severity, None)
    assert "no core is left for work" in one["message"]


def test_a_partition_that_nobody_needs_is_not(root):
    refused = dict(PARTITION, workload="", refused="no core is left for work")
    for values, options in (({}, {"cpu_isolation_mode": "none", "cpu_isolation_partition": refused}),
                            (SLICES, {"cpu_isolation_partition": refused}), ({}, {})):
        assert rules.partition_is_possible(view(root, values, **options)) == []


@pytest.mark.parametrize("flags, raises", [
    ("--numa-bind", True), ("--numa_bind -tp 8", True), ("--numa-bind=true", True),
    ("--numa-bind --numa-bind-nodes 0 1", False), ("--numa-bind --numa-bind-cpus 0-3", False),
    ("--numa-bind=False", False), ("--no-numa-bind", False), ("", False)])
def test_r3_numa_bind_in_our_slice(root, flags, raises):
    unit(root, "vllm.service", "[Service]\nExecStart=/usr/bin/vllm serve m %s\nSlice=gpuwright.slice" % flags)
    findings, words = found(rules.r3_numa_bind, view(root, SLICES))
    assert findings == (dict.fromkeys(SLICES, ("R3", "E")) if raises else {})
    assert words.endswith("--numa-bind-nodes (vllm.service)") is raises


def test_r3_numa_bind_of_a_running_process(root):
    process(root, 40, "VLLM::APIServer", OURS, command="vllm serve m --numa-bind")
    assert "process 40 (VLLM::APIServer)" in found(rules.r3_numa_bind, view(root, SLICES))[1]
    assert found(rules.r3_numa_bind, view(root, BOOT, **PINNED))[0]["isolcpus"] == ("R3", "E")


@pytest.mark.parametrize("line, words", [("CPUAffinity=0-7", "CPUAffinity"), ("AllowedCPUs=0-7", "AllowedCPUs")])
def test_r3_what_others_set_is_warned_of(root, line, words):
    unit(root, "vllm.service", "[Service]\nExecStart=/usr/bin/vllm serve m --numa-bind")
    assert found(rules.r3_numa_bind, view(root)) == SILENT
    unit(root, "vllm.service.d/cpus.conf", "[Service]\n" + line)
    (one,) = rules.r3_numa_bind(view(root))
    assert (one["rule"], one["severity"], one["setting"]) == ("R3", "W", None)
    assert "vllm.service (%s)" % words in one["message"]


def test_r5_every_gpu_has_cpus_near_it(root):
    gpu(root, "0000:17:00.0", "0-3,8-11")
    gpu(root, "0000:ca:00.0", "4-7,12-15")
    assert found(rules.r5_gpus_own_cpus, view(root, SLICES)) == SILENT
    one_node = dict(SLICES, **{"gpuwright.slice/AllowedCPUs": "2-3,10-11"})
    findings, words = found(rules.r5_gpus_own_cpus, view(root, one_node))
    assert findings == dict.fromkeys(one_node, ("R5", "E"))
    assert words == "gpuwright.slice would get CPU 2-3,10-11, none of them near GPU 0000:ca:00.0 (4-7,12-15)"


def test_r5_a_screen_of_the_management_controller_is_no_gpu(root):
    gpu(root, "0000:ca:00.0", "4-7,12-15")
    isolation_node.plain_node.put(root, "/sys/bus/pci/devices/0000:ca:00.0/vendor", "0x1a03")
    assert found(rules.r5_gpus_own_cpus, view(root, {"gpuwright.slice/AllowedCPUs": "2-3"})) == SILENT


def test_auto_restricts_where_everybody_is_in_our_slice(root):
    unit(root, "vllm.service", IN_OURS)
    assert rules.why_not(view(root)) is None
    process(root, 50, "VLLM::Worker_TP0", OURS, "/dev/nvidia0")
    process(root, 51, "nvidia-persistenced", "/system.slice/nvidia-persistenced.service", "/dev/nvidia0")
    process(root, 52, "sshd", "/system.slice/ssh.service")
    assert rules.why_not(view(root)) is None


def test_auto_takes_a_running_process_for_evidence(root):
    process(root, 50, "python3", OURS, "/dev/nvidia0")
    assert rules.why_not(view(root)) is None


def test_auto_does_nothing_for_nobody(root):
    assert "no service is in gpuwright.slice yet" in rules.why_not(view(root))


@pytest.mark.parametrize("comm, cgroup, holds", [
    ("slurmstepd", "/system.slice/slurmstepd.scope/job_1", []), ("dockerd", "/system.slice/docker.service", []),
    ("containerd-shim", "/system.slice/containerd.service", []), ("k3s-server", "/system.slice/k3s.service", []),
    ("crio", "/system.slice/crio.service", []), ("conmon", "/user.slice/user-1.slice/x.scope", []),
    ("python3", "/user.slice/user-1000.slice/session-3.scope", ["/dev/nvidia0"]),
    ("python3", "/kubepods.slice/x.scope", ["/dev/dri/renderD128"]),
    ("mmfsd", "/system.slice/gpfs.service", []), ("wekanode", "/system.slice/weka.service", [])])
def test_auto_names_who_would_be_squeezed(root, comm, cgroup, holds):
    unit(root, "vllm.service", IN_OURS)
    process(root, 60, comm, cgroup, *holds)
    words = rules.why_not(view(root))
    assert "process 60 (%s" % comm in words and cgroup in words and "squeezed" in words


@pytest.mark.parametrize("name", ["slurmd.service", "docker.service", "kubelet.service", "containerd.service",
                                  "crio.service", "k3s-agent.service"])
def test_auto_thinks_of_what_the_next_boot_starts(root, name):
    unit(root, "vllm.service", IN_OURS)
    enable(root, name)
    assert rules.why_not(view(root)).startswith(name + " is enabled")


@pytest.mark.parametrize("line, words", [
    ("10.0.0.1@o2ib:/fs /lustre lustre rw 0 0", "Lustre at /lustre"), ("gpfs0 /gpfs gpfs rw 0 0", "GPFS at /gpfs"),
    ("default /weka wekafs rw 0 0", "WEKA at /weka")])
def test_auto_thinks_of_storage_in_the_kernel(tmp_path, line, words):
    root = isolation_node.build(tmp_path, **{"/proc/mounts": "proc /proc proc rw 0 0\n" + line})
    unit(root, "vllm.service", IN_OURS)
    assert words in rules.why_not(view(root))


def test_auto_thinks_of_services_that_are_stopped(root):
    unit(root, "vllm.service", IN_OURS)
    unit(root, "train.service", "[Service]\nExecStart=/usr/bin/torchrun train.py")
    assert rules.why_not(view(root)).startswith("train.service (system.slice) would be squeezed")


def test_auto_does_not_break_vllms_own_binding(root):
    unit(root, "vllm.service", "[Service]\nExecStart=/usr/bin/vllm serve m --numa-bind\nSlice=gpuwright.slice")
    assert "(R3)" in rules.why_not(view(root))


def test_auto_does_not_build_on_isolated_cpus(tmp_path):
    root = isolation_node.build(tmp_path, **{CPU + "isolated": "2-3"})
    unit(root, "vllm.service", IN_OURS)
    assert "isolates CPU 2-3" in rules.why_not(view(root))


def test_auto_needs_cgroup_v2(tmp_path):
    root = isolation_node.build(tmp_path, **{"/sys/fs/cgroup/cgroup.controllers": None})
    unit(root, "vllm.service", IN_OURS)
    assert rules.why_not(view(root)) == rules.NO_CGROUP


def test_auto_restricts_nothing_where_it_cannot_look(root):
    unit(root, "vllm.service", IN_OURS)
    seen = view(root)
    seen.consumers()["complete"] = False
    assert "without root" in rules.why_not(seen)


def test_auto_does_not_take_back_what_root_found_right_for_want_of_root(root):
    unit(root, "vllm.service", IN_OURS)
    seen = view(root)
    seen.consumers()["complete"] = False
    seen._journal["entries"]["x"] = {"name": "gpuwright.slice/AllowedCPUs"}
    assert rules.why_not(seen) is None
    enable(root, "docker.service")
    seen = view(root)
    seen.consumers()["complete"] = False
    seen._journal["entries"]["x"] = {"name": "gpuwright.slice/AllowedCPUs"}
    assert "docker.service" in rules.why_not(seen)


@pytest.mark.parametrize("cpus, warned", [(SLICES["gpuwright.slice/AllowedCPUs"], False), ("2,6-7,10,14-15", True)])
def test_launchers_are_not_told_of_cpus_that_are_not_the_workloads(root, cpus, warned):
    values = dict(SLICES, **{"gpuwright.slice/AllowedCPUs": cpus, "affinity.json": {"gpus": {}}})
    findings, words = found(rules.launchers_are_told_right, view(root, values))
    assert findings == ({"affinity.json": ("affinity", "W")} if warned else {})
    assert ("CPU 3,11" in words) is warned
