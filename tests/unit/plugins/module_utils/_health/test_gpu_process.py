# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that compute, as nvidia-smi prints them, however their command lines look."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import gpu_process

PROCESS = ("<process_info><pid>%s</pid><type>%s</type><process_name>%s</process_name><used_memory>%s</used_memory>"
           "</process_info>")


def _gpu(body, address="00000000:0C:00.0"):
    return '<gpu id="%s"><pci><pci_bus_id>%s</pci_bus_id></pci><processes>%s</processes></gpu>' % (
        address, address, body)


def test_only_what_computes_is_kept():
    text = _gpu(PROCESS % (9, "C", "/usr/bin/python3 -m vllm --api-key secret", "370 MiB")
                + PROCESS % (3, "G", "/usr/lib/Xorg", "2 MiB") + PROCESS % (5, "C+G", "game", "N/A")
                + PROCESS % (7, "M+C", "nvidia-cuda-mps-server", "30 MiB"))
    assert gpu_process.parse(text) == {"0000:0c:00.0": [
        {"pid": 5, "name": "game", "memory": None}, {"pid": 7, "name": "nvidia-cuda-mps-server", "memory": 30 << 20},
        {"pid": 9, "name": "python3", "memory": 370 << 20}]}


@pytest.mark.parametrize("name", ["a <b> & c", "a &lt;b&gt;", "a\x01b", "[Not Found]", ""])
def test_odd_command_lines(name):
    process, = gpu_process.parse(_gpu(PROCESS % (1, "C", name, "1 MiB")))["0000:0c:00.0"]
    assert process["pid"] == 1
    assert process["name"] in ("a", "a\x01b", None)


def test_each_gpu_has_its_own():
    text = _gpu(PROCESS % (1, "C", "a", "")) + _gpu("", "00000000:0D:00.0")
    assert {place: len(processes) for place, processes in gpu_process.parse(text).items()} == {
        "0000:0c:00.0": 1, "0000:0d:00.0": 0}


def test_not_told_is_not_none():
    assert gpu_process.parse(_gpu("N/A")) == {"0000:0c:00.0": None}
    assert gpu_process.parse('<gpu id="0000:0C:00.0"></gpu>') == {"0000:0c:00.0": None}


@pytest.mark.parametrize("body", ["<process_info>", PROCESS % ("x", "C", "a", "1"), "<process_info></process_info>"])
def test_broken_ones_are_left_out(body):
    assert not gpu_process.parse(_gpu(body))["0000:0c:00.0"]


def test_processes_of_kfd(machine):
    host = machine({"/sys/class/kfd/kfd/proc/42/pasid": "1", "/proc/42/comm": "python3\n",
                    "/sys/class/kfd/kfd/proc/7/pasid": "2"})
    assert gpu_process.of_kfd(host) == [
        {"pid": 7, "name": None, "memory": None}, {"pid": 42, "name": "python3", "memory": None}]
