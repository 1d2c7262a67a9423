# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten faults in a node of eight GPUs and eight rails: each is found, named by its rule, with what to set and where.

All roles are planned with their real defaults, which Ansible evaluates from the node's own topology. The node is a
stand-in, its dcb and its PCI configuration space too: see tests/sysroots/ten_faults.py.
"""

from __future__ import annotations

import pytest

from tests.sysroots import evaluated_role, ten_faults

RIGHT = "mlx5_0,mlx5_1,mlx5_2,mlx5_3,mlx5_5,mlx5_6,mlx5_7,mlx5_8"
# What is so on the healthy node too: nothing sets the class again after a boot, until rdma_roce_apply lets us.
HEALTHY = [("rdma_roce", "R27", "W")]
NAMED = "storage NIC named as a rail"  # By the inventory, where the planted one is in nccl.conf.
ALL = "all ten"
_LOWERED = "sets fs.file-max = 6815744, which lowers what systemd raises to 9223372036854775807 at boot"
# Rules on NCCL's environment, whichever of the roles that read it has them: they are compared by their number.
BY_RULE, READERS = {"R10", "R19", "R20", "R21"}, ("nccl_env", "rdma_roce")
# Fault: [(role, rule, severity, what the message has: the device, what is wrong, what to set and where)].
FOUND = {
    "wrong trust": [
        ("rdma_roce", "R6", "W", ["rail3: trust is pcp, not dscp", "rdma_roce_apply: true lets this role set it"]),
        ("rdma_roce", "R9", "W", ["/etc/nccl.conf:3: NCCL_IB_TC=106 is not looked at by rail3",
                                  "It has to be dscp (rdma_roce_trust)"])],
    "PFC on the wrong priority": [
        ("rdma_roce", "R6", "W", ["rail4: PFC is on for priority 4, not for priority 3",
                                  "rdma_roce_apply: true lets this role set it"])],
    "storage NIC picked as a rail": [
        ("rdma_roce", "R10", "E", ["/etc/nccl.conf:2: ", "mlx5_4 serves storage and no GPU", "NCCL_IB_HCA==" + RIGHT])],
    "prefix mlx5_1": [
        ("rdma_roce", "R10", "E", ["/etc/nccl.conf:2: ", "mlx5_1 is the beginning of mlx5_10, mlx5_11 too",
                                   "mlx5_10 serves no GPU", "a = that begins the value", "NCCL_IB_HCA==" + RIGHT])],
    "GID index that shifted": [
        ("rdma_roce", "R21", "E", ["/etc/nccl.conf:4: NCCL_IB_GID_INDEX=3", "on mlx5_6 (rail5)", "5 is right",
                                   "remove it, with NCCL 2.21 or later"])],
    "MTU 1500 on one rail": [
        ("rdma_roce", "R26", "W", ["mlx5_7 (rail6) has MTU 1500, so RoCE sends 1024 bytes", "network_mtu sets it"]),
        ("rdma_roce", "R26", "W", ["the MTU differs between ports of this node: 1500 on mlx5_7 (rail6)",
                                  "network_mtu gives all the same"])],
    "NIC at half width": [
        ("gpudirect", "R14", "E", ["mlx5_8 (%s): its link, 32.0 GT/s PCIe x8, carries 31.5 GB/s" %
                                   ten_faults.eight_gpu.NIC_ADDRESSES[7], "its port 50", "x16: reseat the card"])],
    "ACS redirect on one bridge": [
        ("gpudirect", "R24", "E", ["at %s send what goes between GPU 2 and mlx5_3" % ten_faults.BRIDGE,
                                   "set gpudirect_acs: redirect-off", "pci=disable_acs_redir=%s" % ten_faults.BRIDGE])],
    "peermem missing with no DMA-BUF": [
        ("gpudirect", "R12", "W", ["proprietary kernel module; nvidia_peermem is not loaded",
                                   "This role loads nvidia_peermem"])],
    "fs.file-max lowered by another file": [
        ("network", "R17", "W", ["/etc/sysctl.d/60-oracle.conf:2 " + _LOWERED, "remove that line"])],
    NAMED: [
        ("rdma_roce", "R10", "E", ["/etc/nccl.conf:2: ", "mlx5_3 serves storage and no GPU"]),
        ("rdma_roce", "rail-storage", "W", ["rdma_roce_compute_nics names mlx5_4", "leaves out mlx5_3"]),
        ("gpudirect", "gpu-rail", "W", ["GPU 3 has no NIC of its own", "not left out of gpudirect_compute_nics"])],
}
# Settings that a fault puts out of order, or in: (role, setting, status on the faulty node). The list in the site's
# file is then another one than ours would be. Without a GID that is right on all ports there is no index to set.
_OTHER_LIST = {("nccl_env", "NCCL_IB_HCA", "conflict")}
MOVED = {"peermem missing with no DMA-BUF": {("gpudirect", "nvidia_peermem", "drift")},
         "storage NIC picked as a rail": _OTHER_LIST, "prefix mlx5_1": _OTHER_LIST, NAMED: _OTHER_LIST,
         "GID index that shifted": {("nccl_env", "NCCL_IB_GID_INDEX", None)}}
CHOSEN = ["mlx5_4" if name == "mlx5_3" else name for name in RIGHT.split(",")]


@pytest.fixture(name="plans", scope="module")
def fixture_plans(tmp_path_factory):
    """{fault: {role: plan}}; None is the healthy node."""
    folder = tmp_path_factory.mktemp("ten_faults")
    planted = {None: (), ALL: tuple(ten_faults.FAULTS), NAMED: ()}
    planted.update((name, (name,)) for name in ten_faults.FAULTS)
    roots, hosts = {}, {}
    for number, (name, faults) in enumerate(planted.items()):
        roots[name] = ten_faults.build(folder / str(number), *faults)
        chosen = CHOSEN if name == NAMED else None
        hosts[name] = {"topology": ten_faults.fact(roots[name], compute_nics=chosen), "gpuwright_compute_nics": chosen,
                       "nccl_env_min_version": ten_faults.MIN_VERSION}
    asked = evaluated_role.arguments(tmp_path_factory.mktemp("play"), ten_faults.ROLES, hosts)
    return {name: ten_faults.plans(root, asked[name]) for name, root in roots.items()}


def findings(plans):
    """[(role, rule, severity, message)]"""
    return sorted((_role(role, one["rule"]), one["rule"], one["severity"], one["message"])
                  for role, made in plans.items() for one in made.findings)


def _role(role, rule):
    return "rdma_roce" if rule in BY_RULE and role in READERS else role


def statuses(plans):
    """{(role, target): status}"""
    return {(role, step["target"]): step["status"] for role, made in plans.items() for step in made.steps}


def new(plans, fault):
    """The findings that the healthy node does not have; of the rules that it has too, none may go."""
    before = findings(plans[None])
    now = findings(plans[fault])
    assert {one[:3] for one in before} <= {one[:3] for one in now}
    return [one for one in now if one[:3] not in {other[:3] for other in before}]


def test_a_healthy_node_with_standins_for_dcb_and_pci_has_no_findings(plans):
    assert [one[:3] for one in findings(plans[None]) if one[2] != "I"] == HEALTHY
    assert set(statuses(plans[None]).values()) <= {"ok", "drift", "not_applicable", "refused"}
    refused = {target for (role, target), status in statuses(plans[None]).items() if status == "refused"}
    assert {target.partition("/")[2] for target in refused} == {"dcb/dcbx", "dcb/trust", "dcb/prio-pfc"}
    assert set(plans[None]) == set(ten_faults.ROLES)


def test_the_faults_are_those_of_the_node():
    assert set(FOUND) == set(ten_faults.FAULTS) | {NAMED} and len(ten_faults.FAULTS) == 10


@pytest.mark.parametrize("fault", sorted(FOUND))
def test_a_fault_with_standins_for_dcb_and_pci_is_found_by_its_rule_alone(plans, fault):
    told = new(plans, fault)
    assert [one[:3] for one in told] == sorted(one[:3] for one in FOUND[fault]), told
    for role, rule, severity, words in FOUND[fault]:
        assert any(one[:3] == (role, rule, severity) and all(part in one[3] for part in words) for one in told), told


@pytest.mark.parametrize("fault", sorted(FOUND))
def test_a_fault_with_standins_for_dcb_and_pci_moves_no_other_setting(plans, fault):
    before, now = statuses(plans[None]), statuses(plans[fault])
    moved = {key + (now.get(key),) for key in set(before) | set(now) if before.get(key) != now.get(key)}
    assert moved == MOVED.get(fault, set())


def test_ten_faults_at_once_with_standins_for_dcb_and_pci_hide_none_of_each_other(plans):
    told = new(plans, ALL)
    wanted = [one for name in ten_faults.FAULTS for one in FOUND[name]]
    for role, rule, severity, words in wanted:
        if rule != "R10":  # Both faults of the list of HCAs are in one sentence.
            assert any(one[:3] == (role, rule, severity) and all(part in one[3] for part in words) for one in told)
    (_role, _rule, _severity, message), = [one for one in told if one[1] == "R10"]
    assert "mlx5_4 serves storage" in message and "mlx5_1 is the beginning of mlx5_10, mlx5_11 too" in message
    assert len(told) == len(wanted) - 1
