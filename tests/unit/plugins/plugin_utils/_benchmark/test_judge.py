# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts on what was measured with planted faults, siblings, and whom the pairs blame."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import judge

FAULTY = {"wrong": ("fail", "wrong values"), "truncated": ("not_measured", "before the footer"),
          "crash": ("not_measured", "ended with status 3"), "no_mpi": ("fail", "MPI")}


def judged(bench, *hosts, minimum=0.7, **changed):
    """The one judged record of a run."""
    (record,) = bench.measure(bench.run(*hosts, **changed))
    return judge.judge([record], bench.looks(*hosts), minimum)[0]


def test_a_healthy_node_passes_by_what_it_is_made_of(bench):
    found = judged(bench, "a")
    assert (found["verdict"], found["size"]) == ("pass", 1 << 30)
    assert found["expected"] > 100
    assert found["measured"] == pytest.approx(396.9, abs=0.1)


def test_a_node_below_the_share_fails(bench):
    bench.put(hosts={"a": {"peak": 200}})
    assert judged(bench, "a")["verdict"] == "fail"
    assert judged(bench, "a", minimum=0.3)["verdict"] == "pass"


@pytest.mark.parametrize("fault", FAULTY)
def test_faults_between_two_nodes(bench, fault):
    bench.put(fault=fault)
    found = judged(bench, "a", "b")
    verdict, words = FAULTY[fault]
    assert found["verdict"] == verdict
    assert any(words in reason for reason in found["reasons"])


@pytest.mark.parametrize(("net", "verdict"), [("IB/GDRDMA", "pass"), ("Socket", "fail")])
def test_the_network_between_nodes_must_be_rdma(bench, net, verdict):
    bench.put(net=net)
    found = judged(bench, "a", "b")
    assert found["verdict"] == verdict
    assert ("Socket" in str(found["reasons"])) == (verdict == "fail")


def test_inside_a_node_there_is_no_network(bench):
    bench.put(net="Socket")
    assert judged(bench, "a")["verdict"] == "pass"


def test_small_sizes_are_no_measurement_of_bandwidth(bench):
    found = judged(bench, "a", launches=[(1 << 20, 1 << 28, 4)])
    assert found["verdict"] == "not_measured"
    assert "256M" in found["reasons"][0]


def test_a_node_that_falls_behind_its_siblings_fails(bench):
    bench.put(hosts={"d": {"peak": 330}})
    records = [bench.measure(bench.run(host))[0] for host in "abcd"]
    verdicts = {one["hosts"][0]: one["verdict"] for one in judge.judge(records, bench.looks(*"abcd"), 0.7)}
    assert verdicts == {"a": "pass", "b": "pass", "c": "pass", "d": "fail"}


def test_variables_of_nccl_conf_are_no_environment_of_its_own(bench):
    record, = bench.measure(bench.run("a", variants={"tree": {"NCCL_ALGO": "allreduce:tree"}}))
    looks = bench.looks("a")
    assert not any("NCCL_ALGO" in words for words in judge.judge([record], looks, 0.7)[0]["warnings"])
    record["environment"] = {}
    assert any("NCCL_ALGO" in words for words in judge.judge([record], looks, 0.7)[0]["warnings"])
    looks["a"]["conf"] = {"NCCL_ALGO": "allreduce:tree"}
    assert not any("NCCL_ALGO" in words for words in judge.judge([record], looks, 0.7)[0]["warnings"])


def test_excuses_and_check_mode_are_not_measured(bench):
    records = bench.measure(dict(bench.run("a"), excuse="a: no GPU"), asked=None)
    records += bench.measure(bench.run("a"), asked=lambda arguments: bench.ask(arguments, read_only=True))
    excused, checked = judge.judge(records, bench.looks("a"), 0.7)
    assert (excused["verdict"], excused["reasons"]) == ("not_measured", ["a: no GPU"])
    assert (checked["verdict"], checked["reasons"]) == ("not_measured", ["check mode: nothing was started"])


def test_a_launcher_that_failed_is_no_pass(bench):
    (record,) = bench.measure(bench.run("a"))
    found = judge.judge([dict(record, error="mpirun ended with status 1")], bench.looks("a"), 0.7)[0]
    assert (found["verdict"], found["reasons"][0]) == ("not_measured", "mpirun ended with status 1")


