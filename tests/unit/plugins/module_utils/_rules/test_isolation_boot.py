# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on kernel arguments that isolate CPUs."""

from __future__ import annotations

import zlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import isolation_boot as rules

from tests.sysroots import isolation_node
from tests.sysroots.isolation_node import BOOT, CPU, PINNED, SLICES, VLLM, WORKLOAD, found, process, unit, view

SILENT = ({}, "")
SYSTEM = "/system.slice/vllm.service"
ALL = [getattr(rules, name) for name in (
    "threads_are_pinned", "one_way_only", "r1_servers_inside", "r1_slice_inside", "r1_running", "r2_kernel_conditions")]


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return isolation_node.build(tmp_path)


@pytest.mark.parametrize("rule", ALL)
def test_pinned_threads_on_a_kernel_that_can_are_let_through(root, rule):
    process(root, 70, "python3", "/system.slice/train.service", "/dev/nvidia0", command="python3 train.py")
    assert found(rule, view(root, BOOT, **PINNED)) == SILENT
    assert found(rule, view(root, SLICES)) == SILENT


def test_isolation_at_boot_needs_somebodys_word_that_threads_are_pinned(root):
    findings, words = found(rules.threads_are_pinned, view(root, BOOT, cpu_isolation_mode="boot"))
    assert findings == dict.fromkeys(BOOT, ("threads-pinned", "E"))
    assert "cpu_isolation_threads_pinned" in words and "slices" in words


def test_the_argument_counts_whatever_the_mode(root):
    findings, _words = found(rules.threads_are_pinned, view(root, {"isolcpus": "2-3"}, cpu_isolation_mode="none"))
    assert findings == {"isolcpus": ("threads-pinned", "E")}


def test_boot_and_slices_exclude_each_other(root):
    both = dict(SLICES, **BOOT)
    findings, words = found(rules.one_way_only, view(root, both, **PINNED))
    assert findings == dict.fromkeys(both, ("two-ways", "E"))
    assert "choose one cpu_isolation_mode" in words


@pytest.mark.parametrize("comm, command", [
    ("VLLM::EngineCor", None), ("vllm", None), ("python3", "python3 -m vllm.entrypoints.openai.api_server"),
    ("python3", "python3 -m sglang.launch_server")])
def test_r1_refuses_boot_where_a_server_runs(root, comm, command):
    process(root, 4242, comm, "/user.slice/user-0.slice/session-1.scope", command=command)
    findings, words = found(rules.r1_servers_inside, view(root, BOOT, **PINNED))
    assert findings == dict.fromkeys(BOOT, ("R1", "E"))
    assert words.startswith("process 4242 (%s): many threads" % comm)


@pytest.mark.parametrize("name, text", [
    ("vllm.service", VLLM), ("vllm@.service", VLLM), ("llm.service", VLLM),
    ("box.service", "[Service]\nExecStart=/usr/bin/docker run --gpus all example/image"),
    ("box.service", "[Service]\nExecStart=/usr/bin/podman run --device \\\n  nvidia.com/gpu=all example/image")])
def test_r1_refuses_boot_where_a_server_is_installed(root, name, text):
    unit(root, name, text)
    findings, words = found(rules.r1_servers_inside, view(root, BOOT, **PINNED))
    assert findings["isolcpus"] == ("R1", "E")
    assert words.startswith(name + ":")


def test_r1_does_not_mind_servers_without_isolation(root):
    unit(root, "vllm.service", VLLM)
    process(root, 4242, "vllm", SYSTEM)
    assert found(rules.r1_servers_inside, view(root, SLICES)) == SILENT


def test_r1_a_slice_gets_no_cpus_that_the_kernel_isolates(tmp_path):
    root = isolation_node.build(tmp_path, **{CPU + "isolated": "2-3,10-11"})
    findings, words = found(rules.r1_slice_inside, view(root, SLICES))
    assert findings == dict.fromkeys(SLICES, ("R1", "E"))
    assert "the running kernel isolates CPU 2-3,10-11" in words


def collapsed(tmp_path, threads, isolated, comm="python3", command="python3 train.py"):
    root = isolation_node.build(tmp_path, **{CPU + "isolated": isolated})
    process(root, 4242, comm, "/system.slice/x.service", "/dev/nvidia0", command=command, threads=threads)
    return root


def test_r1_sees_threads_that_share_an_isolated_cpu(tmp_path):
    root = collapsed(tmp_path, [2] * 40, WORKLOAD)
    assert found(rules.r1_running, view(root)) == (
        {"isolcpus": ("R1", "E")}, "40 threads of process 4242 (python3) share CPU 2")
    assert found(rules.r1_running, view(root, cpu_isolation_mode="none"))[0] == {"isolcpus": ("R1", "W")}


