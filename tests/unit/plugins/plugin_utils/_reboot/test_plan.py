# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned of nodes that wait, were left by an earlier run, or go along; and who counts as failed."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import plan

WAITS = {"role": "test", "name": "isolcpus", "target": "isolcpus", "running": "", "desired": "4-7"}
OTHER = dict(WAITS, desired="2-7")
WISHES = {"serial": [1, "5%", "25%"], "budget": 0, "per_rack": 1}
LEFT = {"open": True, "phase": "failed", "before": {"boot_id": "one", "pending": [WAITS]}}


def node(host, waits=(WAITS,), boot_id="one", state=None, schedulers=(), **variables):
    answer = {"pending": list(waits), "reboot_required": bool(waits), "boot_id": boot_id, "jobs": [],
              "schedulers": list(schedulers), "distribution": None}
    return {"host": host, "answer": answer, "state": state or {}, "variables": dict(
        {"rack": None, "nvlink_domain": None, "drain": "none", "drain_tasks": None, "undrain_tasks": None,
         "allow": [], "local": False}, **variables)}


def parts(*nodes):
    made = plan.make(list(nodes), WISHES)
    return {host: entry["part"] for host, entry in made["nodes"].items()}


@pytest.mark.parametrize(("left", "part"), [
    (node("a", state=LEFT), "reboot"),
    (node("a", boot_id="two", waits=(), state=LEFT), "look"),
    (node("a", boot_id="two", state=LEFT), "look"),
    (node("a", boot_id="two", waits=(OTHER,), state=LEFT), "reboot"),
    (node("a", waits=(), state=LEFT), "look"),
    (node("a", state={"open": True, "phase": "draining"}), "reboot"),
    (node("a", boot_id="two", state=dict(LEFT, open=False, phase="done")), "reboot")])
def test_what_an_earlier_run_left_is_taken_up_where_it_ended(left, part):
    assert parts(left) == {"a": part}


def test_a_node_on_which_nothing_waits_is_skipped():
    made = plan.make([node("a", waits=()), node("b")], WISHES)
    assert (made["batches"], made["skipped"]) == ([["b"]], ["a"])
    assert made["nodes"]["b"]["why"] == "isolcpus: (none) -> 4-7"


def test_members_of_a_domain_go_along_only_where_one_goes_down():
    assert parts(node("a", nvlink_domain="x"), node("b", waits=(), nvlink_domain="x"),
                 node("c", waits=(), nvlink_domain="y")) == {"a": "reboot", "b": "along"}
    looked_at = node("a", waits=(), boot_id="two", state=LEFT, nvlink_domain="x")
    assert parts(looked_at, node("b", waits=(), nvlink_domain="x")) == {"a": "look"}


def test_refusals_name_the_node_and_the_way_out():
    made = plan.make([node("a", schedulers=["kubelet", "slurmd"]), node("b", schedulers=["slurmd"], drain="slurm"),
                      node("c", local=True), node("d", waits=(), schedulers=["slurmd"])], WISHES)
    assert [said.partition(":")[0] for said in made["refused"]] == ["a", "c"]
    assert "kubelet and slurmd runs there" in made["refused"][0]


def made_of(budget=0, **batches):
    entries = {host: {"batch": number, "unit": unit} for host, (number, unit) in batches.items()}
    return {"nodes": entries, "lost": [], "budget": budget}


def test_what_is_not_known_to_be_well_has_failed():
    made = made_of(a=(1, ["a"]), b=(1, ["b"]), c=(2, ["c"]), d=(3, ["d"]))
    states = {"a": {"phase": "done"}, "b": {"phase": "rebooting"}, "c": {}, "d": {"phase": "planned"}}
    assert plan.failed(made, states, 0) == []
    assert plan.failed(made, states, 1) == ["b"]
    assert plan.failed(dict(made, lost=["z"]), states, 2) == ["z", "b", "c"]
    assert plan.failed(made, {"a": {"phase": "held"}, "b": {"phase": "ready"}}, 1, now=("ready",)) == []


def test_a_domain_is_held_where_a_member_failed_and_all_are_where_the_budget_is_used_up():
    made = made_of(budget=1, a=(1, ["a", "b"]), b=(1, ["a", "b"]), c=(1, ["c"]))
    states = {"a": {"phase": "ready"}, "b": {"phase": "draining"}, "c": {"phase": "ready"}}
    assert plan.held(made, states, 1, ["a", "c"]) == {"a": "not rebooted: b of its nvlink_domain failed"}
    assert set(plan.held(dict(made, budget=0), states, 1, ["a", "c"])) == {"a", "c"}
    states["b"]["phase"] = "looking"
    assert plan.held(made, states, 1, ["a", "c"]) == {}


def test_many_names_are_counted_not_listed():
    said = plan.exhausted({"budget": 3}, ["n%d" % number for number in range(30)])
    assert said.startswith("30 nodes failed (n0, ") and "n10" not in said
