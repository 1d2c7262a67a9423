# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement as a whole: no GPU twice, nothing better by trying everything, the same in any order, all or nothing."""

from __future__ import annotations

import copy
import itertools
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement import place

from tests.sysroots import gpu_hosts

RACKS = st.sampled_from(["r1", "r2"])
HOSTS = st.lists(st.fixed_dictionaries({
    "rack": RACKS, "sockets": st.lists(st.integers(0, 3), min_size=1, max_size=2),
    "domain": st.sampled_from([None, None, "d"])}), min_size=1, max_size=4)
NAMES = "abcd"  # One is called like the domain.


def cluster(drawn):
    """Hosts of the fact from what was drawn: GPUs on one or two sockets, without NVLink unless there is a domain."""
    return {name: dict(gpu_hosts.host(one["sockets"], linked=False), rack=one["rack"], nvlink_domain=one["domain"])
            for name, one in zip(NAMES, drawn)}


def distances(hosts):
    """{(host, number): (island, host, NVLink domain or host, rack)}, without the code that is tested."""
    racks = {name: {name} for name in hosts}
    for one, other in itertools.product(hosts, hosts):
        domain = hosts[one]["nvlink_domain"]
        if hosts[one]["rack"] == hosts[other]["rack"] or (domain and domain == hosts[other]["nvlink_domain"]):
            merged = racks[one] | racks[other]
            for name in merged:
                racks[name] = merged
    return {(name, gpu["index"]): (
        (name, None if host["nvlink_domain"] else gpu["numa_node"]), name,
        (host["nvlink_domain"], None) if host["nvlink_domain"] else (None, name),
        min(racks[name])) for name, host in hosts.items() for gpu in host["topology"]["gpus"]}


def score(where, replicas):
    """The cost of replicas, each a list of stages, each a set of GPUs."""
    cost = [0] * 7
    for stages in replicas:
        for stage in stages:
            islands, hosts, domains, racks = ({where[gpu][level] for gpu in stage} for level in range(4))
            cost[0] += len(racks) > 1
            cost[1] += len(racks) == 1 and len(domains) > 1
            cost[2] += len(hosts) == 1 and len(islands) > 1
        gpus = [gpu for stage in stages for gpu in stage]
        cost[3] += len({where[gpu][3] for gpu in gpus}) - 1
        cost[4] += len({where[gpu][1] for gpu in gpus}) - 1
    used = {where[gpu][1] for stages in replicas for stage in stages for gpu in stage}
    return tuple(cost[:5]) + (1, len(used))


