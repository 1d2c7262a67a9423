# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the topology as text: a training node, a capture with almost nothing, and wrong words."""

from __future__ import annotations

import json

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology.node import read_topology

from tests.sysroots import eight_gpu


def test_a_training_node_in_columns(tmp_path, command):
    status, said, errors = command(eight_gpu.build(tmp_path), "topology")
    lines = [line.split() for line in said.splitlines()]
    assert (status, errors) == (0, "") and said.startswith("gpu-node-1: ")
    assert ["0", "cpu", "1", "TiB", "0-55,112-167"] in lines
    gpu = next(line for line in said.splitlines() if "0000:9b:00.0" in line)
    assert gpu.split()[0] == "4" and "80GB" in gpu and gpu.endswith("56-111,168-223  mlx5_5")
    assert ["mlx5_5/1", "Ethernet", "ACTIVE", "400", "Gb/s", "rail4", "1"] in lines
    assert any(line[:2] == ["nvme0", "0000:22:00.0"] for line in lines)
    assert "note: gpu_nics: mlx5_4 left out" in said


def test_a_link_that_is_not_what_it_could_be_shows_both(tmp_path, command):
    said = command(eight_gpu.build(tmp_path, "link_x8"), "topology", "--gather", "gpus")[1]
    assert "PCIe x8 of 32.0 GT/s PCIe x16" in said and "NICs:" not in said


def test_json_is_the_fact(tmp_path, command):
    root = eight_gpu.build(tmp_path)
    status, said, _errors = command(root, "topology", "--json")
    assert status == 0 and json.loads(said) == json.loads(json.dumps(read_topology(Host(str(root)))))


def test_where_nothing_can_be_read_it_says_so(tmp_path, command):
    status, said, _errors = command(tmp_path, "topology")
    assert status == 0 and said.startswith("host: unknown machine\n") and "GPUs: none\n" in said and "note: " in said


def test_a_section_that_is_none_is_an_error_with_the_nearest(tmp_path, command):
    assert command(tmp_path, "topology", "--gather", "gpu") == (
        2, "", "gpuwright topology: --gather gpu: no section of the topology; did you mean gpus?\n")
