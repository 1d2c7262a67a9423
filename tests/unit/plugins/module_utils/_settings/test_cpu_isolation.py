# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What role cpu_isolation withholds on a node, and that its rows belong together."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _result, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._rules import isolation, isolation_slices
from ansible_collections.gpuwright.node.plugins.module_utils._settings import cpu_isolation

from tests.sysroots import isolation_node, plain_node
from tests.sysroots.isolation_node import BOOT, SLICES, VLLM, process, unit, view
from tests.sysroots.systemd_node import Systemd

NAMES = [row.name for row in cpu_isolation.ROWS]
DIVIDING = set(isolation.SLICES + isolation.KERNEL_WORK)


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return isolation_node.build(tmp_path)


def withheld(root, mode, names=tuple(NAMES)):
    return cpu_isolation.withhold(view(root), {"cpu_isolation_mode": mode}, list(names))


def test_the_rules_know_the_rows():
    assert set(isolation.ALL) <= set(NAMES)
    arguments = {row.name for row in cpu_isolation.ROWS if row.kind == "kernel_argument"}
    assert arguments == set(isolation.BOOT) | {"skew_tick"}


def test_auto_withholds_all_that_divides_with_one_reason(root):
    process(root, 7, "slurmd", "/system.slice/slurmd.service")
    found = withheld(root, "auto")
    assert set(found) == DIVIDING
    assert len(set(found.values())) == 1
    assert "process 7 (slurmd) in /system.slice/slurmd.service" in found["gpuwright.slice/AllowedCPUs"]


def test_auto_withholds_nothing_where_the_evidence_is_there(root):
    unit(root, "vllm.service", VLLM + "\nSlice=gpuwright.slice")
    assert withheld(root, "auto") == {}


def test_auto_withholds_only_what_is_asked_for(root):
    assert set(withheld(root, "auto", ["system.slice/AllowedCPUs", "cpufreq/scaling_governor"])) == {
        "system.slice/AllowedCPUs"}
    assert withheld(root, "auto", ["cpufreq/scaling_governor", "affinity.json"]) == {}


@pytest.mark.parametrize("mode, values", [("slices", SLICES), ("partition", SLICES), ("boot", BOOT), ("none", {})])
def test_what_is_asked_for_in_so_many_words_is_not_withheld(root, mode, values):
    process(root, 7, "slurmd", "/system.slice/slurmd.service")
    assert withheld(root, mode, values) == {}


@pytest.mark.parametrize("mode", ["slices", "partition"])
@pytest.mark.parametrize("controllers", [None, "cpu io memory pids", "cpuset cpu"])
def test_where_slices_get_no_cpus_the_rest_of_the_division_goes_too(tmp_path, mode, controllers):
    """No cgroup v2; its cpuset controller with version 1, or off; a container without systemd."""
    root = isolation_node.build(tmp_path, **{"/sys/fs/cgroup/cgroup.controllers": controllers})
    if "cpuset" in (controllers or ""):
        (root / "run/systemd/system").rmdir()
    assert withheld(root, mode, SLICES) == dict.fromkeys(SLICES, isolation_slices.NO_CGROUP)


GOVERNOR = "/sys/devices/system/cpu/cpufreq/policy%d/scaling_%s"
FILES = {"/sys/devices/virtual/workqueue/cpumask": "ffff", "/proc/irq/default_smp_affinity": "ffff",
         **{GOVERNOR % (number, "governor"): "schedutil" for number in range(2)},
         **{GOVERNOR % (number, "available_governors"): "performance schedutil" for number in range(2)},
         **{"/sys/devices/system/cpu/cpu%d/power/pm_qos_resume_latency_us" % cpu: "0" for cpu in range(16)}}
VALUES = {name: value for name, value in SLICES.items() if name != "irqbalance.service/IRQBALANCE_BANNED_CPULIST"}
VALUES.update({"cpufreq/scaling_governor": "performance", "cpuidle/pm_qos_resume_latency_us": 50,
               "affinity.json": {"schema": 1, "gpus": {}}})


def plan(host, values, mode):
    asked = {"origins": {}, "take_over": [], "allow": [],
             "options": {"cpu_isolation_mode": mode, "cpu_isolation_partition": isolation_node.PARTITION}}
    return _plan.build(host, "cpu_isolation", cpu_isolation, values, asked)


def apply(root, mode, values=None):
    host = Systemd(str(root), read_only=False)
    return _apply.apply(functools.partial(plan, host, VALUES if values is None else values, mode), {"what": "test"})


def statuses(made):
    return {step["name"]: step["status"] for step in made.steps}


@pytest.mark.parametrize("mode", ["slices", "auto"])
def test_the_role_goes_round(tmp_path, mode):
    root = isolation_node.build(tmp_path, **FILES)
    unit(root, "vllm.service", VLLM + "\nSlice=gpuwright.slice")
    before = plain_node.snapshot(root)
    assert statuses(plan(Systemd(str(root)), VALUES, mode)) == dict.fromkeys(VALUES, "drift")
    made = apply(root, mode)
    assert _result.failures(made) == [] and [step for step in made.steps if not step["changed"]] == []
    again = apply(root, mode)
    assert not again.due and statuses(again) == dict.fromkeys(VALUES, "ok")
    host = Systemd(str(root), read_only=False)
    _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))
    after = plain_node.snapshot(root)
    assert {name: text for name, text in after.items() if before.get(name) != text} == {}


def test_auto_lets_go_when_somebody_would_be_squeezed(tmp_path):
    root = isolation_node.build(tmp_path, **FILES)
    unit(root, "vllm.service", VLLM + "\nSlice=gpuwright.slice")
    apply(root, "auto")
    process(root, 7, "dockerd", "/system.slice/docker.service")
    made = apply(root, "auto")
    assert _result.failures(made) == []
    assert (root / "sys/devices/virtual/workqueue/cpumask").read_text().strip() == "ffff"
    assert not list((root / "etc/systemd/system").glob("*.slice.d/*"))
    assert (root / (GOVERNOR % (0, "governor"))[1:]).read_text().strip() == "performance"
    reasons = [step["reason"] for step in made.steps if step["name"] == "system.slice/AllowedCPUs"]
    assert any("process 7 (dockerd)" in reason for reason in reasons)


def test_slices_that_would_squeeze_somebody_change_nothing_of_the_division(tmp_path):
    root = isolation_node.build(tmp_path, **FILES)
    process(root, 7, "dockerd", "/system.slice/docker.service")
    made = apply(root, "slices")
    divided = {name: status for name, status in statuses(made).items() if name in DIVIDING}
    assert divided == dict.fromkeys(divided, "refused")
    assert not list((root / "etc/systemd/system").glob("*.slice.d/*"))
    assert "is refused by squeezed" in " ".join(_result.failures(made))
