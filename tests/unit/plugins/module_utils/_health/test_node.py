# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole health of a node."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _host
from ansible_collections.gpuwright.node.plugins.module_utils._health import node, rdma
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu, sysfs


def test_a_healthy_node(tmp_path):
    root = eight_gpu.build(tmp_path)
    sysfs.write(root, "gpuwright/kernel.log", "[    0.000000] Linux version 6.8.0-60-generic")
    sysfs.write(root, "proc/sys/kernel/random/boot_id", "0034515a")
    health = node.read_health(Host(str(root)))
    assert list(health) == ["schema", "boot_id", *node.SECTIONS, "unreadable", "verdict"]
    assert (health["schema"], health["boot_id"], health["unreadable"], health["verdict"]) == (1, "0034515a", {}, [])
    assert len(health["gpus"]) == 8 and len(health["nvme"]) == 8
    assert len(json.dumps(health)) < 30000


@pytest.mark.parametrize(("fault", "severity", "what"), [
    ("link_x8", "W", "pcie_width"), ("nic_down", "I", "port_down"), ("no_nvidia_smi", "W", "unreadable")])
def test_a_fault_is_in_the_verdict(tmp_path, fault, severity, what):
    health = node.read_health(Host(str(eight_gpu.build(tmp_path, fault))))
    assert [(one["severity"], one["what"]) for one in health["verdict"]] == [(severity, what)]


def test_what_was_not_asked_for_is_missing(machine):
    health = node.read_health(machine({}), ["nvme", "services"])
    assert list(health) == ["schema", "boot_id", "nvme", "services", "unreadable", "verdict"]


def test_a_machine_without_anything_is_not_unreadable(machine):
    health = node.read_health(machine({}))
    assert (health["gpus"], health["rdma_devices"], health["unreadable"], health["verdict"]) == ([], [], {}, [])
    assert health["kernel_log"]["xids"] is None


def test_a_recorded_log_alone_is_enough(machine, logs):
    health = node.read_health(machine({"/gpuwright/nvidia-smi.xml": logs["nvidia-qx-gb200"]}))
    assert len(health["gpus"]) == 4
    assert health["unreadable"] == {}


@pytest.mark.parametrize("name", ["influxdata-a100-sxm4-v12", "nvidia-qx-gb200", "nvidia-qx-h100", "nvidia-qx-t4",
                                  "influxdata-gtx-1070-ti", "netdata-rtx-3060"])
def test_no_real_gpu_is_called_broken(machine, logs, name):
    verdict = node.read_health(machine({"/gpuwright/nvidia-smi.xml": logs[name]}))["verdict"]
    assert [one for one in verdict if one["severity"] == "E"] == []


def test_a_wedged_nvidia_smi_leaves_the_rest(live, tmp_path):
    eight_gpu.build(tmp_path)
    wedged = _host.CommandNotRun("nvidia-smi: no answer after 10 s")
    health = node.read_health(live({"nvidia-smi": wedged, "journalctl": (0, "-- x\n", "")}))
    assert health["unreadable"] == {"gpus": "nvidia-smi: no answer after 10 s"}
    assert [gpu["in_driver"] for gpu in health["gpus"]] == [False] * 8
    assert len(health["rdma_devices"]) == 10
    assert [(one["what"], one["message"]) for one in health["verdict"]] == [
        ("unreadable", "gpus: nvidia-smi: no answer after 10 s")]


def test_a_defect_of_one_reader_leaves_the_others(machine, monkeypatch):
    def broken(_host, _found):
        raise KeyError("surprise")

    monkeypatch.setitem(node._READERS, "rdma_devices", broken)
    health = node.read_health(machine({}))
    assert health["rdma_devices"] == []
    assert health["unreadable"] == {"rdma_devices": "could not be read: KeyError: 'surprise'"}
    assert rdma.read is not broken


@pytest.mark.parametrize("section", node.SECTIONS)
def test_a_section_that_could_not_be_read_still_fits_the_verdict(machine, monkeypatch, section):
    def broken(_host, _found):
        raise OSError("gone")

    monkeypatch.setitem(node._READERS, section, broken)
    health = node.read_health(machine({}))
    assert list(health["unreadable"]) == [section]
    assert [one["what"] for one in health["verdict"]] == ["unreadable"]
