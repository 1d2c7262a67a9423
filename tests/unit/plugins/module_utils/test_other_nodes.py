# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles with their real defaults on nodes that are not like the others: what does not apply says so, and why.

The nodes are stand-ins: see tests/sysroots/other_nodes.py.
"""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result

from tests.sysroots import evaluated_role, other_nodes, ten_faults

ASKED = {"gpudirect_iommu": "pt", "gpudirect_acs": "redirect-off", "rdma_roce_infiniband_sl": 1}
CLASS = {"dcb/dcbx", "dcb/trust", "dcb/prio-pfc", "ecn/roce_np/enable", "ecn/roce_rp/enable", "ecn/roce_np/cnp_dscp",
         "ecn/roce_np/cnp_802p_prio"}
ETHERNET = [("R27", "W")]  # As on the healthy node of test_ten_faults.py: the class was set by hand.


@pytest.fixture(name="asked", scope="module")
def fixture_asked(tmp_path_factory):
    """(node, whether more is asked for than by default) to the arguments of the roles; None: the node's root."""
    roots = {name: other_nodes.build(tmp_path_factory.mktemp("node"), name) for name in other_nodes.NODES}
    facts = {name: {"topology": ten_faults.fact(root), "nccl_env_min_version": ten_faults.MIN_VERSION}
             for name, root in roots.items()}
    hosts = {(name, more): dict(fact, **(ASKED if more else {})) for name, fact in facts.items()
             for more in (False, True)}
    told = evaluated_role.arguments(tmp_path_factory.mktemp("play"), ten_faults.ROLES, hosts)
    told.update(((name, None), root) for name, root in roots.items())
    return told


@pytest.fixture(name="plans")
def fixture_plans(asked):
    """A function from a node, and whether more is asked for, to its plans by role."""
    return lambda name, more=False: ten_faults.plans(asked[name, None], asked[name, more])


def absent(made):
    """{setting: why it does not apply}, of those that apply nowhere on the node."""
    applies = {step["name"] for step in made.steps if step["status"] != "not_applicable"}
    return {step["name"]: step["reason"] for step in made.steps if step["name"] not in applies}


def rules(plans):
    """[(rule, severity)] of what is an error or a warning."""
    return sorted((one["rule"], one["severity"]) for made in plans.values() for one in made.findings
                  if one["severity"] != "I")


@pytest.mark.parametrize("name, found", [
    ("InfiniBand", []), ("no RDMA", []), ("guest", ETHERNET), ("Grace", ETHERNET), ("AMD", ETHERNET)])
def test_defaults_fit_each_node(plans, name, found):
    made = plans(name)
    assert rules(made) == found
    assert [said for one in made.values() for said in _result.failures(one)] == []
    assert all(step["reason"] for one in made.values() for step in one.steps if step["status"] == "not_applicable")


def test_infiniband_is_the_subnet_managers_and_its_service_level_is_published(plans, asked):
    told = absent(plans("InfiniBand")["rdma_roce"])
    assert set(told) == CLASS
    assert set(told.values()) == {"the RDMA ports that serve GPUs and storage are InfiniBand, where priorities and "
                                  "service levels are the subnet manager's"}
    published = asked["InfiniBand", True]["rdma_roce"]["values"]["traffic_class.json"]
    assert published["link_layers"]["InfiniBand"]["NCCL_IB_SL"] == 1
    report = asked["InfiniBand", False]["rdma_roce"]["values"]["fabric.txt"]
    assert "The subnet manager decides" in report and "login1" not in report and "PFC" not in report


def test_without_rdma_nothing_of_it_applies(plans):
    made = plans("no RDMA", True)
    assert set(absent(made["rdma_roce"]).values()) == {"there is no RDMA device here"}
    assert {name: absent(made["gpudirect"])[name] for name in ("nvidia_peermem", "iommu", "pci/ACSCtl")} == \
        dict.fromkeys(("nvidia_peermem", "iommu", "pci/ACSCtl"), "no RDMA NIC that serves GPUs is here")


def test_nccl_is_told_what_the_node_has(plans, asked):
    """Devices, class and index are those of its NICs; on InfiniBand a service level takes the place of the class."""
    told = {name: {key: value for key, value in asked[name, True]["nccl_env"]["values"].items() if value not in
                   (None, "")} for name in other_nodes.NODES}
    assert told["no RDMA"] == {"NCCL_SOCKET_IFNAME": "=login0", "NCCL_DEBUG": "WARN"}
    assert set(told["InfiniBand"]) == {*told["no RDMA"], "NCCL_IB_HCA", "NCCL_IB_SL"}
    assert told["InfiniBand"]["NCCL_IB_SL"] == "1"
    for name in ("guest", "Grace", "AMD"):
        assert set(told[name]) == {*told["no RDMA"], "NCCL_IB_HCA", "NCCL_IB_TC", "NCCL_GIN_IB_TC",
                                   "NCCL_IB_GID_INDEX"}
    assert len({given["NCCL_IB_HCA"] for name, given in told.items() if name != "no RDMA"}) == 1
    assert {step["status"] for step in plans("AMD")["nccl_env"].steps} == {"ok"}


def test_a_guest_is_given_neither_passthrough_nor_other_bits(plans):
    told = absent(plans("guest", True)["gpudirect"])
    assert told["iommu"] == "this is a virtual machine or a container (qemu): the host below translates"
    assert told["pci/ACSCtl"] == "this is a virtual machine or a container (qemu): the bits belong to the host below"
    assert rules(plans("guest", True)) == ETHERNET


def test_grace_names_its_kernel_argument_and_refuses_to_clear_bits(plans):
    made = plans("Grace", True)
    assert absent(made["gpudirect"])["iommu"] == "this is aarch64, where the kernel argument is iommu.passthrough"
    assert {step["status"] for step in made["gpudirect"].steps if step["name"] == "pci/ACSCtl"} == {"refused"}
    assert ("R24", "E") in rules(made)


def test_amd_gpus_have_none_of_nvidias(plans):
    told = absent(plans("AMD")["gpudirect"])
    assert told == dict.fromkeys(("nvidia_peermem", "nvidia-persistenced.service", "nvidia-fabricmanager.service"),
                                 "no NVIDIA GPU is here")