def test_several_starts_are_one_result(bench):
    (record,) = bench.measure(bench.run("a", launches=[(8, 8, 2), (1 << 30, 1 << 30, 2)]))
    whole = judge.merge(record["results"])
    assert [row["size"] for row in whole["rows"]] == [8, 1 << 30]
    assert (whole["avg_bus_bandwidth"], whole["out_of_bounds"], whole["complete"]) == (None, 0, True)
    assert judge.judge([record], bench.looks("a"), 0.7)[0]["verdict"] == "pass"
    record["results"][1].update(complete=False, out_of_bounds=4, errors=["x"], failed_check=True)
    whole = judge.merge(record["results"])
    assert (whole["complete"], whole["out_of_bounds"], whole["errors"]) == (False, 4, ["x"])
    assert whole["failed_check"] is True
    assert judge.merge([]) is None


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_starts_the_worst_transport_and_the_fewest_ranks_count(bench, order):
    (record,) = bench.measure(bench.run("a", launches=[(8, 8, 2), (1 << 30, 1 << 30, 2)]))
    fast, slow = record["results"][::order]
    fast["transport"] = {"net": "IB", "gdrdma": True, "kinds": ["NET/IB"]}
    slow["transport"] = {"net": "Socket", "gdrdma": None, "kinds": ["NET/Socket"]}
    slow["ranks"], ranks = slow["ranks"][:1], len(fast["ranks"])
    whole = judge.merge(record["results"])
    assert whole["transport"]["net"] == "Socket" and len(whole["ranks"]) == 1 < ranks
    slow["transport"] = {"net": "IB", "gdrdma": False, "kinds": []}
    assert judge.merge(record["results"])["transport"]["gdrdma"] is False
    slow["transport"] = None
    assert judge.merge(record["results"])["transport"]["net"] == "IB"


def pair(one, other, verdict, search=True, operation="all_reduce"):
    return {"scope": "pair", "search": search, "hosts": [one, other], "verdict": verdict, "operation": operation,
            "variant": "", "error": None, "record": {"excused": False}}


def test_pairs_blame_the_node_that_all_of_them_fail_with():
    pairs = [pair("a", "b", "pass"), pair("c", "d", "fail"), pair("a", "c", "pass"), pair("b", "d", "fail"),
             pair("a", "d", "fail"), pair("b", "c", "pass")]
    assert judge.blame(pairs)["nodes"] == ["d"]
    assert judge.blame([pair("a", "b", "pass")]) is None
    assert judge.blame([]) is None


def test_a_pair_alone_is_not_told_to_run_again():
    found = judge.blame([pair("a", "b", "fail", search=False)])
    assert found["words"] == ["a and b fail together: a third node beside them would tell which of the two, or whether "
                              "the link between them, is bad"]
    assert found["next"] == []


def test_what_was_measured_is_said_before_a_status(bench):
    bench.put(fault="wrong")
    reasons = judged(bench, "a", "b")["reasons"]
    assert "wrong values" in reasons[0]
    assert "ended with status" in reasons[-1]


def test_suspects_are_failures_that_were_not_searched_for():
    runs = [pair("a", "b", "fail", search=False), pair("a", "b", "fail"), pair("a", "b", "pass", search=False)]
    assert judge.suspects(runs) == runs[:1]


def test_pairs_that_hang_are_blamed_too():
    hangs = dict(pair("x", "x", "not_measured"), error="no end after 180 s")
    pairs = [pair("a", "b", "pass"), dict(hangs, hosts=["c", "d"]), pair("a", "c", "pass"),
             dict(hangs, hosts=["b", "d"]), dict(hangs, hosts=["a", "d"])]
    assert judge.blame(pairs)["nodes"] == ["d"]
    group = dict(hangs, scope="group", search=False)
    assert judge.suspects([group]) == [group]
    excused = dict(group, record={"excused": True})
    assert judge.suspects([excused]) == []
    assert judge.blame([excused, pair("a", "b", "pass")]) is None
