# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of rule R19: NCCL's variables, as this role would write them and as others left them behind."""

from __future__ import annotations

import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._guard import View
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._rules import nccl_value as rules

from tests.sysroots import plain_node
from tests.sysroots.plain_node import put

OURS = "# Written by gpuwright.node, role nccl_env.\n"


@pytest.fixture(name="root", scope="module")
def fixture_root(tmp_path_factory):
    """One plain node; a test that puts files there takes one of its own."""
    return plain_node.build(tmp_path_factory.mktemp("nccl_value"))


def step(name, desired, status="drift", row=None, **more):
    """A step of kind nccl_conf."""
    variable = "nccl_env_" + name[5:].lower()
    return dict({"name": row or name, "kind": "nccl_conf", "target": name, "desired": desired, "status": status,
                 "_row": types.SimpleNamespace(variable=variable, twin=None), "_force": desired, "_fields": {}}, **more)


def view(root, steps=(), **options):
    made = types.SimpleNamespace(steps=list(steps), host=Host(str(root)), journal={"entries": {}})
    return View(made, dict({"nccl_env_min_version": "2.21", "nccl_env_debugging": False}, **options))


def told(findings):
    assert all(one["rule"] == "R19" for one in findings)
    return [(one["severity"], one["setting"], one["message"]) for one in findings]


def written(root, name, value, **options):
    return told(rules.r19_written(view(root, [step(name, value)], **options)))


@pytest.mark.parametrize("name, value", [
    ("NCCL_IB_HCA", "=mlx5_0:1,mlx5_1:1"), ("NCCL_SOCKET_IFNAME", "=eth0"), ("NCCL_IB_TC", "106"),
    ("NCCL_DEBUG", "WARN"), ("NCCL_CROSS_NIC", "0"), ("NCCL_IB_TIMEOUT", "22"),
    ("NCCL_IB_ADDR_FAMILY", "AF_INET"), ("NCCL_IB_SL", "5"),
    ("NCCL_DEBUG_SUBSYS", "INIT,NET"), ("NCCL_IB_QPS_PER_CONNECTION", "4"), ("NCCL_TOPO_FILE", "/etc/x.xml"),
    ("NCCL_DEBUG_SUBSYS", "^COLL"), ("NCCL_INSPECTOR_ENABLE", "1")])
def test_what_is_for_good_says_nothing(root, name, value):
    assert written(root, name, value) == []


@pytest.mark.parametrize("name, value, words", [
    ("NCCL_ALGO", "Ring", "Ring alone switches NVLink SHARP off"), ("NCCL_PROTO", "Simple", "takes the low latency"),
    ("NCCL_BUFFSIZE", "4194304", "memory of the GPU"), ("NCCL_NTHREADS", "256", "frees no SM"),
    ("NCCL_MAX_CTAS", "16", "cuts NVLink's bandwidth"), ("NCCL_NET_GDR_LEVEL", "SYS", "forced across sockets"),
    ("NCCL_IB_DISABLE", "0", "that is the default, and switches nothing on"), ("NCCL_IB_DISABLE", "1", "goes over TCP"),
    ("NCCL_IB_PCI_RELAXED_ORDERING", "1", "it is no ECN"), ("NCCL_NVLS_ENABLE", "1", "is on by default"),
    ("NCCL_PXN_DISABLE", "1", "NCCL no longer chooses it")])
def test_what_is_for_experiments_takes_a_word_of_the_operators(root, name, value, words):
    (severity, setting, message), = written(root, name, value)
    assert (severity, setting) == ("E", name) and words in message
    assert message.startswith("%s=%s: NVIDIA counts it among what should not be set in production: " % (name, value))
    assert message.endswith(". nccl_env_debugging: true lets it through")
    (severity, _setting, message), = written(root, name, value, nccl_env_debugging=True)
    assert severity == "W" and words in message and "lets it through" not in message


@pytest.mark.parametrize("value, words", [
    ("auto", "starts no communicator"), ("Tree", "Broadcast, Reduce, AllGather, ReduceScatter then fail: Tree cannot"),
    ("PAT", "Broadcast, Reduce, AllReduce then fail"), ("Broadcast:Tree", "Broadcast then fails: Tree cannot do it"),
    ("Tree", "Begin with a function, as in allreduce:Tree")])
def test_an_algorithm_that_breaks_a_communicator_is_refused_whatever_is_allowed(root, value, words):
    found = written(root, "NCCL_ALGO", value, nccl_env_debugging=True, nccl_env_min_version=None)
    assert ("E", "NCCL_ALGO") in [one[:2] for one in found] and words in " ".join(one[2] for one in found)


