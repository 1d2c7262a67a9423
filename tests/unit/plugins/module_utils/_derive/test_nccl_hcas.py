# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of NCCL's ports: which are in the list, in which order, and which rail each is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_hcas


def device(name, address, number=0, **port):
    """An RDMA device with one RoCE port, whose address is in 10.0.NUMBER.0/24."""
    gid = "0000:0000:0000:0000:0000:ffff:0a00:%02x02" % number
    return {"name": name, "pci_address": address, "ports": [dict({
        "port": 1, "netdev": "rail-" + name, "link_layer": "Ethernet", "state": "ACTIVE", "rate": 400,
        "gids": [{"index": 3, "gid": gid, "type": "RoCE v2", "netdev": "rail-" + name}],
        "roce_v2_gid": {"ipv4": 3, "ipv6": None}}, **port)]}


def node(*devices, gpu_nics=None, prefix=24):
    """A node with one GPU for each device."""
    nics = [{"name": port["netdev"], "rdma_device": one["name"], "pci_address": one["pci_address"],
             "addresses": ["%s/%d" % (nccl_hcas.address_of(gid["gid"]), prefix) for gid in port["gids"]]}
            for one in devices for port in one["ports"]]
    names = {str(number): [one["name"]] for number, one in enumerate(devices)}
    return {"gpus": [{"index": number} for number in range(len(devices))], "rdma_devices": list(devices), "nics": nics,
            "gpu_nics": names if gpu_nics is None else gpu_nics}


def labels(fact, *named):
    return [nccl_hcas.label(port) for port in nccl_hcas.select(fact, *named)[0]]


THREE = (device("mlx5_0", "0000:16:00.0", 1), device("mlx5_1", "0000:51:00.0", 2), device("mlx5_2", "0000:99:00.0", 3))


def test_the_ports_that_serve_gpus_are_in_pci_order_whatever_the_person_says():
    assert labels(node(*THREE)) == ["mlx5_0:1", "mlx5_1:1", "mlx5_2:1"]
    assert labels(node(*THREE, gpu_nics={"0": ["mlx5_2"], "1": ["mlx5_0"]})) == ["mlx5_0:1", "mlx5_2:1"]
    assert labels(node(*THREE, gpu_nics={"0": ["mlx5_2"]}), ["rail-mlx5_1", "0000:16:00.0"]) == ["mlx5_0:1", "mlx5_1:1"]
    assert labels(node(*THREE), None, ["mlx5_1"]) == ["mlx5_0:1", "mlx5_2:1"]
    assert labels(node(*THREE), []) == []


def test_a_nic_cannot_be_for_both():
    with pytest.raises(ValueError, match="mlx5_0 cannot be both a compute and a storage NIC"):
        nccl_hcas.select(node(*THREE), ["mlx5_0"], ["rail-mlx5_0"])
    with pytest.raises(ValueError, match="no RDMA device 'mlx5_9' on this host"):
        nccl_hcas.select(node(*THREE), None, ["mlx5_9"])


@pytest.mark.parametrize("changed, words", [
    ({"state": "DOWN"}, "x:1 is DOWN"), ({"state": "INIT"}, "x:1 is INIT"),
    ({"link_layer": "Unknown"}, r"x:1 is of link layer Unknown, which NCCL passes over \(EFA needs aws-ofi-nccl\)")])
def test_a_port_that_nccl_would_not_take_is_left_out(changed, words):
    ports, left = nccl_hcas.select(node(device("x", "0000:16:00.0", **changed)))
    assert ports == []
    assert nccl_hcas.left_out(left).replace("(", r"\(").replace(")", r"\)") == words


def test_a_port_of_which_nothing_is_known_is_in_the_list():
    assert labels(node(device("x", "0000:16:00.0", state=None, link_layer=None))) == ["x:1"]


@pytest.mark.parametrize("name, words", [
    ("efa_0", "EFA"), ("rdmap16s27", "EFA"), ("siw0", "iWARP"), ("iwp2s0f0", "iWARP"), ("hbl_0", "Gaudi"),
    ("hlib_3", "Gaudi"), ("usnic_0", "usNIC")])
def test_what_is_no_verbs_device_is_never_in_the_list(name, words):
    for named in (None, [name]):
        ports, left = nccl_hcas.select(node(device(name, "0000:16:00.0")), named)
        assert ports == []
        assert words in nccl_hcas.left_out(left)


@pytest.mark.parametrize("name", ["mlx5_bond_0", "rocep193s0f0", "ibp12s0", "bnxt_re0", "irdma0", "ionic_0", "mlx5_10"])
def test_real_names_are_taken_as_they_are(name):
    assert labels(node(device(name, "0000:16:00.0"))) == [name + ":1"]


def test_a_driver_says_more_than_a_name():
    odd = dict(device("rdma0", "0000:16:00.0"), driver="efa")
    assert labels(node(odd)) == []


def test_a_virtual_device_is_there_only_if_it_was_named():
    fact = node(device("rxe0", None))
    assert labels(fact) == []
    assert nccl_hcas.left_out(nccl_hcas.select(fact)[1]) == "rxe0 is virtual, with no PCI device behind it"
    assert labels(fact, ["rxe0"]) == ["rxe0:1"]


