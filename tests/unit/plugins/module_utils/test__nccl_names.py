# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the names of NCCL's variables; that the real library knows them is shown in tests/gates/test_libnccl.py."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _nccl_names as names


def test_every_name_is_of_one_sort_and_has_a_version():
    assert names.INTEGERS <= set(names.SINCE) and not set(names.GONE) & set(names.SINCE)
    assert set(names.OLD) <= set(names.SINCE)
    assert names.DEBUGGING <= set(names.SINCE) | set(names.GONE)
    assert all(name.startswith("NCCL_") for name in (*names.SINCE, *names.GONE, *names.DEBUGGING))
    assert set(names.DEFAULTS) == names.INTEGERS


@pytest.mark.parametrize("name, since", [
    ("NCCL_IB_HCA", (2, 10)), ("NCCL_MAX_CTAS", (2, 17)), ("NCCL_MIN_CTAS", (2, 17)), ("NCCL_IB_MERGE_NICS", (2, 20)),
    ("NCCL_IB_ADDR_FAMILY", (2, 21)), ("NCCL_IB_ADDR_RANGE", (2, 21)), ("NCCL_IB_ROCE_VERSION_NUM", (2, 21)),
    ("NCCL_IB_FIFO_TC", (2, 22)), ("NCCL_CONF_FILE", (2, 23)), ("NCCL_RAS_ADDR", (2, 24)),
    ("NCCL_NETDEVS_POLICY", (2, 28)), ("NCCL_GIN_IB_TC", (2, 30)), ("NCCL_NET_MERGE_POLICY", (2, 30, 5))])
def test_since_when_a_name_is_known(name, since):
    assert names.SINCE[name] == since


def test_what_is_a_number_and_what_by_default():
    assert names.DEFAULTS["NCCL_CROSS_NIC"] == "2" and names.DEFAULTS["NCCL_IB_TIMEOUT"] == "20"
    assert names.DEFAULTS["NCCL_IB_TC"] == "-1" and names.DEFAULTS["NCCL_MAX_CTAS"] == ""
    assert not {"NCCL_ALGO", "NCCL_IB_HCA", "NCCL_NET_GDR_LEVEL", "NCCL_DEBUG"} & names.INTEGERS


def test_what_only_debugs_and_what_tells_of_the_site():
    for name in ("ALGO", "PROTO", "BUFFSIZE", "NTHREADS", "MAX_CTAS", "MIN_NCHANNELS", "NET_GDR_LEVEL", "IB_DISABLE",
                 "IB_PCI_RELAXED_ORDERING", "NVLS_ENABLE", "P2P_LEVEL"):
        assert "NCCL_" + name in names.DEBUGGING
    for name in ("IB_HCA", "IB_TC", "SOCKET_IFNAME", "CROSS_NIC", "IB_QPS_PER_CONNECTION", "NET_MERGE_POLICY",
                 "RAS_ADDR", "IB_TIMEOUT", "TOPO_FILE", "DEBUG", "IGNORE_CPU_AFFINITY"):
        assert "NCCL_" + name not in names.DEBUGGING


def test_what_became_of_old_names():
    assert names.OLD["NCCL_MAX_NCHANNELS"] == ("2.17", "NCCL_MAX_CTAS replaces it")
    assert names.GONE["NCCL_IB_CUDA_SUPPORT"] == ("2.4", "NCCL_NET_GDR_LEVEL replaced it")


@pytest.mark.parametrize("text, parsed", [("2.21", (2, 21)), ("2.27.5", (2, 27, 5)), ("v2.30.7-1", (2, 30, 7)),
                                          ("2.21.5+cuda12.4", (2, 21, 5))])
def test_versions(text, parsed):
    assert names.version(text) == parsed


@pytest.mark.parametrize("text", ["2", "latest", "", True, None, "2.x", "x2.21"])
def test_what_is_no_version(text):
    with pytest.raises(ValueError, match="is no version of NCCL, which is written in quotes as '2.21' or '2.27.5'"):
        names.version(text)


@pytest.mark.parametrize("number", [2.3, 2.21])
def test_a_number_may_have_been_another_version(number):
    with pytest.raises(ValueError, match="YAML reads 2.30 as 2.3: put the version in quotes"):
        names.version(number)


@pytest.mark.parametrize("name", ["NCCL_IB_HCA", "NCCL_IB_CUDA_SUPPORT", "NCCL_INSPECTOR_ENABLE", "NCCL_SHARP_DISABLE",
                                  "NCCL_ASYNC_ERROR_HANDLING"])
def test_names_that_somebody_knows(name):
    assert names.unknown(name) is None


@pytest.mark.parametrize("name, words", [
    ("NCCL_IB_HCAS", "NCCL has no variable NCCL_IB_HCAS; did you mean NCCL_IB_HCA?"),
    ("nccl_ib_hca", "NCCL has no variable nccl_ib_hca; did you mean NCCL_IB_HCA?"),
    ("NCCL_QQQQQQQ", "NCCL has no variable NCCL_QQQQQQQ"), ("NCCL_TUNER_x", "NCCL has no variable NCCL_TUNER_x"),
    ("export NCCL_DEBUG", "NCCL has no variable export NCCL_DEBUG; did you mean NCCL_DEBUG?")])
def test_a_name_that_nobody_knows_gets_the_nearest(name, words):
    assert names.unknown(name).startswith(words)