def test_an_algorithm_that_every_collective_can_do_is_only_for_experiments(root):
    for value in ("Ring", "^Tree", "AllReduce:Tree", "Ring;AllReduce:Tree,NVLSTree"):
        assert [one[0] for one in written(root, "NCCL_ALGO", value, nccl_env_debugging=True,
                                          nccl_env_min_version="2.24")] == ["W"]


@pytest.mark.parametrize("name, value, least, words", [
    ("NCCL_IB_ADDR_RANGE", "10.1.0.0/16", "2.20", "an NCCL before 2.21 takes no notice of it, and nccl_env_min_"),
    ("NCCL_NET_MERGE_POLICY", "RAIL", "2.30", "before 2.30.5 takes no notice"),
    ("NCCL_IB_FIFO_TC", "106", "2.21", "before 2.22"),
    ("NCCL_IB_HCA", "=mlx5_0:1:0", "2.29", "before 2.30 reads no rails"),
    ("NCCL_ALGO", "AllReduce:Ring", "2.23.4", "before 2.24 knows no FUNCTION:"),
    ("NCCL_ALGO", "Ring,NVLSTree", "2.17", "before 2.18 does not know NVLSTree"),
    ("NCCL_NET_GDR_LEVEL", "P2C", "2.27", "before 2.28 does not know P2C")])
def test_what_an_older_nccl_does_not_know_is_said(root, name, value, least, words):
    found = written(root, name, value, nccl_env_debugging=True, nccl_env_min_version=least)
    assert {one[0] for one in found} == {"W"} and words in found[0][2]
    found = written(root, name, value, nccl_env_debugging=True, nccl_env_min_version="2.30.7")
    assert not any(words in one[2] for one in found)


def test_what_is_derived_is_for_those_that_know_it(root):
    derived = {"NCCL_GIN_IB_TC": {"value": "106", "why": "x"}}
    assert written(root, "NCCL_GIN_IB_TC", "106", nccl_env_derived=derived) == []
    (severity, _setting, message), = written(root, "NCCL_GIN_IB_TC", "96", nccl_env_derived=derived)
    assert severity == "W" and "before 2.30 takes no notice" in message


def test_a_rail_without_a_port_is_refused_where_an_older_nccl_reads_it(root):
    (severity, setting, message), = written(root, "NCCL_IB_HCA", "=mlx5_0::0,mlx5_1::1")
    assert (severity, setting) == ("E", "NCCL_IB_HCA") and "takes the empty port for port 0" in message
    assert written(root, "NCCL_IB_HCA", "=mlx5_0::0,mlx5_1::1", nccl_env_min_version="2.30") == []
    assert written(root, "NCCL_IB_HCA", "=mlx5_0::0,mlx5_1::1", nccl_env_min_version=None) == []


@pytest.mark.parametrize("name, value, words", [
    ("NCCL_DEBUG", "INFO", "a flood"), ("NCCL_DEBUG_SUBSYS", "INIT,COLL", "each call"),
    ("NCCL_IB_TIMEOUT", "32", "for ever"),
    ("NCCL_IB_TIMEOUT", "10", "0.00419 s; 14 to 25"), ("NCCL_CONF_FILE", "/x", "before it reads a file"),
    ("NCCL_COMM_ID", "a:1", "would meet each other"), ("NCCL_HOSTID", "x", "one host to NCCL"),
    ("NCCL_WORK_FIFO_DEPTH", "1", "takes no notice of it since 2.22: NCCL_WORK_FIFO_BYTES replaced it")])
def test_what_is_legal_and_hurts_is_a_warning(root, name, value, words):
    (severity, setting, message), = written(root, name, value, nccl_env_min_version=None)
    assert (severity, setting) == ("W", name) and words in message


def test_an_old_name_has_its_new_one(root):
    found = written(root, "NCCL_MAX_NCHANNELS", "16", nccl_env_debugging=True)
    assert ("W", "NCCL_MAX_NCHANNELS", "NCCL_MAX_NCHANNELS=16: deprecated since NCCL 2.17: NCCL_MAX_CTAS replaces it"
            ) in found


def test_a_further_variable_is_judged_by_itself(root):
    steps = [step("NCCL_P2P_LEVEL", "NVL", row="NCCL_*"), step("NCCL_ALGO", "auto", "not_applicable")]
    (severity, setting, message), = told(rules.r19_written(view(root, steps)))
    assert (severity, setting) == ("E", "NCCL_P2P_LEVEL") and message.startswith("NCCL_P2P_LEVEL=NVL: ")