def test_both_ports_of_a_device_are_named_each():
    two = device("mlx4_0", "0000:16:00.0")
    two["ports"].append(dict(two["ports"][0], port=2, state="ACTIVE"))
    assert nccl_hcas.text(nccl_hcas.select(node(two))[0]) == "=mlx4_0:1,mlx4_0:2"
    two["ports"][0]["state"] = "DOWN"
    assert labels(node(two)) == ["mlx4_0:2"]


def test_many_that_are_left_out_are_told_in_short():
    assert nccl_hcas.left_out([]) == ""
    assert nccl_hcas.left_out([("a", "DOWN"), ("b", "INIT"), ("c", "DOWN")]) == "a, c are DOWN; b is INIT"
    assert nccl_hcas.left_out([(name, "DOWN") for name in "abcde"]) == "a, b and 3 more are DOWN"


# -- rails -------------------------------------------------------------------------------------------------------------


def rails(fact, *named):
    return nccl_hcas.rails(fact, nccl_hcas.select(fact, *named)[0], *named)


def test_the_subnets_tell_the_rails():
    assert rails(node(*THREE)) == ([0, 1, 2], "the order of the subnets")
    other = [device(one["name"], one["pci_address"], number) for one, number in zip(THREE, (3, 1, 2))]
    assert rails(node(*other))[0] == [2, 0, 1]


def test_subnets_are_ordered_as_numbers():
    low = device("a", "0000:16:00.0", 10), device("b", "0000:51:00.0", 9)
    assert rails(node(*low))[0] == [1, 0]


def test_a_person_tells_the_rails_also_with_one_down():
    fact = node(THREE[0], device("mlx5_1", "0000:51:00.0", 2, state="DOWN"), THREE[2])
    assert rails(fact, ["mlx5_0", "mlx5_1", "mlx5_2"]) == ([0, 2], "the order of compute_nics")
    assert rails(fact, "rail-mlx5_2,mlx5_1,mlx5_0")[0] == [2, 0]


@pytest.mark.parametrize("fact, words", [
    (node(*THREE, prefix=8), "share a subnet"),
    (dict(node(*THREE), nics=[]), "subnets of the ports are not known"),
    (node(*THREE[:2], device("mlx5_2", "0000:99:00.0", 3, state="DOWN")), "mlx5_2:1 has no link"),
    (node(*THREE, gpu_nics={"0": ["mlx5_0"], "1": ["mlx5_1"], "2": ["mlx5_2"], "3": ["mlx5_2"]}), "may be missing"),
])
def test_where_the_subnets_would_mislead_nothing_is_told(fact, words):
    found, why = rails(fact)
    assert found is None
    assert words in why


def test_an_idle_port_without_an_address_is_no_rail():
    spare = device("mlx5_3", "0000:9a:00.0", 9, state="DOWN")
    fact = node(*THREE, spare, gpu_nics={"0": ["mlx5_0"], "1": ["mlx5_1"], "2": ["mlx5_2"]})
    fact["nics"][-1]["addresses"] = []
    assert rails(fact)[0] == [0, 1, 2]
    fact["nics"][-1]["addresses"] = None
    assert "mlx5_3:1 has no link" in rails(fact)[1]


def test_the_list_says_the_rails():
    ports = nccl_hcas.select(node(*THREE))[0]
    assert nccl_hcas.text(ports, [2, 0, 1]) == "=mlx5_0:1:2,mlx5_1:1:0,mlx5_2:1:1"


# -- for any node ------------------------------------------------------------------------------------------------------

STATES = st.sampled_from(["ACTIVE", "DOWN", "INIT", "ARMED", None])
KINDS = st.sampled_from(["mlx5_%d", "rocep%ds0f0", "ibp%d", "rxe%d", "efa_%d"])
LAYERS = st.sampled_from(["Ethernet", "InfiniBand", "Unknown", None])
DEVICES = st.lists(st.tuples(KINDS, st.booleans(), STATES, LAYERS, st.booleans(), st.booleans()), max_size=12)


@given(DEVICES)
def test_the_list_never_holds_storage_or_what_is_down_or_anything_twice(drawn):
    devices, serving, storage = [], [], []
    for number, (name, is_real, state, layer, serves, stores) in enumerate(drawn):
        address = "0000:%02x:00.0" % number if is_real else None
        one = device(name % number, address, number, state=state, link_layer=layer)
        devices.append(one)
        serving += [one["name"]] if serves else []
        storage += [one["name"]] if stores else []
    ports, left = nccl_hcas.select(node(*devices, gpu_nics={"0": serving}), None, storage)
    names = [port["device"] for port in ports]
    assert names == [one["name"] for one in devices if one["name"] in set(names)]
    assert set(names) <= set(serving) - set(storage)
    states = {one["name"]: one["ports"][0] for one in devices}
    assert all(states[name]["state"] in ("ACTIVE", None) for name in names)
    assert all(states[name]["link_layer"] != "Unknown" for name in names)
    assert {name.partition(":")[0] for name, _why in left} == set(serving) - set(storage) - set(names)
