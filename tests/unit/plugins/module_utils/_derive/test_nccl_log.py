# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what NCCL's log tells of a run: the network and the paths, GPUDirect RDMA, the environment, the versions."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_log


def log(*words):
    return ["node1:166:207 [3] NCCL INFO " + line for line in words]


USING = "NET/IB : Using [0]mlx5_0:1/RoCE [1]mlx5_1:1/RoCE [RO]; OOB eth0:10.0.0.1<0>"
SEND = "Channel %02d/0 : 0[0] -> 8[0] [send] via NET/IB/%d/GDRDMA"


def test_the_network_with_gpudirect():
    lines = log(USING, "Using network IB", SEND % (0, 0), SEND % (1, 1), SEND % (2, 0) + "/Shared",
                "Channel 03/0 : 8[0] -> 0[0] [receive] via NET/IB/3(5)/GDRDMA(PCI)",
                "Channel 00 : 0[0] -> 1[1] via P2P/CUMEM/read", "Channel 01/0 : 0[0] -> 1[1] via P2P/direct pointer",
                "Channel 02/0 : 0[0] -> 1[1] via SHM/direct/direct")
    got = nccl_log.transport(lines)
    assert (got["kinds"], got["net"], got["gdrdma"]) == (["NET/IB", "P2P", "SHM"], "IB", True)
    assert (got["hcas"], got["link_layers"]) == (["mlx5_0:1", "mlx5_1:1"], ["RoCE"])
    assert got["channels"] == {"NET/IB/GDRDMA": 2, "NET/IB/GDRDMA/Shared": 1, "NET/IB/GDRDMA(PCI)": 1,
                               "P2P/CUMEM/read": 1, "P2P/direct pointer": 1, "SHM/direct/direct": 1}
    assert got["evidence"] == [line for line in lines if "Channel 01/0 : 0[0] -> 8[0]" not in line]


def test_channels_of_rccl():
    got = nccl_log.transport(log("Channel 00/0 : 1[1] -> 0[0] via P2P/direct pointer comm 0x55d0 nRanks 16",
                                 "Channel 01/0 : 1[1] -> 0[0] via P2P/direct pointer comm 0x66d0 nRanks 16",
                                 "Channel 02/0 : 8[0] -> 0[0] [receive] via NET/IB/3/GDRDMA comm 0x7f nRanks 16",
                                 "Channel 03/0 : 8[0] -> 0[0] [receive] via NET/IB/0 comm 0x7f nRanks 16"))
    assert got["channels"] == {"P2P/direct pointer": 2, "NET/IB/GDRDMA": 1, "NET/IB": 1}
    assert got["gdrdma"] is False


def test_one_staged_channel_is_no_gpudirect():
    got = nccl_log.transport(log(SEND % (0, 0), "Channel 01/0 : 0[0] -> 8[0] [send] via NET/IB/1"))
    assert (got["gdrdma"], got["net"]) == (False, "IB")


def test_sends_through_host_memory_are_no_fault():
    channel = "Ring 00 : 1[18100000] -> 0[435e00000] [%s] via NET/IB/0%s"
    assert nccl_log.transport(log(channel % ("receive", "/GDRDMA"), channel % ("send", "")))["gdrdma"] is True
    assert nccl_log.transport(log(channel % ("receive", ""), channel % ("send", "/GDRDMA")))["gdrdma"] is False


def test_the_number_of_ranks():
    assert nccl_log.ranks(log("comm 0x7f5780001ca0 rank 15 nranks 32 cudaDev 7 nvmlDev 7 - Init COMPLETE", "x")) == 32
    assert nccl_log.ranks(["comm 0x7f5780001ca0 rank 15 nranks 32"]) is None


def test_the_fallback_to_sockets():
    got = nccl_log.transport(log("NET/IB : No device found.", "NET/Socket : Using [0]eth0:10.0.0.1<0>",
                                 "Using network Socket", "Channel 00/0 : 1[1] -> 0[0] [send] via NET/Socket/0"))
    assert (got["net"], got["gdrdma"], got["kinds"], got["hcas"]) == ("Socket", False, ["NET/Socket"], [])
    assert got["no_device"] == ["IB"]
    assert len(got["evidence"]) == 4


def test_what_was_chosen_counts_before_what_was_begun():
    assert nccl_log.transport(log("NET/Socket : Using [0]eth0:10.0.0.1<0>", USING, "Using network IB"))["net"] == "IB"
    assert nccl_log.transport(log(USING, "Using network IB", "Using network Socket"))["net"] == "Socket"
    # RCCL says this where it found none.
    assert nccl_log.transport(log("NET/IB : No device found.", "NET/IB : Using [RO]; OOB eno1:10.0.20.2<0>",
                                  "NET/Socket : Using [0]eno1:10.0.20.2<0>", "Using network Socket"))["net"] == "Socket"


@pytest.mark.parametrize("words, provider", [
    ("NET/OFI Selected Provider is efa*", "efa"), ("NET/OFI Selected provider is cxi (found 2 nics)", "cxi"),
    ("NET/OFI Selected provider is tcp, fabric is 10.201.0.0/16 (found 2 nics)", "tcp")])
