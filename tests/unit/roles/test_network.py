# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of role network's defaults as Ansible evaluates them: limits only raised, rails where there are."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._settings import network

from tests.sysroots import evaluated_role

ALWAYS = {"network_nr_open": 1048576, "network_limit_nofile": 1048576, "network_rmem_max": 67108864,
          "network_wmem_max": 67108864, "network_tcp_rmem": "4096 131072 67108864",
          "network_tcp_wmem": "4096 65536 67108864", "network_somaxconn": 4096, "network_tcp_max_syn_backlog": 4096,
          "network_rail_arp_ignore": 1, "network_rail_arp_announce": 2, "network_rail_rp_filter": 2}
NEVER = ("network_file_max", "network_netdev_max_backlog", "network_default_qdisc", "network_tcp_congestion_control",
         "network_tcp_bbr", "network_gro_flush_timeout", "network_napi_defer_hard_irqs")


def nic(number, *addresses, **more):
    return dict({"name": "rail%d" % number, "rdma_device": "mlx5_%d" % number, "default_route": False,
                 "pci_address": "0000:%02x:00.0" % number, "addresses": list(addresses)}, **more)


def node(*nics):
    return {"numa_nodes": [], "nics": list(nics), "rdma_devices": [], "gpu_nics": {}}


HOSTS = {
    "apart": {"topology": node(nic(0, "10.0.0.1/24"), nic(1, "10.0.1.1/24"))},
    "shared": {"topology": node(nic(0, "10.0.0.1/16"), nic(1, "10.0.0.2/16", "fd00::2/64"),
                            nic(2, "10.0.0.3/16", default_route=True)),
               "network_rail_gateways": {"rail1": ["10.0.255.254", "fd00::1"]}},
    "elsewhere": {"topology": node(nic(0, "10.0.0.1/16"), nic(1, "10.0.0.2/16")), "network_rail_table_base": "62000"},
    "named": {"topology": node(), "network_rails": ["eth5"], "network_tcp_congestion_control": "bbr",
              "gpuwright_workload": "cpu"}}


@pytest.fixture(name="values", scope="module")
def fixture_values(tmp_path_factory):
    """Host to the values of the role's variables."""
    groups = {"training": {"shared": HOSTS["shared"]},
              "others": {name: given for name, given in HOSTS.items() if name != "shared"}}
    return evaluated_role.variables(tmp_path_factory.mktemp("network"), "network", groups, group=None)


def test_what_every_node_gets_and_what_none_gets(values):
    for name in ("apart", "shared", "elsewhere"):
        assert {key: values[name][key] for key in ALWAYS} == ALWAYS
        assert [key for key in NEVER if values[name][key] is not None] == []
        assert values[name]["network_internet_facing"] is False
        assert "docker.service" in values[name]["network_limit_services"]


def test_rails_are_the_interfaces_that_share_a_subnet_and_nobody_logs_in_by(values):
    assert values["apart"]["network_rails"] == [] and values["apart"]["network_rail_routes"] == {}
    assert values["shared"]["network_rails"] == ["rail0", "rail1"]
    assert values["shared"]["network_rail_routes"] == {
        "rail0": "table 55868", "rail1": "table 53722 via 10.0.255.254 via fd00::1"}
    assert values["elsewhere"]["network_rail_routes"] == {"rail0": "table 65868", "rail1": "table 63722"}
    assert values["named"]["network_rail_routes"] == {"eth5": "table 55485"}


def test_what_is_derived_is_legal(values):
    rows = {row.variable: row for row in network.ROWS}
    for given in values.values():
        for variable, row in rows.items():
            if given[variable] is not None:
                row.value.parse(given[variable])


def test_the_module_follows_the_name_and_the_workload_the_group(values):
    assert values["named"]["network_tcp_bbr"] == "loaded"
    assert [values[name]["network_workload"] for name in HOSTS] == ["inference", "training", "inference", "cpu"]
