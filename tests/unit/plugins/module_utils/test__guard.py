# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what stops a change: rules between settings, and jobs that a change could hurt."""

from __future__ import annotations

import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result
from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import sysctl as sysctl_kind
from ansible_collections.gpuwright.node.plugins.module_utils._row import sysctl
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int

from tests.sysroots import plain_node
from tests.sysroots.engine import apply, plan, roll_back, statuses, steps

# Role network will bring rows that may stall traffic; until then this one stands in for them.
LINK = types.SimpleNamespace(RULES=(), OPTIONS=(), ROWS=(
    sysctl("vm.swappiness", Int(0, 200), variable="vm_swappiness", doc="Stand-in for a row that may drop traffic.",
           source="https://example.org/", disruption="link"),
    sysctl("kernel.panic", Int(), variable="vm_kernel_panic", doc="One that may not.", source="https://example.org/")))
BOTH = {"vm.swappiness": 10, "kernel.panic": 10}


def test_a_link_row_is_refused_while_a_process_holds_a_gpu_and_the_rest_goes_on(tmp_path):
    root = plain_node.build(tmp_path)
    plain_node.process(root, 4242, "python3", "/dev/nvidia0", "/dev/nvidiactl")
    made = apply(root, "vm", BOTH, catalogue=LINK)
    step = steps(made)["vm.swappiness"]
    assert step["status"] == "refused"
    assert step["reason"] == ("a job is running: process 4242 (python3) holds /dev/nvidia0; "
                              "gpuwright_allow: [link] lets it through")
    assert (root / "proc/sys/vm/swappiness").read_text() == "60\n"
    assert (root / "proc/sys/kernel/panic").read_text() == "10\n"
    assert "vm.swappiness" not in (root / "etc/sysctl.d/90-gpuwright-vm.conf").read_text()
    assert _result.failures(made) == [], "a busy node is no failure of the run"


def test_a_link_row_goes_through_when_allowed(tmp_path):
    root = plain_node.build(tmp_path)
    plain_node.process(root, 4242, "python3", "/dev/nvidia0")
    apply(root, "vm", BOTH, catalogue=LINK, allow=["link"])
    assert (root / "proc/sys/vm/swappiness").read_text() == "10\n"


@pytest.mark.parametrize("comm, held", [("python3", "/dev/infiniband/uverbs0"), ("slurmstepd", "/dev/null")])
def test_rdma_users_and_slurm_steps_are_jobs_too(tmp_path, comm, held):
    root = plain_node.build(tmp_path)
    plain_node.process(root, 4242, comm, held)
    assert steps(plan(root, "vm", BOTH, catalogue=LINK))["vm.swappiness"]["status"] == "refused"


def test_a_daemon_that_always_holds_the_gpus_is_no_job(tmp_path):
    root = plain_node.build(tmp_path)
    plain_node.process(root, 900, "nvidia-persiste", "/dev/nvidia0")
    plain_node.put(root, "/proc/900/cmdline", "/usr/bin/nvidia-persistenced\0--user\0nvpd")
    assert steps(plan(root, "vm", BOTH, catalogue=LINK))["vm.swappiness"]["status"] == "drift"


def test_an_idle_node_refuses_nothing(tmp_path):
    assert steps(plan(plain_node.build(tmp_path), "vm", BOTH, catalogue=LINK))["vm.swappiness"]["status"] == "drift"


def test_a_refused_rule_fails_the_apply_and_leaves_the_setting(tmp_path):
    root = plain_node.build(tmp_path)
    made = apply(root, "vm", {"vm.panic_on_oom": 1, "vm.swappiness": 10})
    assert steps(made)["vm.panic_on_oom"]["status"] == "refused"
    assert [line.split(":")[0] for line in _result.failures(made)] == ["vm.panic_on_oom is refused by R16"] * 2
    assert (root / "proc/sys/vm/panic_on_oom").read_text() == "0\n"
    assert (root / "proc/sys/vm/swappiness").read_text() == "10\n"


def test_a_rule_sees_the_values_as_they_will_be(tmp_path):
    made = plan(plain_node.build(tmp_path), "vm", {"vm.panic_on_oom": 1, "kernel.panic": 10},
                options={"vm_panic_on_oom_attested": True})
    assert steps(made)["vm.panic_on_oom"]["status"] == "drift"
    assert [(found["rule"], found["severity"]) for found in made.findings] == [("R16", "W")]


@pytest.mark.parametrize("value", ["false", "no", "0", False])
def test_an_option_written_as_text_means_what_it_says(tmp_path, value):
    asked = {"vm.panic_on_oom": 1, "kernel.panic": 10}
    made = plan(plain_node.build(tmp_path), "vm", asked, options={"vm_panic_on_oom_attested": value})
    assert steps(made)["vm.panic_on_oom"]["status"] == "refused"