def test_the_provider_of_libfabric(words, provider):
    got = nccl_log.transport(log(words, "Using network AWS Libfabric"))
    assert (got["net"], got["libfabric_providers"]) == ("AWS Libfabric", [provider])
    assert got["evidence"][0].endswith(words)


def test_one_channel_over_a_socket_is_socket():
    got = nccl_log.transport(log(SEND % (0, 0), "Channel 01/0 : 1[1] -> 0[0] [send] via NET/Socket/0"))
    assert got["net"] == "Socket"


@pytest.mark.parametrize("lines, net, kinds", [
    (["Using network AWS Libfabric", "Channel 00/0 : 0[0] -> 8[0] [send] via NET/AWS Libfabric/0/GDRDMA"],
     "AWS Libfabric", ["NET/AWS Libfabric"]),
    (["NET/FasTrak : Using [0]eth1:10.0.0.1"], "FasTrak", ["NET/FasTrak"]),
    (["NET/gIB : Using [0]mlx5_0:1/RoCE"], "gIB", ["NET/gIB"]),
    (["Initialized NET plugin IB", "Assigned NET plugin IB to comm"], "IB", ["NET/IB"]),
    (["CollNet 00/0 : 0 [send] via COLLNET/SHARP/0/GDRDMA"], None, ["COLLNET/SHARP"]),
    (["NET/Plugin: Could not find: libnccl-net.so", "Channel 00 : 0[0] -> 1[1] via P2P/IPC"], None, ["P2P"])])
def test_other_networks(lines, net, kinds):
    got = nccl_log.transport(log(*lines))
    assert (got["net"], got["kinds"]) == (net, kinds)


@pytest.mark.parametrize("words, enabled", [(["Enabled"], True), (["Enabled", "Disabled"], False), ([], None)])
def test_without_channels_the_devices_say_whether_gpudirect_is_on(words, enabled):
    said = ["NET/IB : GPU Direct RDMA %s for HCA %d 'mlx5_%d'" % (word, at, at) for at, word in enumerate(words)]
    assert nccl_log.transport(log(USING, *said))["gdrdma"] is enabled


def test_nvls():
    got = nccl_log.transport(log("NVLS multicast support is available on dev 0", "Connected NVLS tree"))
    assert (got["kinds"], got["multicast"]) == (["NVLS"], True)
    got = nccl_log.transport(log("NVLS multicast support is not available on dev 1"))
    assert (got["kinds"], got["multicast"]) == ([], False)


def test_rails_and_planes_in_the_list_of_devices():
    assert nccl_log.transport(log("NET/IB : Using [0]mlx5_0:1:0:2/IB [1]rocep1s0:2::1/RoCE"))["hcas"] == [
        "mlx5_0:1", "rocep1s0:2"]


def test_no_log_is_no_transport():
    assert nccl_log.transport([]) is None
    assert nccl_log.transport(["NET/IB : Using [0]mlx5_0:1/RoCE"] + log("Launch mode Parallel")) is None


def test_a_big_log_keeps_a_line_a_way():
    got = nccl_log.transport(log(*(SEND % (channel, channel % 8) for channel in range(5000))))
    assert (len(got["evidence"]), got["channels"]) == (1, {"NET/IB/GDRDMA": 5000})
    assert len(nccl_log.transport(log(*("Using network N%d" % at for at in range(500))))["evidence"]) == 40


def test_the_environment():
    assert nccl_log.environment(log(
        "NCCL_P2P_PXN_LEVEL set by environment to 0.", "NCCL_SOCKET_IFNAME set by environment to =eth0,eth1",
        "NCCL_NET_GDR_LEVEL set by environment to PHB", "NCCL_NET_GDR_LEVEL set by environment to SYS") + [
            "NCCL_ALGO set by environment to Ring"]) == {
                "NCCL_P2P_PXN_LEVEL": "0", "NCCL_SOCKET_IFNAME": "=eth0,eth1", "NCCL_NET_GDR_LEVEL": "PHB"}


@pytest.mark.parametrize("line, versions", [
    ("NCCL version 2.25.1+cuda12.8", {"nccl": "2.25.1+cuda12.8"}),
    ("# nccl-tests version 2.17.9 nccl-headers=22903 nccl-library=22904", {"nccl_tests": "2.17.9", "nccl": "2.29.4"}),
    ("RCCL version 2.18.3+hip6.0 HEAD:abc", {"rccl": "2.18.3+hip6.0"}),
    ("RCCL version : 2.22.3-HEAD:x", {"rccl": "2.22.3-HEAD"}),
    ("rccl-tests: Version develop:a52452e", {"rccl_tests": "develop:a52452e"}), ("conversion", {})])
def test_versions(line, versions):
    assert nccl_log.versions([line]) == versions


def test_the_number_of_a_release():
    assert (nccl_log.release(22903), nccl_log.release(2804)) == ("2.29.3", "2.8.4")
