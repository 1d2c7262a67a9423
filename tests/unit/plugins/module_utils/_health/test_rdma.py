# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDMA ports and the errors they counted."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import rdma
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu, sysfs

PORT = "/sys/class/infiniband/mlx5_0/ports/1"


def _errors(machine, **counters):
    return rdma.errors(machine({"%s/%s" % (PORT, name): "%s\n" % value for name, value in counters.items()}), PORT)


@pytest.mark.parametrize("name", [
    "counters/symbol_error", "counters/link_downed", "counters/link_error_recovery", "counters/port_rcv_errors",
    "counters/port_xmit_discards", "counters/local_link_integrity_errors", "counters/excessive_buffer_overrun_errors",
    "counters/VL15_dropped", "counters/port_rcv_remote_physical_errors", "hw_counters/out_of_sequence",
    "hw_counters/out_of_buffer", "hw_counters/packet_seq_err", "hw_counters/local_ack_timeout_err",
    "hw_counters/rnr_nak_retry_err", "hw_counters/req_cqe_error", "hw_counters/rx_icrc_encapsulated",
    "hw_counters/roce_slow_restart", "hw_counters/implied_nak_seq_err", "hw_counters/rx_drops"])
def test_errors_that_are_counted(machine, name):
    assert _errors(machine, **{name: 7}) == {name.rpartition("/")[2]: 7}


@pytest.mark.parametrize("name", [
    "counters/port_xmit_wait", "counters/port_rcv_data", "counters/unicast_rcv_packets", "hw_counters/np_cnp_sent",
    "hw_counters/rp_cnp_handled", "hw_counters/np_ecn_marked_roce_packets", "hw_counters/lifespan",
    "hw_counters/req_cqe_flush_error", "hw_counters/roce_adp_retrans", "hw_counters/rx_read_requests"])
def test_traffic_and_congestion_are_no_errors(machine, name):
    assert _errors(machine, **{name: 7}) == {}


@pytest.mark.parametrize("value", [0, "", "N/A (no PMA)", "-1x"])
def test_zero_and_junk_are_left_out(machine, value):
    assert _errors(machine, **{"counters/symbol_error": value}) == {}


def test_ports_of_a_node(tmp_path):
    devices = rdma.read(Host(str(eight_gpu.build(tmp_path, "nic_down"))), {})
    assert len(devices) == 10
    assert [device["pci_address"] for device in devices][:2] == ["0000:1a:00.0", "0000:1f:00.0"]
    states = {device["name"]: device["ports"][0]["state"] for device in devices}
    assert states.pop("mlx5_6") == "DOWN" and set(states.values()) == {"ACTIVE"}
    assert devices[0]["ports"][0] == {"port": 1, "link_layer": "Ethernet", "state": "ACTIVE", "phys_state": "LinkUp",
                                      "rate": 400, "errors": {}}


def test_a_port_that_says_nothing(machine):
    host = machine({PORT + "/gids/0": "", "/sys/class/infiniband/mlx5_0/node_guid": ""})
    assert rdma.read(host, {}) == [{"name": "mlx5_0", "pci_address": None, "ports": [
        {"port": 1, "link_layer": None, "state": None, "phys_state": None, "rate": None, "errors": {}}]}]


def test_a_rate_with_a_fraction_stays_one(tmp_path):
    root = eight_gpu.build(tmp_path)
    sysfs.write(root, "sys/class/infiniband/mlx5_0/ports/1/rate", "2.5 Gb/sec (1X SDR)")
    assert rdma.read(Host(str(root)), {})[0]["ports"][0]["rate"] == 2.5
