# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a node must be equal before and after a reboot."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import node as health_node
from ansible_collections.gpuwright.node.plugins.module_utils._health.fingerprint import differences, fingerprint
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import node as topology_node
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu

GPU = eight_gpu.GPU_ADDRESSES[3]
NIC = eight_gpu.NIC_ADDRESSES[0]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """Topology and health of a node, with serial numbers, a fabric and NVLinks."""
    host = Host(str(eight_gpu.build(tmp_path_factory.mktemp("node"))))
    topology, health = topology_node.read_topology(host), health_node.read_health(host)
    for number, drive in enumerate(health["nvme"]):
        drive.update(serial="S%d" % number, state="live")
    for gpu in health["gpus"]:
        gpu.update(fabric={"state": "Completed", "status": "Success", "health": {"summary": "Healthy"}},
                   nvlink={"active": 18, "inactive": 0, "speed": 26.562})
    return topology, health


def _after(node, change):
    topology, health = copy.deepcopy(node)
    change(topology, health)
    return differences(fingerprint(*node), fingerprint(topology, health))


def test_a_node_equals_itself_and_its_json(node):
    before = fingerprint(*node)
    assert differences(before, fingerprint(*node)) == []
    assert differences(before, json.loads(json.dumps(before))) == []
    assert len(before["gpus"]) == len(before["nvme"]) == 8 and len(before["rdma_ports"]) == 10


def _gpu(health):
    return next(gpu for gpu in health["gpus"] if gpu["pci_address"] == GPU)


def _link(health, address):
    return next(link for link in health["pcie"]["links"] if link["pci_address"] == address)


def _renamed(_topology, health):
    for number, drive in enumerate(health["nvme"]):
        drive.update(name="nvme%d" % (7 - number), pci_address=None)
    for number, device in enumerate(health["rdma_devices"]):
        device["name"] = "rdma%d" % number
    health["nvme"].reverse()


def _idle(_topology, health):
    _link(health, GPU)["speed"] = _gpu(health)["link"]["speed"] = "2.5 GT/s PCIe"
    _gpu(health).update(performance_state="P8", temperature={"gpu": 90},
                        processes=[{"pid": 1, "name": "x", "memory": 0}])


def _a_little_memory(topology, _health):
    topology["numa_nodes"][0]["memory"] -= 1 << 30


def _new_log(_topology, health):
    health.update(boot_id="two", kernel_log={"source": "dmesg", "xids": [], "sxids": [], "aer": [], "events": []})


@pytest.mark.parametrize("change", [_renamed, _idle, _a_little_memory, _new_log])
def test_what_a_reboot_may_change(node, change):
    assert _after(node, change) == []


def _lost(_topology, health):
    health["gpus"].remove(_gpu(health))


def _not_driven(_topology, health):
    _gpu(health)["in_driver"] = False


def _another(_topology, health):
    _gpu(health)["uuid"] = "GPU-other"


def _fabric(_topology, health):
    _gpu(health)["fabric"] = {"state": "In Progress", "status": None, "health": None}


def _nvlink(_topology, health):
    _gpu(health)["nvlink"]["active"] = 17


def _narrow(_topology, health):
    _link(health, GPU)["width"] = 8


def _old_slot(_topology, health):
    _link(health, GPU)["expected_speed"] = "16.0 GT/s PCIe"


def _slow_nic(_topology, health):
    _link(health, NIC)["speed"] = "16.0 GT/s PCIe"


def _down(_topology, health):
    health["rdma_devices"][0]["ports"][0]["state"] = "DOWN"


def _slow_port(_topology, health):
    health["rdma_devices"][0]["ports"][0]["rate"] = 200


def _drive(_topology, health):
    del health["nvme"][0]


def _cpus(topology, _health):
    topology["cpu"]["online"] = "0-110,112-223"


def _dimm(topology, _health):
    topology["numa_nodes"][1]["memory"] -= 64 << 30


@pytest.mark.parametrize(("change", "words"), [
    (_lost, "GPU %s: none, GPU-" % GPU), (_not_driven, "GPU %s: none, GPU-" % GPU),
    (_another, "GPU %s: GPU-other, GPU-" % GPU),
    (_fabric, "NVLink fabric of GPU %s: In Progress, Completed Success Healthy before" % GPU),
    (_nvlink, "NVLinks of GPU %s: 17, 18 before" % GPU),
    (_narrow, "PCIe link of %s: x8 32.0 GT/s PCIe, x16 32.0 GT/s PCIe before" % GPU),
    (_old_slot, "PCIe link of %s: x16 16.0 GT/s PCIe, x16 32.0 GT/s PCIe before" % GPU),
    (_slow_nic, "PCIe link of %s: x16 16.0 GT/s PCIe" % NIC),
    (_down, "RDMA port %s/1: none, Ethernet 400 Gb/s before" % NIC),
    (_slow_port, "RDMA port %s/1: Ethernet 200 Gb/s, Ethernet 400 Gb/s before" % NIC),
    (_drive, "NVMe drive S0: none, SAMSUNG"), (_cpus, "CPUs online: 0-110,112-223, 0-223 before"),
    (_dimm, "memory of NUMA node 1: 960, 1024 before")])
def test_what_it_must_not(node, change, words):
    found = _after(node, change)
    assert found and found[0].startswith(words)


def test_something_new_is_a_difference_too(node):
    topology, health = copy.deepcopy(node)
    del health["nvme"][0]
    assert differences(fingerprint(topology, health), fingerprint(*node))[0].startswith("NVMe drive S0: SAMSUNG")


def test_gpus_of_which_nothing_could_be_read_are_unknown_and_not_gone(node):
    def wedged(_topology, health):
        health["unreadable"] = {"gpus": "nvidia-smi: no answer after 10 s"}
        for gpu in health["gpus"]:
            gpu.update(in_driver=False, uuid=None, fabric=None, nvlink=None)
    assert _after(node, wedged) == ["GPU: nothing was read", "NVLink fabric of GPU: nothing was read",
                                    "NVLinks of GPU: nothing was read", "gpus could not be read"]


def test_what_was_never_read_is_not_compared(node):
    topology, health = node
    part = {"nvme": health["nvme"]}
    assert differences(fingerprint(None, part), fingerprint(topology, health)) == []
    assert differences(fingerprint({}, {}), fingerprint({}, {})) == []