@pytest.mark.parametrize("options, words", [
    ({"vm_panic_on_oom_attested": "maybe"}, "'maybe' is neither true nor false"),
    ({"vm_attested": True}, "vm_attested is no option of this role"),
])
def test_a_bad_option_is_an_error(tmp_path, options, words):
    with pytest.raises(BadInput, match=words):
        plan(plain_node.build(tmp_path), "vm", {}, options=options)


def test_the_way_back_up_is_not_given_back_while_panic_on_oom_needs_it(tmp_path):
    root = plain_node.build(tmp_path)
    options = {"vm_panic_on_oom_attested": True}
    apply(root, "vm", {"vm.panic_on_oom": 1, "kernel.panic": 10}, options=options)
    made = apply(root, "vm", {"vm.panic_on_oom": 1}, options=options)
    assert statuses(made) == {"vm.panic_on_oom": "ok", "kernel.panic": "refused"}
    assert any("kernel.panic is refused by R16" in said for said in _result.failures(made))
    assert (root / "proc/sys/kernel/panic").read_text() == "10\n"
    assert "kernel.panic = 10" in (root / "etc/sysctl.d/90-gpuwright-vm.conf").read_text()
    apply(root, "vm", {}, options=options)
    assert (root / "proc/sys/kernel/panic").read_text().strip() == "0"


def test_a_job_keeps_a_link_row_from_being_given_back_too(tmp_path):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    apply(root, "vm", BOTH, catalogue=LINK)
    plain_node.process(root, 4242, "python3", "/dev/nvidia0")
    made = apply(root, "vm", {"kernel.panic": 11}, catalogue=LINK)
    assert statuses(made)["vm.swappiness"] == "refused"
    assert "vm.swappiness = 10" in (root / "etc/sysctl.d/90-gpuwright-vm.conf").read_text()
    given = roll_back(root)
    assert [said.split(":")[0] for said in given.errors] == ["kernel.panic", "vm.swappiness"]
    assert (root / "proc/sys/vm/swappiness").read_text().strip() == "10"
    assert roll_back(root, allow=["link"]).errors == []
    now = {path: what for path, what in plain_node.snapshot(root).items() if not path.startswith("/proc/4242")}
    assert now == before


UNVERIFIED = types.SimpleNamespace(RULES=(), OPTIONS=({"name": "vm_apply", "type": "bool", "doc": "x"},),
                                   ROWS=LINK.ROWS[1:])


@pytest.fixture
def untried(monkeypatch):
    """Kind sysctl as if it were a way that was never tried on the real thing."""
    monkeypatch.setattr(sysctl_kind, "unverified", lambda host: "never tried on a real NIC", raising=False)


def test_what_was_never_tried_is_checked_only_and_marked(tmp_path, untried):
    step = steps(apply(plain_node.build(tmp_path), "vm", {"kernel.panic": 10}, catalogue=UNVERIFIED))["kernel.panic"]
    assert (step["status"], step["unverified"]) == ("refused", "never tried on a real NIC")
    assert step["reason"] == "never tried on a real NIC; vm_apply: true lets it through"
    nameless = types.SimpleNamespace(RULES=(), OPTIONS=(), ROWS=UNVERIFIED.ROWS)
    step = steps(plan(tmp_path, "vm", {"kernel.panic": 10}, catalogue=nameless))["kernel.panic"]
    assert step["reason"].endswith("; gpuwright_allow: [unverified] lets it through")
    assert (tmp_path / "proc/sys/kernel/panic").read_text() == "0\n"


@pytest.mark.parametrize("request_of_it", [{"allow": ["unverified"]}, {"options": {"vm_apply": True}}])
def test_a_word_of_the_operator_lets_it_through(tmp_path, untried, request_of_it):
    made = apply(plain_node.build(tmp_path), "vm", {"kernel.panic": 10}, catalogue=UNVERIFIED, **request_of_it)
    assert statuses(made) == {"kernel.panic": "drift"} and steps(made)["kernel.panic"]["unverified"]
    assert (tmp_path / "proc/sys/kernel/panic").read_text() == "10\n"


def test_a_rollback_of_what_lasts_asks_again_but_what_a_boot_would_undo_just_comes_back(tmp_path, untried,
                                                                                       monkeypatch):
    root = plain_node.build(tmp_path)
    apply(root, "vm", {"kernel.panic": 10}, catalogue=UNVERIFIED, allow=["unverified"])
    assert statuses(roll_back(root)) == {"kernel.panic": "refused"}
    monkeypatch.setattr(sysctl_kind, "VOLATILE", True)
    roll_back(root)
    assert (root / "proc/sys/kernel/panic").read_text() == "0\n"
