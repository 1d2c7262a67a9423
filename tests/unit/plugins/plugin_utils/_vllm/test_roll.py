# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of the roll: what shares a replica goes together, batches by serial, rounds that leave others serving."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import roll


def answer(*due, replicas=(), leaves=(), left=()):
    """A host's answer: replicas are {name: nodes}, what leaves is in no list any more."""
    instances = {name: {"state": "started", "several": None} for name in due if name not in leaves}
    for name, nodes in dict(replicas).items():
        instances[name] = {"state": "started", "several": {"nodes": nodes}}
    return {"due": list(due), "instances": instances, "open": list(left)}


def hosts_of(made):
    return [batch["hosts"] for batch in made["batches"]]


def names_of(made):
    return [[[(unit["name"], unit["hosts"]) for unit in some] for some in batch["rounds"]] for batch in made["batches"]]


def test_one_host_then_five_percent_then_a_quarter():
    answers = {"n%d" % number: answer("a") for number in range(100)}
    assert [len(hosts) for hosts in hosts_of(roll.make(list(answers), answers, [1, "5%", "25%"]))] == [
        1, 5, 25, 25, 25, 19]


def test_hosts_without_anything_due_take_no_part():
    answers = {"n1": answer(), "n2": answer("a"), "n3": answer()}
    made = roll.make(list(answers), answers, [1])
    assert hosts_of(made) == [["n2"]] and set(made["turns"]) == {"n2"}


def test_hosts_that_share_replicas_are_one_component_however_they_are_linked():
    answers = {"n1": answer("r", replicas={"r": ["n1", "n3"]}), "n2": answer("a"),
               "n3": answer("r", "s", replicas={"r": ["n1", "n3"], "s": ["n3", "n4"]}),
               "n4": answer("s", replicas={"s": ["n3", "n4"]})}
    made = roll.make(list(answers), answers, [1, 2])
    assert hosts_of(made) == [["n2"], ["n1", "n3", "n4"]]
    assert names_of(made)[1] == [[("r", ["n1", "n3"])], [("s", ["n3", "n4"])]]


def test_a_replica_of_which_one_node_is_due_takes_the_others_along():
    answers = {"n1": answer("r", replicas={"r": ["n1", "n2"]}), "n2": answer(replicas={"r": ["n1", "n2"]})}
    made = roll.make(list(answers), answers, [1])
    assert hosts_of(made) == [["n1", "n2"]]
    assert made["turns"]["n2"]["units"][0]["name"] == "r"


def test_a_replica_that_is_not_due_links_nobody():
    answers = {"n1": answer("a", replicas={"r": ["n1", "n2"]}), "n2": answer("a", replicas={"r": ["n1", "n2"]})}
    assert hosts_of(roll.make(list(answers), answers, [1])) == [["n1"], ["n2"]]


def test_the_first_batch_is_the_smallest_and_a_large_component_is_never_split():
    answers = {name: answer("r", replicas={"r": ["n1", "n2", "n3"]}) for name in ("n1", "n2", "n3")}
    answers["n4"] = answer("a")
    assert hosts_of(roll.make(list(answers), answers, [1, 2])) == [["n4"], ["n1", "n2", "n3"]]


def test_what_an_interrupted_run_left_comes_first():
    answers = {"n1": answer("a"), "n2": answer("a"), "n3": answer("a", left=["a"])}
    assert hosts_of(roll.make(list(answers), answers, [1])) == [["n3"], ["n1"], ["n2"]]


def test_a_node_restarts_one_instance_in_a_round_and_what_leaves_goes_first():
    answers = {"n1": answer("a", "b", "old", leaves=["old"]), "n2": answer("a")}
    made = roll.make(list(answers), answers, [2])
    assert names_of(made) == [[[("old", ["n1"]), ("a", ["n2"])], [("a", ["n1"])], [("b", ["n1"])]]]
    for some in made["batches"][0]["rounds"]:
        hosts = [host for unit in some for host in unit["hosts"]]
        assert len(hosts) == len(set(hosts))
    assert [unit["name"] for unit in made["turns"]["n1"]["units"]] == ["old", "a", "b"]


def test_instances_of_one_name_on_two_nodes_are_two_units():
    answers = {"n1": answer("a"), "n2": answer("a")}
    assert [unit["hosts"] for unit in roll.units(answers)] == [["n1"], ["n2"]]


@pytest.mark.parametrize("sizes", [[0], ["x"], [True], ["101%"], []])
def test_a_size_that_is_none_is_named(sizes):
    with pytest.raises(ValueError, match="vllm_service_serial"):
        roll.make(["n1"], {"n1": answer("a")}, sizes)
