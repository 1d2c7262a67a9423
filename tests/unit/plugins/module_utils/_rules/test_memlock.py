# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of R15: services that limit what their jobs may lock, and jobs that were started under a limit."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import memlock as rules

from tests.sysroots import plain_node, roce_node
from tests.sysroots.plain_node import put
from tests.sysroots.roce_node import job, messages, step, view

SLURMD = "/usr/lib/systemd/system/slurmd.service"


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return roce_node.build(tmp_path)


def raised(unit, status="drift"):
    return dict(step("LimitMEMLOCK", unit, "8388608", "infinity", status), target=unit + "/LimitMEMLOCK")


@pytest.mark.parametrize("given, limited", [
    ("LimitMEMLOCK=65536", True), ("LimitMEMLOCK=8M", True), ("LimitMEMLOCK=infinity", False), ("", False)])
def test_a_service_that_limits_its_jobs(root, given, limited):
    put(root, SLURMD, "[Service]\nExecStart=/usr/sbin/slurmd\n" + given)
    found = messages(rules.r15_services(view(root, [raised("docker.service")])), "R15")
    assert [severity for severity, _message in found] == (["E"] if limited else [])
    assert all("slurmd.service has " in text and "rdma_roce_memlock: infinity" in text for _one, text in found)


def test_a_limit_that_is_not_managed_is_a_warning(root):
    put(root, SLURMD, "[Service]\nLimitMEMLOCK=65536")
    assert [one["severity"] for one in rules.r15_services(view(root))] == ["W"]


def test_what_this_plan_raises_is_no_error(root):
    put(root, SLURMD, "[Service]\nLimitMEMLOCK=65536")
    assert rules.r15_services(view(root, [raised("slurmd.service")])) == []
    assert rules.r15_services(view(root, [raised("slurmd.service", "refused")])) != []


def test_a_node_without_rdma_may_limit(tmp_path):
    root = plain_node.build(tmp_path)
    put(root, SLURMD, "[Service]\nLimitMEMLOCK=65536")
    assert rules.r15_services(view(root)) == []


def test_a_job_that_cannot_lock(root):
    job(root, 70, locked="8388608", cgroup="/system.slice/vllm.service")
    (severity, message), = messages(rules.r15_jobs(view(root)), "R15")
    assert severity == "E" and message.startswith("process 70 (python3) may lock 8388608 of memory: registering more")
    assert "add vllm.service to rdma_roce_services, or give the container --ulimit memlock=-1" in message


@pytest.mark.parametrize("cgroup, unit", [
    ("/system.slice/docker-0af3.scope", "docker.service"), ("/system.slice/slurmstepd.scope/job_1", "slurmd.service"),
    ("/kubepods.slice/kubepods-pod1.slice/cri-containerd-7.scope", "containerd.service"),
    ("/system.slice/vllm.service", "vllm.service")])
def test_a_job_of_a_service_that_is_put_right_has_to_be_started_anew(root, cgroup, unit):
    job(root, 70, locked="65536", cgroup=cgroup)
    (severity, message), = messages(rules.r15_jobs(view(root, [raised(unit)])), "R15")
    assert severity == "W" and message.endswith("start it anew")


def test_logins_have_their_own_limit(root):
    job(root, 70, locked="65536")
    assert [one["severity"] for one in rules.r15_jobs(view(root))] == ["E"]
    logins = dict(step("memlock", "memlock", "65536", "infinity", "drift"), _fields={})
    assert [one["severity"] for one in rules.r15_jobs(view(root, [logins]))] == ["W"]


@pytest.mark.parametrize("holds, locked, capabilities", [
    ("/dev/nvidia0", "65536", "0"), ("/dev/infiniband/uverbs0", "unlimited", "0"),
    ("/dev/infiniband/uverbs0", "65536", "000001ffffffffff")])
def test_who_needs_no_limit(root, holds, locked, capabilities):
    job(root, 70, holds=holds, locked=locked)
    put(root, "/proc/70/status", "Name:\tpython3\nCapEff:\t" + capabilities)
    assert rules.r15_jobs(view(root)) == []
