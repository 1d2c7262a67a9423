# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on NCCL_IB_HCA (R10) and on the form of nccl.conf (R20)."""

from __future__ import annotations

import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import hca as rules

from tests.sysroots import eight_gpu, plain_node, roce_node
from tests.sysroots.plain_node import put
from tests.sysroots.roce_node import bare_view, conf, messages, nccl_step, view

RIGHT = "=" + ",".join(eight_gpu.RAILS)


@pytest.fixture(name="root", scope="module")
def fixture_root(tmp_path_factory):
    """One node for all tests here: they write nothing but its nccl.conf, and a device that two of them need."""
    return roce_node.build(tmp_path_factory.mktemp("hca"))


@pytest.fixture(autouse=True)
def fixture_clean(root):
    yield
    (root / "etc/nccl.conf").unlink(missing_ok=True)


def told(root, value, **options):
    conf(root, "NCCL_IB_HCA=" + value)
    return messages(rules.r10_list(view(root, **options)), "R10")


@pytest.mark.parametrize("value", [RIGHT, RIGHT.replace(",", ":1,"), "=mlx5_0:1:0:0,mlx5_1", "^mlx5_4,mlx5_9",
                                   "^=mlx5_4"])
def test_a_right_list_says_nothing(root, value):
    assert told(root, value) == []


@pytest.mark.parametrize("value, words", [
    ("=mlx5_0,mlx5_10", "no device mlx5_10, and without one NCCL goes over TCP and says nothing; did you mean mlx5_"),
    ("rocep193s0f0", "no device rocep193s0f0"), ('"mlx5_0"', 'no device "mlx5_0"'),
    ("=mlx5_0:2", "mlx5_0 has no port 2"), ("=mlx5", "no device mlx5,"),
    ("mlx5", "mlx5_4, mlx5_9 serve storage and no GPU"), ("=mlx5_0,mlx5_4", "mlx5_4 serves storage and no GPU"),
])
def test_an_entry_that_matches_nothing_or_too_much_is_an_error(root, value, words):
    (severity, message), = told(root, value)
    assert severity == "E" and words in message
    assert message.startswith("/etc/nccl.conf:1: NCCL_IB_HCA=%s: " % value)
    assert message.endswith(" NCCL_IB_HCA=" + RIGHT)


def test_a_list_where_there_is_no_device_at_all(tmp_path):
    """The driver is not loaded, or the list is another node's: NCCL goes over TCP without a word."""
    root = plain_node.build(tmp_path)
    (one,) = rules.r10_list(view(root, [nccl_step("NCCL_IB_HCA", "=mlx5_0")]))
    assert (one["rule"], one["severity"], one["setting"]) == ("R10", "E", "NCCL_IB_HCA")
    assert "there is no RDMA device here" in one["message"] and "Load the driver" in one["message"]
    (severity, message), = told(root, "=mlx5_0")
    assert severity == "W" and message.startswith("/etc/nccl.conf:1: NCCL_IB_HCA==mlx5_0: there is no RDMA device")
    assert told(root, "^=mlx5_4") == []


def test_where_no_rail_is_up_nccl_would_take_storage(tmp_path):
    root = roce_node.build(tmp_path)
    given = {"nccl_env_derived": {"NCCL_IB_HCA": {"value": None, "why": "all are DOWN"}}}
    for name in eight_gpu.RAILS:
        put(root, "/sys/class/infiniband/%s/ports/1/state" % name, "1: DOWN")
    (severity, message), = messages(rules.r10_left_to_nccl(bare_view(root, given=given)), "R10")
    assert severity == "W" and "for all are DOWN: NCCL then takes every port that is up: mlx5_4, mlx5_9." in message
    assert rules.r10_left_to_nccl(bare_view(root, given=dict(given, nccl_env_multi_node="no"))) == []
    given["nccl_env_derived"]["NCCL_IB_HCA"]["value"] = RIGHT
    assert rules.r10_left_to_nccl(bare_view(root, given=given)) == [] == rules.r10_left_to_nccl(bare_view(root))


@pytest.mark.parametrize("fabric, said", [("infiniband", True), ("ethernet", False), ("rail", False), (None, False)])
def test_a_fabric_is_that_of_the_nics(root, fabric, said):
    found = messages(rules.declared_fabric(bare_view(root, given={"nccl_env_fabric": fabric})), "fabric")
    assert [severity for severity, _message in found] == ["W"] * said
    assert all("nccl_env_fabric is infiniband, and on Ethernet are mlx5_0 (rail0)," in words for _one, words in found)


def test_what_an_exclusion_does_not_find_is_a_warning(root):
    (severity, message), = told(root, "^mlx4_0")
    assert severity == "W" and "leaves out what is not there: no device mlx4_0" in message


def test_the_operators_word_on_storage_counts(root):
    assert told(root, "=mlx5_0", rdma_roce_compute_nics=["mlx5_0"]) == []
    (_severity, message), = told(root, "=mlx5_0", rdma_roce_compute_nics=["mlx5_1"])
    assert "mlx5_0 serves storage and no GPU" in message and message.endswith(" NCCL_IB_HCA==mlx5_1")


