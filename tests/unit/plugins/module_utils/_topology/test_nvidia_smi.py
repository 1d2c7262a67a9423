# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nvidia-smi says, and the ways in which it says nothing."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import nvidia_smi

LOG = """<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log><driver_version>550.90.07</driver_version>
<gpu id="00010000:3B:00.0"><product_name>NVIDIA H200</product_name><uuid>GPU-1</uuid>
<persistence_mode>%s</persistence_mode><addressing_mode>%s</addressing_mode>
<mig_mode><current_mig>%s</current_mig></mig_mode>
<pci><pci_gpu_link_info><pcie_gen><max_link_gen>N/A</max_link_gen><max_device_link_gen>5</max_device_link_gen>
<current_link_gen>1</current_link_gen></pcie_gen>
<link_widths><max_link_width>16x</max_link_width><current_link_width>%s</current_link_width></link_widths>
</pci_gpu_link_info></pci><fb_memory_usage><total>%s</total></fb_memory_usage></gpu></nvidia_smi_log>
"""


class Live:
    """A stand-in for a running system with NVIDIA's driver, whose nvidia-smi does as it is told."""

    live = True

    def __init__(self, answer):
        self.answer, self.notes, self.asked = answer, [], []

    def exists(self, _path):
        return True

    def note(self, text):
        self.notes.append(text)

    def run(self, argv, changes=True):
        self.asked.append((tuple(argv), changes))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def _gpu(*values):
    return nvidia_smi.parse(LOG % values)["gpus"][0]


def test_a_gpu():
    gpu = _gpu("Enabled", "HMM", "Disabled", "16x", "143771 MiB")
    assert gpu == {
        "pci_address": "10000:3b:00.0", "name": "NVIDIA H200", "uuid": "GPU-1", "memory": 143771 << 20,
        "persistence": True, "addressing_mode": "HMM", "mig": {"enabled": False, "devices": []},
        "link": {"speed": "2.5 GT/s PCIe", "max_speed": "32.0 GT/s PCIe", "width": 16, "max_width": 16}}


@pytest.mark.parametrize("nothing", [
    "N/A", "[N/A]", "[Not Supported]", "Not Supported", "", "Unknown Error", "ERR!", "[GPU is lost]",
    "Requested functionality has been deprecated", "[Insufficient Permissions]"])
def test_nothing_in_every_spelling(nothing):
    gpu = _gpu(nothing, nothing, nothing, nothing, nothing)
    assert [gpu[key] for key in ("persistence", "addressing_mode", "mig", "memory")] == [None] * 4
    assert gpu["link"]["width"] is None


def test_none_is_an_addressing_mode():
    assert _gpu("Disabled", "None", "N/A", "8x", "0 MiB")["addressing_mode"] == "None"


def test_words_around_the_log_do_no_harm():
    log = nvidia_smi.parse("WARNING: infoROM is corrupted\n" + LOG % (("N/A",) * 5) + "WARNING: infoROM\n")
    assert log["driver_version"] == "550.90.07"


def test_command_lines_of_processes_do_no_harm():
    text = LOG.replace("</gpu>", "<processes><process_info><process_name>a <b & \x01</process_name></process_info>"
                       "</processes></gpu>") % (("N/A",) * 5)
    assert [gpu["uuid"] for gpu in nvidia_smi.parse(text)["gpus"]] == ["GPU-1"]


def test_the_list():
    text = ("GPU 0: NVIDIA H100 (UUID: GPU-1)\r\n  MIG 3g.40gb     Device  0: (UUID: MIG-1)\r\n"
            "  MIG 1g.10gb+me  Device 10: (UUID: MIG-GPU-1/7/0)\nGPU 1: NVIDIA H100 (UUID: GPU-2)\n")
    assert nvidia_smi.parse_list(text) == [
        {"index": 0, "name": "NVIDIA H100", "uuid": "GPU-1", "mig": [
            {"index": 0, "profile": "3g.40gb", "uuid": "MIG-1"},
            {"index": 10, "profile": "1g.10gb+me", "uuid": "MIG-GPU-1/7/0"}]},
        {"index": 1, "name": "NVIDIA H100", "uuid": "GPU-2", "mig": []}]


@pytest.mark.parametrize("text", ["", "No devices were found", "<nvidia_smi_log><gpu>", "Failed to initialize NVML"])
def test_a_recording_that_is_no_log_is_a_note(text, machine):
    host = machine({"/gpuwright/nvidia-smi.xml": text})
    assert nvidia_smi.read(host)["gpus"] == []
    assert bool(host.notes) == bool(text)


def test_a_wedged_nvidia_smi_is_a_note():
    host = Live(_host.CommandNotRun("nvidia-smi: no answer after 10 s"))
    assert nvidia_smi.read(host)["gpus"] == []
    assert host.notes == ["nvidia-smi: no answer after 10 s"]
    assert host.asked == [(("nvidia-smi", "-q", "-x"), False)]


def test_a_failing_nvidia_smi_is_a_note():
    host = Live((9, "NVIDIA-SMI has failed\nbecause", ""))
    assert nvidia_smi.read(host)["gpus"] == []
    assert host.notes == ["nvidia-smi -q -x: exit status 9: NVIDIA-SMI has failed because"]


def test_a_running_nvidia_smi_is_read():
    host = Live((0, LOG % (("N/A",) * 5), ""))
    assert [gpu["uuid"] for gpu in nvidia_smi.read(host)["gpus"]] == ["GPU-1"]


def test_without_the_driver_nothing_is_started():
    host = Live((0, "", ""))
    host.exists = lambda path: False
    assert nvidia_smi.output(host, "nvidia-smi", "-q", "-x") is None
    assert host.asked == []