@pytest.mark.parametrize("threads, isolated", [
    ([2, 3] * 20, WORKLOAD), ([0] * 40, WORKLOAD), ([2] * 4, WORKLOAD), ([2] * 40, ""), ([2] * 40, "(null)")])
def test_r1_lets_threads_be_that_do_not(tmp_path, threads, isolated):
    assert found(rules.r1_running, view(collapsed(tmp_path, threads, isolated))) == SILENT


def test_r1_sees_a_server_that_may_run_on_isolated_cpus(tmp_path):
    root = collapsed(tmp_path, [0, 1, 0], "2-3", comm="VLLM::Worker_TP0", command=None)
    isolation_node.plain_node.put(root, "/proc/4242/status", "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7")
    findings, words = found(rules.r1_running, view(root))
    assert findings == {"isolcpus": ("R1", "E")}
    assert "may run on the isolated CPUs 2-3" in words
    isolation_node.plain_node.put(root, "/proc/4242/status", "Cpus_allowed_list:\t0-1,4-7")
    assert found(rules.r1_running, view(root)) == SILENT


@pytest.mark.parametrize("argument, refused", [
    ("managed_irq," + WORKLOAD, True), ("nohz," + WORKLOAD, True), ("nohz,managed_irq," + WORKLOAD, True),
    ("domain,managed_irq," + WORKLOAD, False), (WORKLOAD, False)])
def test_r2_flags_need_domain(root, argument, refused):
    findings, words = found(rules.r2_kernel_conditions, view(root, dict(BOOT, isolcpus=argument), **PINNED))
    assert findings == (dict.fromkeys(BOOT, ("R2", "E")) if refused else {})
    assert ("`domain` must be one of them" in words) is refused


def test_r2_both_arguments_name_the_same_cpus(root):
    findings, words = found(rules.r2_kernel_conditions, view(root, dict(BOOT, nohz_full="2-3"), **PINNED))
    assert findings == dict.fromkeys(BOOT, ("R2", "E"))
    assert words == "nohz_full (2-3) and isolcpus (%s) name different CPUs" % WORKLOAD
    alone = {name: BOOT[name] for name in ("isolcpus", "irqaffinity")}
    assert found(rules.r2_kernel_conditions, view(root, alone, **PINNED)) == SILENT


RELEASE = {"/proc/sys/kernel/osrelease": "6.1.0-test", CPU + "nohz_full": None}


@pytest.mark.parametrize("files, refused", [
    ({CPU + "nohz_full": "(null)"}, False),
    (RELEASE, True),
    (dict(RELEASE, **{"/boot/config-6.1.0-test": "CONFIG_NO_HZ=y\nCONFIG_NO_HZ_FULL=y"}), False),
    (dict(RELEASE, **{"/boot/config-6.1.0-test": "CONFIG_NO_HZ=y\n# CONFIG_NO_HZ_FULL is not set"}), True),
    (dict(RELEASE, **{CPU + "isolated": None}), False),
])
def test_r2_nohz_full_needs_a_kernel_that_can(tmp_path, files, refused):
    root = isolation_node.build(tmp_path, **files)
    findings, words = found(rules.r2_kernel_conditions, view(root, BOOT, **PINNED))
    assert findings == ({"nohz_full": ("R2", "E")} if refused else {})
    assert ("CONFIG_NO_HZ_FULL" in words) is refused


def test_r2_the_kernels_own_configuration_is_read(tmp_path):
    root = isolation_node.build(tmp_path, **RELEASE)
    packer = zlib.compressobj(wbits=31)
    (root / "proc/config.gz").write_bytes(packer.compress(b"CONFIG_NO_HZ_FULL=y\n") + packer.flush())
    assert found(rules.r2_kernel_conditions, view(root, BOOT, **PINNED)) == SILENT
    (root / "proc/config.gz").write_bytes(b"no archive")
    assert found(rules.r2_kernel_conditions, view(root, BOOT, **PINNED))[0] == {"nohz_full": ("R2", "E")}


def test_rcu_nocbs_beside_nohz_full_is_said_to_be_too_much(root):
    assert found(rules.rcu_is_offloaded_already, view(root, BOOT, **PINNED))[0] == {"rcu_nocbs": ("rcu-nocbs", "I")}
    without = {name: value for name, value in BOOT.items() if name != "nohz_full"}
    assert found(rules.rcu_is_offloaded_already, view(root, without, **PINNED)) == SILENT
    assert found(rules.rcu_is_offloaded_already, view(root, dict(BOOT, rcu_nocbs="1-15"), **PINNED)) == SILENT
