# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the filters of RoCE: they need the topology, and what is wrong with it or with names comes in words."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter import rdma as filters

FACT = {"rdma_devices": [{"name": "mlx5_0", "pci_address": "0000:16:00.0", "ports": [
    {"port": 1, "netdev": "rail0", "link_layer": "Ethernet", "state": "ACTIVE", "rate": 400}]}],
    "nics": [{"name": "rail0", "pci_address": "0000:16:00.0", "rdma_device": "mlx5_0", "mtu": 9000}],
    "gpu_nics": {"0": ["mlx5_0"]}}


class Lazy(dict):
    """A fact that must be copied before it is walked."""

    def _non_lazy_copy(self):
        return dict(FACT)


@pytest.mark.parametrize("fact", [FACT, Lazy()])
def test_filters_derive_from_the_fact(fact):
    assert filters.roce_interfaces(fact) == ["rail0"]
    assert filters.roce_devices(fact) == ["mlx5_0"]
    assert filters.traffic_class(fact)["devices"] == {"mlx5_0": "Ethernet"}
    assert "mlx5_0 rail0: 400 Gb/s" in filters.fabric_report(fact, filters.traffic_class(fact))


@pytest.mark.parametrize("name", sorted(filters.FilterModule().filters()))
def test_without_the_fact_the_error_says_what_to_run(name):
    arguments = ({},) if name == "fabric_report" else ()
    for fact in (None, {}, "x"):
        with pytest.raises(AnsibleFilterError, match="gpuwright.node.%s needs the fact" % name):
            filters.FilterModule().filters()[name](fact, *arguments)


@pytest.mark.parametrize("call, words", [
    (lambda: filters.roce_interfaces(FACT, ["rail1"]), "no RDMA device 'rail1' on this host; did you mean rail0"),
    (lambda: filters.roce_devices(FACT, None, ["x"]), "no RDMA device 'x'"),
    (lambda: filters.traffic_class(FACT, 9), "gpuwright.node.traffic_class: rdma_roce_priority: 9 is not"),
    (lambda: filters.fabric_report(FACT, None), "gpuwright.node.fabric_report: the class must be"),
])
def test_bad_input_is_a_filter_error_in_words(call, words):
    with pytest.raises(AnsibleFilterError, match=words):
        call()