def test_the_oldest_version_is_one(root):
    (severity, setting, message), = told(rules.r19_version(view(root, nccl_env_min_version="latest")))
    assert (severity, setting) == ("E", None) and message.startswith("nccl_env_min_version: 'latest' is no version")
    assert rules.r19_version(view(root)) == [] and rules.r19_version(view(root, nccl_env_min_version=None)) == []
    assert rules.oldest(view(root, nccl_env_min_version="latest")) is None
    assert rules.oldest(view(root, nccl_env_min_version="2.27.5")) == (2, 27, 5)


def left(tmp_path, text, path="/etc/nccl.conf", steps=(), **options):
    root = plain_node.build(tmp_path)
    put(root, path, text)
    return told(rules.r19_left_behind(view(root, steps, **options)))


@pytest.mark.parametrize("line, severity, words", [
    ("NCCL_ALGO=auto", "E", "'auto' in 'auto' is not known"), ("NCCL_ALGO=Tree", "E", "does not fall back to ring"),
    ("NCCL_PROTO=auto", "E", "starts no communicator"), ("NCCL_PROTO=LL128", "W", "data are corrupted"),
    ("NCCL_CROSS_NIC=auto", "E", "that is no integer, and NCCL takes it for 0"),
    ("NCCL_BUFFSIZE=4M", "E", "takes it for 4"),
    ("NCCL_IB_SL=010", "E", "takes it for 8"), ("NCCL_NET_GDR_LEVEL=5", "W", "above 4 is SYS"),
    ("NCCL_NET_GDR_LEVEL=pxb", "W", "levels are in capitals"),
    ("NCCL_MIN_NCHANNELS=4", "W", "NCCL_MIN_CTAS replaces it"),
    ("NCCL_IB_CUDA_SUPPORT=1", "W", "since 2.4"), ("NCCL_IB_HCAS=mlx5", "W", "did you mean NCCL_IB_HCA"),
    ("NCCL_DEBUG=INFO", "W", "a flood")])
def test_what_others_left_behind(tmp_path, line, severity, words):
    (found, setting, message), = left(tmp_path, line + "\n")
    assert (found, setting) == (severity, None) and words in message
    assert message.startswith("/etc/nccl.conf:1: %s: " % line)


@pytest.mark.parametrize("line", ["NCCL_IB_TC=0x6a", "NCCL_COMM_ID=a:1", "NCCL_IB_GID_INDEX=-1", "NCCL_IB_HCA=mlx5",
                                  "NCCL_ASYNC_ERROR_HANDLING=1", "UCX_TLS=x"])
def test_what_others_may_set(tmp_path, line):
    assert left(tmp_path, line + "\n") == []


def test_what_only_debugs_is_told_once_a_file(tmp_path):
    (severity, setting, message), = left(tmp_path, "NCCL_ALGO=Ring\nNCCL_NTHREADS=256\n")
    assert (severity, setting) == ("W", None)
    assert message.startswith("/etc/nccl.conf: NVIDIA says that NCCL_ALGO=Ring, NCCL_NTHREADS=256 should not be set")


def test_a_file_that_this_run_replaces_is_not_blamed(tmp_path):
    line = "NCCL_ALGO=auto\n"
    assert left(tmp_path / "a", line, steps=[step("NCCL_DEBUG", "WARN", "drift")]) == []
    assert len(left(tmp_path / "b", line, steps=[step("NCCL_DEBUG", "WARN", "conflict")])) == 1
    assert left(tmp_path / "c", OURS + line, steps=[step("NCCL_DEBUG", "WARN", "ok")]) == []


def test_other_places_are_looked_at_and_a_running_job_is_no_error(tmp_path):
    found = left(tmp_path / "a", "export NCCL_ALGO=auto\n", "/etc/profile.d/nccl.sh", [step("NCCL_DEBUG", "WARN")])
    assert [(one[0], one[2].partition(": ")[0]) for one in found] == [("E", "/etc/profile.d/nccl.sh:1")]
    root = plain_node.build(tmp_path / "b")
    plain_node.process(root, 4242, "python3", "/dev/nvidia0")
    put(root, "/proc/4242/environ", "NCCL_ALGO=auto\0HF_TOKEN=hf_x")
    (severity, _setting, message), = told(rules.r19_left_behind(view(root)))
    assert severity == "W" and message.startswith("process 4242 (python3): NCCL_ALGO=auto: ") and "hf_x" not in message