def test_a_list_that_role_nccl_env_would_write_is_judged_on_its_setting(root):
    conf(root, "NCCL_IB_HCA=mlx5")
    steps = [nccl_step("NCCL_IB_HCA", "=mlx5_0,mlx5_10")]
    (one,) = rules.r10_list(view(root, steps))
    assert (one["rule"], one["severity"], one["setting"]) == ("R10", "E", "NCCL_IB_HCA")
    assert one["message"].startswith("nccl_env_ib_hca: NCCL_IB_HCA==mlx5_0,mlx5_10: no device mlx5_10")
    options = {"nccl_env_compute_nics": ["mlx5_0"], "nccl_env_storage_nics": None}
    assert rules.r10_list(bare_view(root, [nccl_step("NCCL_IB_HCA", "=mlx5_0")], options)) == []
    (one,) = rules.r10_list(bare_view(root, [nccl_step("NCCL_IB_HCA", "=mlx5_1")], options))
    assert one["setting"] == "NCCL_IB_HCA" and one["message"].endswith(" NCCL_IB_HCA==mlx5_0")


def test_an_exclusion_of_the_role_s_own_is_told_on_its_setting(root):
    (one,) = rules.r10_list(view(root, [nccl_step("NCCL_IB_HCA", "^=mlx4_0")]))
    assert (one["severity"], one["setting"]) == ("W", "NCCL_IB_HCA")


def test_a_prefix_means_all_that_begin_with_it(tmp_path):
    root = roce_node.build(tmp_path)
    for name in ("mlx5_10", "mlx5_11"):
        put(root, "/sys/class/infiniband/%s/ports/1/link_layer" % name, "Ethernet")
        put(root, "/sys/class/infiniband/%s/ports/1/state" % name, "4: ACTIVE")
    (severity, message), = told(root, "mlx5_1")
    assert severity == "E" and "mlx5_1 is the beginning of mlx5_10, mlx5_11 too, and means all of them" in message
    put(root, "/sys/class/infiniband/mlx5_11/ports/1/state", "1: DOWN")
    (_severity, message), = told(root, "mlx5_1")
    assert "mlx5_11 port 1 is DOWN" in message and "mlx5_11 serves" not in message
    assert told(root, "=mlx5_1") == []


def test_a_port_that_is_down_is_no_way_out(tmp_path):
    root = roce_node.build(tmp_path, "nic_down")
    (severity, message), = told(root, RIGHT)
    assert severity == "E" and "mlx5_6 port 1 is DOWN" in message
    assert message.endswith(" NCCL_IB_HCA=" + RIGHT.replace(",mlx5_6", ""))


def test_nccl_takes_32_ports(tmp_path):
    root = roce_node.build(tmp_path)
    for number in range(33):
        put(root, "/sys/class/infiniband/mlx5_0/ports/%d/link_layer" % (number + 2), "Ethernet")
    (_severity, message), = told(root, "=mlx5_0")
    assert "it matches 34 ports, and NCCL takes 32" in message


@pytest.mark.parametrize("line, fault", [
    ("export NCCL_DEBUG=INFO", "line 2 begins with export: the variable is called 'export NCCL_DEBUG'"),
    ('NCCL_IB_HCA="mlx5_0"', "line 2 has quotes: they are part of the value"),
    ("NCCL_DEBUG=WARN # c", "line 2 has a comment after the value"),
    ("NCCL_DEBUG = WARN", "line 2 has spaces around ="),
    (" # x=1", "line 2 is a comment that does not begin with #"), ("NCCL_DEBUG=WARN\r", "carriage return"),
    ("NCCL_DEBUG=WARN ", "spaces around =, or at an end"), ("\ufeffNCCL_DEBUG=WARN", "the mark of an editor (BOM)"),
    ("NCCL_IB_HCA=" + "m" * 1024, "longer than the 1023 letters")])
def test_r20_what_the_shell_would_take_away_is_kept(root, line, fault):
    conf(root, "NCCL_IB_TC=106", line, "# x=1")
    (severity, message), = messages(rules.r20_conf_syntax(view(root)), "R20")
    assert severity == "W" and message.startswith("/etc/nccl.conf: ") and fault in message


def test_r20_a_file_that_is_about_to_be_replaced_is_as_good_as_gone(root):
    conf(root, "export NCCL_DEBUG=INFO")
    assert rules.r20_conf_syntax(view(root, [nccl_step("NCCL_DEBUG", "WARN")])) == []
    assert len(rules.r20_conf_syntax(view(root, [nccl_step("NCCL_DEBUG", "WARN", "conflict")]))) == 1


def test_r20_a_plain_file_says_nothing(root):
    conf(root, "# a comment", "NCCL_IB_TC=106", "NCCL_IB_HCA=" + RIGHT, "", "NCCL_SOCKET_IFNAME==eno1")
    assert rules.r20_conf_syntax(view(root)) == []


@pytest.mark.parametrize("mounted, given, blind", [(None, {}, True), ("NCCL_IB_TC=106", {}, False),
                                                   (None, {"NCCL_IB_TC": "106"}, False)])
def test_r20_a_container_does_not_see_the_hosts_file(tmp_path, mounted, given, blind):
    root = roce_node.build(tmp_path)
    conf(root, "NCCL_IB_TC=106")
    roce_node.job(root, 70, **given)
    for pid in (1, 70):
        (root / "proc" / str(pid) / "ns").mkdir(parents=True, exist_ok=True)
        os.symlink("mnt:[%d]" % pid, root / "proc" / str(pid) / "ns/mnt")
    if mounted:
        put(root, "/proc/70/root/etc/nccl.conf", mounted)
    found = messages(rules.r20_container(view(root)), "R20")
    assert [severity for severity, _message in found] == (["W"] if blind else [])
    assert all(message.startswith("process 70 (python3): its container does not see") for _one, message in found)
