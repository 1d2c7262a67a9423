# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far groups reach, in words, and what each host is asked for."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement import place

from tests.sysroots import gpu_hosts


def across(hosts, size, **options):
    return [stage["across"] for one in place(hosts, size, **options)["replicas"] for stage in one["stages"]]


@pytest.mark.parametrize(("hosts", "expected"), [
    ({"a": gpu_hosts.host([4, 4])}, "island"),
    ({"a": gpu_hosts.host([4, 4], linked=False)}, "node"),
    ({"a": dict(gpu_hosts.host([4]), nvlink_domain="d"), "b": dict(gpu_hosts.host([4]), nvlink_domain="d")}, "domain"),
    ({"a": dict(gpu_hosts.host([4]), rack="r"), "b": dict(gpu_hosts.host([4]), rack="r")}, "rack"),
    ({"a": dict(gpu_hosts.host([4]), rack="r"), "b": dict(gpu_hosts.host([4]), rack="s")}, "racks")])
def test_how_far_a_group_reaches(hosts, expected):
    assert across(hosts, 8) == [expected]


def test_replicas_are_numbered_by_their_nodes():
    hosts = {"a": {"gpus": 8, "rack": "r"}, "b": {"gpus": 4, "rack": "r"}, "c": {"gpus": 4, "rack": "r"}}
    made = place(hosts, 4, pipeline_parallel_size=2, replicas=2)
    assert [one["nodes"] for one in made["replicas"]] == [["a"], ["b", "c"]]


def test_amd_has_a_variable_of_its_own():
    host = gpu_hosts.host([4, 4], name="AMD Instinct MI300X", vendor="amd", driver="amdgpu")
    asked, = place({"a": host}, 8)["hosts"]["a"]
    # vLLM refuses to start with ROCR_VISIBLE_DEVICES.
    assert asked["visible_devices_variable"] == "HIP_VISIBLE_DEVICES"


def test_several_replicas_on_one_host_and_several_hosts_in_order():
    made = place({"b": {"gpus": 8, "rack": "r"}, "a": {"gpus": 8, "rack": "r"}}, 4, replicas=3)
    assert list(made["hosts"]) == ["a", "b"]
    asked = [(host, one["name"], one["visible_devices"], one["distributed"]) for host, wanted in made["hosts"].items()
             for one in wanted]
    assert asked == [("a", "replica0", "0,1,2,3", False), ("a", "replica1", "4,5,6,7", False),
                     ("b", "replica2", "0,1,2,3", False)]


def test_gpus_are_listed_in_the_order_of_ranks_stage_by_stage():
    host = gpu_hosts.host([3, 3], linked=False)
    made = place({"a": host}, 2, pipeline_parallel_size=3)
    asked, = made["hosts"]["a"]
    assert asked["stages"] == {"0": [0, 1], "1": [3, 4], "2": [2, 5]}
    assert asked["gpus"] == [0, 1, 3, 4, 2, 5]
    assert [stage["across"] for stage in made["replicas"][0]["stages"]] == ["island", "island", "node"]


def test_gpus_on_which_somebody_computes_are_said_where_they_are_placed_upon():
    host = gpu_hosts.host([4])
    addresses = [gpu["pci_address"] for gpu in host["topology"]["gpus"]]
    host["health"] = {"gpus": [{"pci_address": address, "processes": [{"pid": 1}] if number % 2 else None}
                               for number, address in enumerate(addresses) if number]}
    assert place({"a": host}, 4)["notes"] == [
        "a: somebody computes on GPU 1, 3 now, and is placed upon: what is named busy is left alone"]
    assert place({"a": dict(host, busy=[1, 3])}, 2)["notes"] == []
    facts = {"ansible_facts": {"topology": host["topology"], "health": host["health"]}}
    assert len(place({"a": facts}, 4)["notes"]) == 1
    assert place({"a": dict(host, health="lost")}, 4)["notes"] == []