def even(size, stages):
    """Whether all nodes of a replica give as many GPUs, in whole stages or in equal parts of one."""
    of_host = {}
    for number, stage in enumerate(stages):
        for host, _gpu in stage:
            of_host.setdefault(host, []).append(number)
    share = len(next(iter(of_host.values())))
    parts = {tuple(sorted(numbers)) for numbers in of_host.values()}
    whole = share % size == 0 or size % share == 0
    return whole and len({len(numbers) for numbers in of_host.values()}) == 1 and all(
        len(set(numbers)) == max(1, share // size) for numbers in parts)


def everything(where, size, stages, replicas):
    """All placements there are, up to the order of replicas."""
    def of_replica(free, left):
        if not left:
            yield []
            return
        for stage in itertools.combinations(sorted(free), size):
            for rest in of_replica(free - set(stage), left - 1):
                yield [stage] + rest

    def of_all(free, left):
        if not left:
            yield []
            return
        seen = set()
        for one in of_replica(free, stages):
            key = tuple(sorted(one))
            if key in seen or not even(size, one):
                continue
            seen.add(key)
            for rest in of_all(free - {gpu for stage in one for gpu in stage}, left - 1):
                yield [one] + rest
    return of_all(set(where), replicas)


def placed_gpus(made):
    return [[{(host, gpu) for host, gpus in stage["gpus"].items() for gpu in gpus} for stage in one["stages"]]
            for one in made["replicas"]]


@settings(max_examples=120)
@given(HOSTS, st.integers(1, 4), st.integers(1, 3), st.integers(1, 2))
def test_nothing_is_better_than_what_is_found_and_none_is_found_where_there_is_none(drawn, size, stages, replicas):
    hosts = cluster(drawn)
    where = distances(hosts)
    assume(where and len(where) <= 8 and size * stages * replicas <= 6)
    best = min((score(where, one) for one in everything(where, size, stages, replicas)), default=None)
    try:
        made = place(hosts, size, pipeline_parallel_size=stages, replicas=replicas)
    except ValueError as error:
        assert str(error).startswith("nothing was placed: ")
        assert best is None
        return
    assert made["proved"]
    assert tuple(made["objective"].values()) == score(where, placed_gpus(made)) == best


@given(HOSTS, st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.randoms(use_true_random=False))
def test_no_gpu_twice_and_the_same_in_any_order(drawn, size, stages, replicas, random_order):
    hosts = cluster(drawn)
    where = distances(hosts)
    assume(where)
    before = copy.deepcopy(hosts)
    shuffled = list(hosts.items())
    random_order.shuffle(shuffled)
    answers = []
    for order in (hosts, dict(shuffled)):
        try:
            answers.append(place(order, size, pipeline_parallel_size=stages, replicas=replicas))
        except ValueError as error:
            answers.append(str(error))
    assert answers[0] == answers[1]
    assert hosts == before
    if isinstance(answers[0], dict):
        gpus = [gpu for stages_of in placed_gpus(answers[0]) for stage in stages_of for gpu in stage]
        assert len(gpus) == len(set(gpus)) == size * stages * replicas
        assert set(gpus) <= set(where)
        assert all(even(size, [sorted(stage) for stage in one]) for one in placed_gpus(answers[0]))
        assert sum(answers[0]["free_gpus"].values()) == len(where) - len(gpus)


def guide():
    """Guide 001's TopologyAwarePlacement: add_node(node_id, rack_id, n_gpus=8) of two racks."""
    return {"node1": {"rack_id": "rack1", "n_gpus": 8, "n_ib_ports": 8, "allocated_gpus": 0},
            "node2": {"rack_id": "rack1", "n_gpus": 8, "n_ib_ports": 8, "allocated_gpus": 0},
            "node3": {"rack_id": "rack2", "n_gpus": 8, "n_ib_ports": 8, "allocated_gpus": 0}}


def test_the_guides_example_is_refused_as_a_whole_and_marks_nothing():
    """Its own code places the first three groups, marks their GPUs, and then fails."""
    hosts = guide()
    with pytest.raises(ValueError) as refused:
        place(hosts, 8, pipeline_parallel_size=2, replicas=2)
    assert str(refused.value) == (
        "nothing was placed: it needs 4 groups of 8 GPUs (2 replicas, 2 pipeline stages each: 32 GPUs in all); inside "
        "a node there are 3, and 24 GPUs are free: node1 8 free, node2 8 free, node3 8 free")
    assert hosts == guide()
    assert [one["nodes"] for one in place(hosts, 8, pipeline_parallel_size=2)["replicas"]] == [["node1", "node2"]]


def test_the_guides_missing_third_step_is_there():
    """A group across racks: the guide names it and returns None."""
    hosts = {"node1": {"rack_id": "rack1", "n_gpus": 8}, "node2": {"rack_id": "rack2", "n_gpus": 8}}
    made = place(hosts, 16)
    assert made["replicas"][0]["stages"][0]["across"] == "racks"
    assert made["objective"]["groups_across_racks"] == 1
    with pytest.raises(ValueError, match="no node has more than 8 alike"):
        place(hosts, 16, within="rack")


def test_pipelines_stay_in_one_rack_where_they_can():
    hosts = {name: {"gpus": 8, "rack": rack} for name, rack in zip("abcdef", ("r1", "r2", "r1", "r2", "r3", "r3"))}
    made = place(hosts, 8, pipeline_parallel_size=2, replicas=3)
    assert sorted(one["nodes"] for one in made["replicas"]) == [["a", "c"], ["b", "d"], ["e", "f"]]
    assert [one["racks"] for one in made["replicas"]] == [["r1"], ["r2"], ["r3"]]
    assert place(hosts, 8, pipeline_parallel_size=3)["objective"]["pipelines_across_racks"] == 1


def test_smaller_groups_are_advised_where_they_would_stay_in_their_islands():
    hosts = {"a": {"gpus": 8, "rack": "r"}, "b": {"gpus": 8, "rack": "r"}}
    said = ["Groups of 16 leave their islands (R30); TP 8 x PP 2 would fit, each group in one island"]
    assert place(hosts, 16)["notes"] == said
    assert place(hosts, 16, layers=1)["notes"] == []
    assert place(hosts, 8, pipeline_parallel_size=2)["notes"] == []
    split = {"a": dict(gpu_hosts.host([4, 4], linked=False), rack="r")}
    assert place(split, 8)["notes"] == [said[0].replace("16", "8").replace("TP 8 x PP 2", "TP 4 x PP 2")]
    for gpu in split["a"]["topology"]["gpus"]:
        gpu["links"] = None  # Then nobody knows what an island is.
    assert place(split, 8)["notes"] == ["a: links between GPUs not known, so that sockets count as islands"]


def test_a_domain_of_eighteen_trays_is_one_island():
    trays = {"tray%02d" % number: dict(gpu_hosts.host([2, 2], name="NVIDIA GB200"), rack="r1", nvlink_domain="nvl72")
             for number in range(18)}
    others = {"other%d" % number: dict(gpu_hosts.host([4, 4]), rack="r1") for number in range(2)}
    made = place(dict(trays, **others), 32, replicas=2)
    assert [one["gpu_name"] for one in made["replicas"]] == ["NVIDIA GB200"] * 2
    assert [one["stages"][0]["across"] for one in made["replicas"]] == ["domain"] * 2
    assert made["objective"]["groups_across_nodes"] == 0
    assert [one["communication"]["through"] for one in made["replicas"]] == [["NVLink 900 GB/s"]] * 2


def test_what_the_engine_on_each_host_needs():
    hosts = {"b": {"gpus": 8, "rack": "r", "ansible_host": "192.0.2.2", "allocated_gpus": [0, 5]},
             "a": {"gpus": 8, "rack": "r", "address": "192.0.2.1", "reserved": 2}}
    made = place(hosts, 3, pipeline_parallel_size=4)
    assert made["hosts"] == {
        "a": [{"name": "replica0", "replica": 0, "nnodes": 2, "node_rank": 0, "nodes": ["a", "b"], "master": "a",
               "address": "192.0.2.1", "master_addr": "192.0.2.1", "master_port": 29501,
               "distributed": True, "gpus": [2, 3, 4, 5, 6, 7],
               "visible_devices": "2,3,4,5,6,7", "visible_devices_variable": "CUDA_VISIBLE_DEVICES",
               "stages": {"0": [2, 3, 4], "1": [5, 6, 7]}, "tensor_parallel_size": 3, "pipeline_parallel_size": 4}],
        "b": [{"name": "replica0", "replica": 0, "nnodes": 2, "node_rank": 1, "nodes": ["a", "b"], "master": "a",
               "address": "192.0.2.2", "master_addr": "192.0.2.1", "master_port": 29501,
               "distributed": True, "gpus": [1, 2, 3, 4, 6, 7],
               "visible_devices": "1,2,3,4,6,7", "visible_devices_variable": "CUDA_VISIBLE_DEVICES",
               "stages": {"2": [1, 2, 3], "3": [4, 6, 7]}, "tensor_parallel_size": 3, "pipeline_parallel_size": 4}]}
    assert made["free_gpus"] == {"a": 0, "b": 0}


def test_two_masters_on_one_host_have_two_ports():
    made = place({"a": {"gpus": 8}}, 4, replicas=2, master_port="30000")
    assert [one["master_port"] for one in made["hosts"]["a"]] == [30000, 30001]


def test_a_replica_has_gpus_of_one_kind():
    hosts = {"a": gpu_hosts.host([4]), "b": gpu_hosts.host([4], name="NVIDIA A100-SXM4-80GB"),
             "c": gpu_hosts.host([4])}
    made = place(hosts, 4, pipeline_parallel_size=2)
    assert made["replicas"][0]["nodes"] == ["a", "c"]
    with pytest.raises(ValueError, match="b 4 free .NVIDIA A100-SXM4-80GB.*0 of 1 replica fit"):
        place({"a": hosts["a"], "b": hosts["b"]}, 4, pipeline_parallel_size=2)


def test_ten_thousand_nodes():
    hosts = {"n%05d" % number: {"gpus": 8, "rack": "r%04d" % (number // 8), "allocated_gpus": 4 * (number % 2)}
             for number in range(10000)}
    names = list(hosts)
    random.Random(1).shuffle(names)
    made = place({name: hosts[name] for name in names}, 8, pipeline_parallel_size=2, replicas=2500)
    assert made["proved"]
    assert made["objective"] == {
        "groups_across_racks": 0, "groups_across_nodes": 0, "groups_across_islands": 0, "pipelines_across_racks": 0,
        "node_boundaries": 2500, "gpu_kinds": 1, "nodes_used": 5000}
    gpus = [(host, gpu) for host, wanted in made["hosts"].items() for one in wanted for gpu in one["gpus"]]
    assert len(set(gpus)) == len(gpus) == 2500 * 16
    assert not any(int(host[1:]) % 2 for host in made["hosts"])


@pytest.mark.parametrize(("size", "options", "words"), [
    (0, {}, "tensor_parallel_size: 0 is not an integer of 1 or more"),
    (-8, {}, "tensor_parallel_size: -8 is not"),
    (True, {}, "tensor_parallel_size: True is not"),
    ("eight", {}, "tensor_parallel_size: 'eight' is not"),
    (2.5, {}, "tensor_parallel_size: 2.5 is not"),
    (8, {"replicas": 0}, "replicas: 0 is not an integer of 1 or more"),
    (8, {"replica": 2}, "there is no option replica; did you mean replicas?"),
    (8, {"colour": 2}, "there is no option colour; known: attention_heads, "),
    (3, {"attention_heads": 64}, "64 attention heads cannot be divided by 3; legal: 1, 2, 4, 8, 16, 32, 64"),
    (8, {"pipeline_parallel_size": 81}, "81 stages, but the model has 80 layers"),
    (8, {"within": "nod"}, "within: 'nod' is not one of node, rack, cluster; did you mean node?"),
    (8, {"dtype": "bf16"}, "dtype: 'bf16' is not one of"),
    (8, {"tokens_per_second": 0}, "tokens_per_second: 0 is not a number above 0"),
    (8, {"tokens_per_second": "nan"}, "tokens_per_second: 'nan' is not"),
    (8, {"network_gbps": True}, "network_gbps: True is not"),
    (8, {"master_port": 70000}, "master_port: 70000 is no port"),
    (1, {"master_port": 65534, "replicas": 3}, "master_port: 65534 leaves no port for each of the replicas"),
    (10 ** 30, {}, "needs 1 group of 10000000000"),
    (3, {"attention_heads": 10 ** 30}, "legal: 1, 2, 4, 5, 8")])
def test_bad_input_is_named_with_what_is_legal(size, options, words):
    with pytest.raises(ValueError) as refused:
        place({"a": {"gpus": 8}}, size, **options)
    assert words in str(refused.value)


def test_numbers_may_be_text_as_from_the_command_line():
    hosts = {"a": {"gpus": 8}}
    assert place(hosts, "4", replicas="2", tokens_per_second="30") == place(hosts, 4, replicas=2, tokens_per_second=30)
