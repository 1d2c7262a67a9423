# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a health, what became worse between two, and what is at work."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import kernel_log, node, verdict
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu

GPU = eight_gpu.GPU_ADDRESSES[0]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    """A node with nothing wrong, whose log holds nothing."""
    health = node.read_health(Host(str(eight_gpu.build(tmp_path_factory.mktemp("node")))))
    health.update(boot_id="one", kernel_log=dict(kernel_log.parse(""), source="dmesg"))
    return health


@pytest.fixture
def health(healthy):
    """A copy to spoil."""
    return copy.deepcopy(healthy)


def _log(*lines):
    return dict(kernel_log.parse("\n".join(lines)), source="dmesg")


def _words(health):
    return [(one["severity"], one["what"]) for one in verdict.verdict(health)]


def test_nothing_wrong(health):
    assert verdict.verdict(health) == []
    assert verdict.worse(health, health) == []
    assert verdict.busy(health) == []


@pytest.mark.parametrize(("line", "severity", "what"), [
    ("NVRM: Xid (PCI:0000:19:00): 79, GPU has fallen off the bus.", "E", "xid_79"),
    ("NVRM: Xid (PCI:0000:19:00): 48, DBE", "W", "xid_48"), ("NVRM: Xid (PCI:0000:19:00): 999, ?", "W", "xid_999"),
    ("NVRM: Xid (PCI:0000:19:00): 31, pid=1", "I", "xid_31"), ("NVRM: Xid (PCI:0000:19:00): 63, x", "I", "xid_63"),
    ("nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Fatal, Link 32", "E", "sxid_12028"),
    ("x 0000:00:1c.0: PCIe Bus Error: severity=Corrected, type=x", "I", "aer_corrected"),
    ("x 0000:00:1c.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=x", "E", "aer_fatal"),
    ("x 0000:00:1c.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=x", "W", "aer_nonfatal"),
    ("[Hardware Error]: Uncorrected, software containable error.", "E", "machine_check_uncorrected"),
    ("nvme nvme0: controller is down; will reset: CSTS", "W", "nvme_reset_warning")])
def test_the_log(health, line, severity, what):
    health["kernel_log"] = _log(line)
    assert _words(health) == [(severity, what)]


def test_the_worst_is_first(health):
    health["kernel_log"] = _log("NVRM: Xid (PCI:0000:19:00): 31, x", "NVRM: Xid (PCI:0000:19:00): 79, x")
    health["unreadable"] = {"nvme": "no"}
    assert [severity for severity, _what in _words(health)] == ["E", "W", "I"]


def test_a_drive_and_a_service(health):
    health["nvme"][0]["state"] = "dead"
    health["services"]["nvidia-fabricmanager"]["unit"] = "failed"
    health["services"]["nvidia-persistenced"]["unit"] = "inactive"
    assert _words(health) == [("E", "nvme_state"), ("E", "service_failed")]


def test_who_is_at_work(health):
    health["gpus"][0]["processes"] = [{"pid": 9, "name": "python3", "memory": 1}]
    health["gpus"][1]["processes"] = [{"pid": 9, "name": "python3", "memory": 2}, {"pid": 4, "name": "a", "memory": 3}]
    health["gpus"][2]["processes"] = None
    assert [(one["pid"], one["gpus"]) for one in verdict.busy(health)] == [
        (4, [eight_gpu.GPU_ADDRESSES[1]]), (9, list(eight_gpu.GPU_ADDRESSES[:2]))]


def test_an_event_counts_when_it_is_new(healthy, health):
    line = "NVRM: Xid (PCI:0000:19:00): 79, GPU has fallen off the bus."
    health["kernel_log"] = _log(line, line)
    before = dict(healthy, kernel_log=_log(line))
    assert verdict.worse(before, before) == []
    assert verdict.worse(before, health) == [
        "0000:19:00.0: Xid 79: GPU has fallen off the bus: 1 new line in the kernel log"]
    assert verdict.worse(health, before) == []


def test_after_a_boot_every_event_is_new(health):
    health["kernel_log"] = _log("NVRM: Xid (PCI:0000:19:00): 79, GPU has fallen off the bus.")
    assert len(verdict.worse(health, dict(health, boot_id="two"))) == 1


@pytest.mark.parametrize(("line", "count"), [
    ("x 0000:00:1c.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=x", 0),
    ("x 0000:00:1c.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=x", 1)])
def test_a_board_that_warns_at_every_boot_is_no_worse(healthy, health, line, count):
    health["kernel_log"] = _log(line)
    assert len(verdict.worse(health, dict(health, boot_id="two"))) == count
    assert len(verdict.worse(healthy, dict(health, boot_id="two"))) == 1


def test_an_application_that_crashed_makes_no_node_worse(healthy, health):
    health["kernel_log"] = _log("NVRM: Xid (PCI:0000:19:00): 31, pid=1")
    assert verdict.worse(healthy, health) == []


def test_a_tool_that_hangs_now_is_worse_and_one_that_hung_before_is_not(healthy, health):
    health["unreadable"] = {"gpus": "nvidia-smi: no answer after 10 s"}
    assert verdict.worse(healthy, health) == ["gpus: nvidia-smi: no answer after 10 s"]
    assert verdict.worse(health, health) == []


def test_parts_that_were_not_gathered_say_nothing(healthy):
    for section in node.SECTIONS:
        part = {name: value for name, value in healthy.items() if name != section}
        assert verdict.verdict(part) == verdict.worse(healthy, part) == verdict.worse(part, healthy) == []
    assert verdict.busy({}) == []
