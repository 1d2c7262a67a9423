# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the filter of NCCL's topology file: it needs the whole topology, and says what is wrong in words."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter.nccl_topology import FilterModule, nccl_topology

GPU = {"index": 0, "pci_address": "0000:10:1c.0", "vendor": "nvidia", "numa_node": 0, "uuid": None, "links": None,
       "link": {"speed": None, "width": None, "max_speed": "8.0 GT/s PCIe", "max_width": 16}}
NIC = {"name": "rdmap16s27", "pci_address": "0000:10:1b.0", "numa_node": 0, "ports": []}
FACT = {"system": {"virtualization": "amazon", "architecture": "x86_64"},
        "cpu": {"possible": "0-3", "vendor": "GenuineIntel"}, "numa_nodes": [{"id": 0, "cpus": "0-3"}], "gpus": [GPU],
        "nics": [], "rdma_devices": [NIC], "gpu_nics": {"0": ["rdmap16s27"]},
        "pci_paths": [{"gpu": 0, "device": "rdmap16s27", "kind": "PHB", "path": []}]}
SWITCHES = [{"gpus": [0], "nics": ["rdmap16s27"]}]


class Lazy(dict):
    """A fact that must be copied before it is walked."""

    def _non_lazy_copy(self):
        return dict(FACT)


@pytest.mark.parametrize("fact", [FACT, Lazy()])
def test_the_file_comes_from_the_fact(fact):
    text = FilterModule().filters()["nccl_topology"](fact, SWITCHES)
    assert '<cpu numaid="0" affinity="f" arch="x86_64" vendor="GenuineIntel">' in text
    assert '<pci busid="0000:10:1c.0" class="0x030200"' in text


def test_nothing_declared_or_nothing_hidden_is_no_file():
    assert nccl_topology(FACT) is None and nccl_topology(FACT, []) is None
    assert nccl_topology(dict(FACT, system={"virtualization": "none"}), SWITCHES) is None


def test_what_the_fact_lacks_is_named():
    with pytest.raises(AnsibleFilterError, match="with its sections pci_paths, gpu_nics: run that module first"):
        nccl_topology({name: FACT[name] for name in FACT if name not in ("pci_paths", "gpu_nics")}, SWITCHES)
    for fact in (None, {}, "x"):
        with pytest.raises(AnsibleFilterError, match="gpuwright.node.nccl_topology needs the fact"):
            nccl_topology(fact, SWITCHES)


def test_bad_input_is_a_filter_error_in_words():
    with pytest.raises(AnsibleFilterError, match="gpuwright.node.nccl_topology: switch 1: no GPU '7' on this host"):
        nccl_topology(FACT, [{"gpus": [7]}])
