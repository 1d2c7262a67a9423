# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what bus bandwidth is expected: hints of known machines, real outputs, and what is not known."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_limits, nic_rates
from ansible_collections.gpuwright.node.plugins.module_utils._derive.nccl_expectation import bus_factor, expected
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology.node import read_topology

from tests.sysroots import eight_gpu

H100, A100, B200, H200 = "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "NVIDIA B200", "NVIDIA H200"
V100, PCIE, GB200 = "Tesla V100-SXM2-32GB", "NVIDIA H100 PCIe", "NVIDIA GB200"
GEN4, GEN5 = "16.0 GT/s PCIe", "32.0 GT/s PCIe"


def node(name=H100, words="NV18", count=8, nics=8, rate=400, speed=GEN5, nic_speed=GEN5, board="MT_0000000838", **more):
    """A node whose GPUs have the same words for each peer, and a NIC each as far as there are NICs."""
    gpus = [{"index": number, "name": name, "link": {"max_speed": speed, "width": 16},
             "links": words if words is None else {str(peer): words for peer in range(count) if peer != number}}
            for number in range(count)]
    devices = [{"name": "mlx5_%d" % number, "pci_address": "0000:%02x:00.0" % (16 + number), "board_id": board,
                "link": {"speed": nic_speed, "width": 16}, "ports": [{"port": 1, "state": "ACTIVE", "rate": rate}]}
               for number in range(nics)]
    nearest = {str(number): ["mlx5_%d" % (number * nics // count)] for number in range(count)} if nics else {}
    return dict({"system": {"hostname": "n1", "architecture": "x86_64"}, "gpus": gpus, "rdma_devices": devices,
                 "nics": [], "gpu_nics": nearest}, **more)


def bandwidth(nodes, operation="all_reduce", *options, **more):
    return expected(nodes, operation, *options, **more)["bus_bandwidth"]


@pytest.mark.parametrize("operation, ranks, factor", [
    ("all_reduce", 8, 1.75), ("all_reduce", 16, 1.875), ("AllReduce", 128, 1.984375), ("all_reduce_perf", 2, 1.0),
    ("/opt/nccl-tests/build/all_reduce_perf_mpi", 32, 1.9375), ("all_gather", 16, 0.9375), ("ReduceScatter", 8, 0.875),
    ("alltoall", 8, 0.875), ("all_to_all", 8, 0.875), ("gather", 4, 0.75), ("scatter", 4, 0.75), ("sendrecv", 8, 1.0),
    ("broadcast", 8, 1.0), ("reduce", 8, 1.0), ("all_reduce", 1, 0.0), ("hypercube", 8, None), ("", 8, None),
    (None, 8, None), ("all_reduce", 0, None)])
def test_the_factor_is_that_of_nccl_tests(operation, ranks, factor):
    assert bus_factor(operation, ranks) == factor


@pytest.mark.parametrize("busbw, algbw, operation, ranks", [
    (437.79, 233.49, "all_reduce", 16), (369.86, 186.39, "all_reduce", 128), (188.53, 100.55, "all_reduce", 16),
    (191.05, 98.61, "all_reduce", 32), (32.20, 64.41, "all_gather", 2), (328.85, 350.77, "all_gather", 16),
    (235.26, 134.44, "all_reduce", 8), (223.39, 255.31, "all_gather", 8), (228.38, 228.38, "reduce", 8)])
def test_the_factor_fits_real_outputs(busbw, algbw, operation, ranks):
    assert algbw * bus_factor(operation, ranks) == pytest.approx(busbw, rel=0.001)


@pytest.mark.parametrize("machine, low, high", [
    (node(A100, "NV12"), 230, 250), (node(), 450, 480), (node(B200), 800, 900),
    (node(PCIE, "NODE"), 35, 45), (node(V100, "NV2", 4), 110, 135), (node("AMD Instinct MI300X", "XGMI"), 300, 350)])
def test_the_hints_of_the_field_hold_for_one_node(machine, low, high):
    assert low <= bandwidth([machine]) <= high


def test_a_ring_on_hopper_is_below_what_the_switch_adds_up():
    assert bandwidth([node()], "all_gather") == pytest.approx(370.8)
    assert expected([node()], "all_reduce")["limits"][0]["what"] == "NVLink SHARP"
    # Two GPUs gain nothing by it, and four without a switch have none.
    assert bandwidth([node()], "all_reduce", 2) == pytest.approx(370.8)
    assert bandwidth([node(words="NV6", count=4)]) == pytest.approx(370.8)


# What the outputs in captures/nccl-tests measured at their largest size, the smaller of both groups.
@pytest.mark.parametrize("machines, operation, gpus, measured", [
    ([node("A100-SXM4-40GB", "NV12")], "all_reduce", None, 235.03),  # superbench
    ([node("A100-SXM4-40GB", "NV12")], "all_gather", None, 223.39),
    ([node("A100-SXM4-40GB", "NV12")], "reduce", None, 228.38),
    ([node(A100, "NV12", rate=200, speed=GEN4, nic_speed=GEN4)] * 2, "all_reduce", None, 188.53),  # deepops-netop
    ([node(A100, "NV12", rate=200, speed=GEN4, nic_speed=GEN4)] * 4, "all_reduce", None, 191.05),  # deepops-slurm
    ([node(A100, "NV12", rate=200, speed=GEN4, nic_speed=GEN4)] * 2, "all_reduce", None, 189.50),  # oke-slurm
    ([node("AMD Instinct MI300X", "XGMI")] * 2, "all_reduce", None, 358.24),  # oke-slurm, RCCL
    ([node("AMD Instinct MI350X", "XGMI")], "all_reduce", None, 360.97),  # rocm-rdma
    ([node(H200)] * 2, "all_gather", None, 328.85),  # gcp-dws
    ([node()] * 2, "all_reduce", None, 437.79),  # aws-adt: more than the NICs carry, by NCCL's trees
    ([node()] * 16, "all_reduce", None, 369.42),  # aws-topoaware
    ([node(H200)] * 2, "all_gather", 1, 32.20),  # dranet-demo
    ([node(H200)] * 2, "all_reduce", 1, 31.88)])  # dranet-mpi
def test_real_machines_pass_and_what_is_half_of_them_does_not(machines, operation, gpus, measured):
    wanted = bandwidth(machines, operation, gpus)
    assert 0.7 * wanted <= measured <= 1.35 * wanted
    assert measured / 2 < 0.7 * wanted


def test_the_network_bounds_what_goes_between_nodes():
    whole = expected([node()] * 2, "all_reduce")
    assert whole["bus_bandwidth"] == 340 and whole["efficiency"] == 0.85 and whole["ranks"] == 16
    assert {one["what"] for one in whole["limits"]} == {"NVLink SHARP", "network", "PCIe between GPUs and NICs"}
    assert "network carries 400.0 GB/s of bus bandwidth in all_reduce on 16 ranks" in whole["why"]
    assert bandwidth([node()] * 2, "all_reduce", 1) == 42.5
    assert bandwidth([node(nics=1)] * 2) == 42.5
    # The slowest node sets the pace.
    assert bandwidth([node(), node(nics=4)]) == 170


def test_a_nic_is_bound_by_its_slot():
    assert bandwidth([node(nic_speed=GEN4)] * 2) == pytest.approx(8 * 31.508 * 0.85, abs=0.1)
    assert bandwidth([node(nic_speed=GEN4, rate=200)] * 2) == 170
    # What a guest is shown of a link is no bound.
    assert bandwidth([node(nic_speed="2.5 GT/s PCIe", system={"virtualization": "kvm"})] * 2) == 340


def test_a_gpus_own_slot_bounds_what_it_sends_out():
    machine = node(PCIE, "SYS", 1, nics=1, speed=GEN4)
    assert bandwidth([machine] * 2) == pytest.approx(31.508 * 0.85, abs=0.1)
    grace = dict(machine, system={"architecture": "aarch64"})
    assert bandwidth([grace] * 2) == 42.5


def test_functions_of_one_card_share_its_slot():
    machine = node(count=1, nics=2, rate=200, nic_speed=GEN4)
    machine["rdma_devices"][1]["pci_address"] = "0000:10:00.1"
    machine["gpu_nics"] = {"0": ["mlx5_0", "mlx5_1"]}
    assert bandwidth([machine] * 2) == pytest.approx(31.508 * 0.85, abs=0.1)


@pytest.mark.parametrize("port, link", [({"rate": 100}, {}), ({"state": "DOWN"}, {}), ({"rate": None}, {}),
                                        ({}, {"width": 8, "speed": GEN4})])
def test_a_faulty_nic_does_not_lower_its_own_bar(port, link):
    sick = node()
    sick["rdma_devices"][2]["ports"][0].update(port)
    sick["rdma_devices"][2]["link"].update(link)
    found = expected([sick, node()], "all_reduce")
    assert found["bus_bandwidth"] == 340
    (words,) = found["warnings"]
    assert words.startswith("n1: mlx5_2 is at ") and "50.0 GB/s of the others of its model" in words
    assert expected([node()] * 2, "all_reduce")["warnings"] == []


def test_of_a_nic_without_a_model_and_a_rate_nothing_is_known():
    sick = node(board=None)
    sick["rdma_devices"][2]["ports"][0]["rate"] = None
    found = expected([sick, node()], "all_reduce")
    assert found["bus_bandwidth"] is None and found["why"] == "nothing is known of: network"


def test_alltoall_leaves_the_node_with_its_share():
    # Of 15 peers 8 are elsewhere: 50 GB/s a GPU carry 15/8 of that in bus bandwidth.
    assert bandwidth([node()] * 2, "alltoall") == pytest.approx(50 * 15 / 8 * 0.85, abs=0.1)
    assert bandwidth([node()] * 64, "alltoall") == pytest.approx(50 * 511 / 504 * 0.85, abs=0.1)
    assert bandwidth([node()], "alltoall") == pytest.approx(370.8)
    assert bandwidth([node()] * 2, "alltoall", 1) == 42.5
    nvlink = next(one for one in expected([node()] * 2, "alltoall")["limits"] if one["what"] == "NVLink")
    assert nvlink["rate"] == pytest.approx(450 * 15 / 7)


def test_sendrecv_leaves_the_node_through_one_gpus_nic():
    assert bandwidth([node()] * 2, "sendrecv") == 42.5
    assert bandwidth([node()], "sendrecv") == pytest.approx(370.8)
    assert bandwidth([node()] * 2, "gather") == pytest.approx(50 * 15 / 8 * 0.85, abs=0.1)
    assert bandwidth([node()] * 2, "broadcast") == 340


def cube():
    """A DGX-1 with V100: a hybrid cube mesh."""
    table = ["X1122SSS", "1X21S2SS", "12X2SS1S", "221XSSS1", "2SSSX112", "S2SS1X21", "SS1S12X2", "SSS1221X"]
    machine = node(V100, None, speed="8.0 GT/s PCIe")
    for number, row in enumerate(table):
        machine["gpus"][number]["links"] = {
            str(peer): "SYS" if word == "S" else "NV" + word for peer, word in enumerate(row) if word != "X"}
    return machine


def test_a_mesh_is_a_ring_for_reductions_and_has_poor_pairs():
    assert bandwidth([cube()]) == 120
    # 3 and 4 have no NVLink in common, and so on: what PCIe carries between them is what can be expected.
    assert bandwidth([cube()], "sendrecv") == pytest.approx(10, abs=0.1)
    assert bandwidth([cube()], "alltoall") == pytest.approx(10, abs=0.1)
    assert bandwidth([cube()], "alltoall", 4) == pytest.approx(3 * 25 * 0.8)
    assert bandwidth([cube()], "sendrecv", 3) == pytest.approx(25 * 0.8)


def test_bridged_pairs_do_not_make_a_ring():
    machine = node(PCIE, "SYS", 4)
    for one, other in ((0, 1), (2, 3)):
        machine["gpus"][one]["links"][str(other)] = machine["gpus"][other]["links"][str(one)] = "NV12"
    assert bandwidth([machine]) == pytest.approx(40, abs=0.1)
    assert bandwidth([machine], "all_reduce", 2) == pytest.approx(300 * 20.6 / 25)


def test_a_chain_is_no_ring():
    machine = node(PCIE, "SYS", 3)
    for one, other in ((0, 1), (1, 2)):
        machine["gpus"][one]["links"][str(other)] = machine["gpus"][other]["links"][str(one)] = "NV6"
    assert bandwidth([machine]) == pytest.approx(40, abs=0.1)


def test_an_nvl72_is_one_island():
    trays = [node(GB200, "NV18", 4)] * 18
    apart = bandwidth(trays, "alltoall")
    whole = expected(trays, "all_reduce", one_nvlink_domain=True)
    assert whole["ranks"] == 72 and [one["what"] for one in whole["limits"]] == ["NVLink SHARP"]
    assert 800 < whole["bus_bandwidth"] < 1100
    together = bandwidth(trays, "alltoall", one_nvlink_domain=True)
    assert together == pytest.approx(721.8) and together > 10 * apart
    assert bandwidth([node(GB200, "NV18", 1)] * 2, one_nvlink_domain=True) is None


@pytest.mark.parametrize("machines, operation, gpus, why", [
    ([node()], "all_reduce", 1, "a single GPU has nobody to exchange with"),
    ([node(count=1, nics=1)], "all_reduce", None, "a single GPU has nobody to exchange with"),
    ([node(count=0, nics=0), node()], "all_reduce", None, "a node has no GPUs in its topology"),
    ([node(), node(count=4)], "all_reduce", 8, "a node has fewer than 8 GPUs in its topology"),
    ([], "all_reduce", None, "a node has no GPUs in its topology"),
    ([node()], "hypercube", None, "no expectation for operation 'hypercube'; there is one for all_gather"),
    ([node()], None, None, "no expectation for operation None"),
    ([node(words=None)], "all_reduce", None, "nothing is known of: NVLink: nobody told which GPUs it joins"),
    ([node(name=None)], "all_reduce", None, "nothing is known of: NVLink"),
    ([node(PCIE, "NODE", speed=None)], "all_reduce", None, "nothing is known of: PCIe of the GPUs"),
    ([node(nics=0)] * 2, "all_reduce", None, "nothing is known of: network"),
    ([node(rate=None)] * 2, "all_reduce", None, "nothing is known of: network")])
def test_what_is_not_known_is_not_expected(machines, operation, gpus, why):
    found = expected(machines, operation, gpus)
    assert found["bus_bandwidth"] is None and found["efficiency"] is None
    assert why in found["why"]


def test_the_training_node_of_the_tests(tmp_path):
    fact = read_topology(Host(root=str(eight_gpu.build(tmp_path))))
    assert bandwidth([fact]) == pytest.approx(476, abs=0.1)
    assert bandwidth([fact, fact]) == 340


@pytest.mark.parametrize("fault, words", [
    ("nic_x8", "mlx5_2 is at 31.5 GB/s"), ("nic_slow", "mlx5_1 is at 12.5 GB/s"), ("nic_down", "mlx5_6 is at no rate")])
def test_a_planted_fault_is_said_and_leaves_the_bar_where_it_was(tmp_path, fault, words):
    sick = read_topology(Host(root=str(eight_gpu.build(tmp_path, fault))))
    found = expected([sick, sick], "all_reduce")
    assert found["bus_bandwidth"] == 340 and words in found["warnings"][0]


def test_a_nic_without_a_link_is_missed_by_its_own_gpu_alone(tmp_path):
    sick = read_topology(Host(root=str(eight_gpu.build(tmp_path, "nic_down"))))
    assert nic_rates.of_gpus(sick, sick["gpus"][5:6]) == ["mlx5_5", "mlx5_6"]
    assert nic_rates.of_gpus(sick, sick["gpus"][4:5]) == ["mlx5_5"]
    other = [dict(device, board_id="OTHER") if device["name"] == "mlx5_6" else device
             for device in sick["rdma_devices"]]
    assert nic_rates.of_gpus(dict(sick, rdma_devices=other), sick["gpus"][5:6]) == ["mlx5_5"]


def test_efficiencies_are_shares():
    shares = [*nccl_limits.NVLINK_EFFICIENCY.values(), *nccl_limits.NVLS_EFFICIENCY.values(),
              nccl_limits.XGMI_EFFICIENCY, nccl_limits.PCIE_EFFICIENCY, nccl_limits.NETWORK_EFFICIENCY]
    assert all(0.5 < share < 1 for share in shares)
