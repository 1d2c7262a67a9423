# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on block devices: what volumes consist of, clamps, R32 and R27."""

from __future__ import annotations

import pytest

from tests.sysroots import block_node, engine, plain_node
from tests.sysroots.block_node import Queues, mounted

AHEAD = {"queue/read_ahead_kb": 4096}


def findings(root, rule, values=AHEAD, devices=None, volumes=None):
    """(severity, setting, message) of what a rule finds in the plan of the role."""
    made = engine.plan(root, "nvme", values, kernel=Queues, options={"nvme_devices": devices, "nvme_volumes": volumes})
    return [(one["severity"], one["setting"], one["message"]) for one in made.findings if one["rule"] == rule]


@pytest.mark.parametrize("level, chunk, degraded, words", [
    ("raid0", 524288, "0", "raid0 of nvme0n1, nvme1n1, chunk 512 kB;"),
    ("raid1", 0, "1", "raid1 of nvme0n1, nvme1n1, degraded;")])
def test_a_volume_is_told_with_its_array_and_nodes(tmp_path, level, chunk, degraded, words):
    root = block_node.build(tmp_path, mounted("9:127", "/models", "xfs"))
    block_node.array(root, level=level, chunk=chunk)
    plain_node.put(root, "/sys/class/block/md127/md/degraded", degraded)
    assert findings(root, "volume") == [
        ("I", None, "/models: xfs on md127, %s NUMA node 0 and 1" % words)]


def test_a_mapped_volume_and_one_of_an_unknown_node_are_told(tmp_path):
    root = block_node.build(tmp_path, mounted("254:0", "/a"))
    block_node.mapping(root, "dm-0", "254:0", "vg-models", "LVM-1", "nvme1n1")
    assert findings(root, "volume", volumes=["/a", "/"]) == [
        ("I", None, "/a: ext4 on dm-0 (vg-models), of nvme1n1; NUMA node 1"),
        ("I", None, "/: ext4 on vda; NUMA node unknown")]


def test_a_volume_of_another_machine_is_told(tmp_path):
    root = block_node.build(tmp_path, mounted("0:52", "/models", "nfs4", "server:/x"))
    plain_node.put(root, "/sys/class/bdi/0:52/read_ahead_kb", "128")
    assert findings(root, "volume", volumes=["/models"]) == [("I", None, "/models: nfs4 on another machine")]


def reasons(root, **named):
    """{setting: why it does not apply} of a plan of the role."""
    made = engine.plan(root, "nvme", {"queue/nomerges": 1, **AHEAD}, kernel=Queues, options=named)
    return {step["name"]: step["reason"] for step in made.steps if step["status"] == "not_applicable"}


def test_a_node_without_a_drive_or_a_volume_is_told_so(tmp_path):
    without = {"queue/nomerges": "there is no NVMe drive here",
               "queue/read_ahead_kb": "no filesystem that is mounted here rests on an NVMe drive"}
    diskless = plain_node.build(tmp_path / "diskless")
    assert reasons(diskless) == without
    root = block_node.build(tmp_path / "drives")
    assert reasons(root) == {"queue/read_ahead_kb": without["queue/read_ahead_kb"]}
    assert reasons(root, nvme_volumes=["/"]) == {}
    block_node.mount(root, block_node.ROOT_FS, mounted("259:0", "/models"))
    assert reasons(root) == {}


@pytest.mark.parametrize("asked, words", [
    (4096, "4096 is asked for, and its hardware's limit is 512 (max_hw_sectors_kb): it gets that"),
    (64, "64 is asked for, and it has 128, which is not lowered"), (256, None), ("max", None)])
def test_a_size_that_a_drive_does_not_get_is_told(tmp_path, asked, words):
    root = block_node.build(tmp_path)
    made = findings(root, "clamp", {"queue/max_sectors_kb": asked}, ["nvme0n1"])
    assert made == ([("I", "queue/max_sectors_kb", "nvme0n1/queue/max_sectors_kb: " + words)] if words else [])


def test_r32_names_a_member_that_is_taken_for_the_volume(tmp_path):
    root = block_node.build(tmp_path, mounted("9:127", "/models"))
    block_node.array(root)
    ((severity, setting, words),) = findings(root, "R32", volumes=["nvme0n1"])
    assert (severity, setting) == ("W", "queue/read_ahead_kb")
    assert words.startswith("nvme0n1 is part of md127")
    assert findings(root, "R32", volumes=["/models"]) == []


def test_r32_names_a_rule_that_sets_members(tmp_path):
    root = block_node.build(tmp_path, mounted("254:0", "/models"))
    block_node.array(root, parts=("nvme0n1",))
    block_node.mapping(root, "dm-0", "254:0", "crypt", "CRYPT-1", "md127")
    plain_node.put(root, "/etc/udev/rules.d/60-a.rules", 'KERNEL=="nvme*", ATTR{queue/read_ahead_kb}="4096"')
    ((severity, setting, words),) = findings(root, "R32")
    assert (severity, setting) == ("W", None)
    assert words.startswith("/etc/udev/rules.d/60-a.rules:1 sets read-ahead of nvme0n1, which is part of")


@pytest.mark.parametrize("name, text, found", [
    ("99-a.rules", 'ATTR{queue/max_sectors_kb}="1024"', True),
    ("60-a.rules", 'ATTR{queue/max_sectors_kb}="1024"', False),
    ("99-a.rules", 'ATTR{queue/nomerges}="1"', False), ("60-a.rules", 'RUN+="/bin/x queue/max_sectors_kb"', True)])
def test_r32_names_a_limit_that_is_written_after_read_ahead(tmp_path, name, text, found):
    root = block_node.build(tmp_path, mounted("259:0", "/models"))
    plain_node.put(root, "/etc/udev/rules.d/" + name, 'KERNEL=="nvme*", ' + text)
    made = findings(root, "R32")
    assert len(made) == found
    for severity, setting, words in made:
        assert (severity, setting) == ("W", "queue/read_ahead_kb")
        assert words.startswith("/etc/udev/rules.d/%s:1 sets max_sectors_kb of nvme0n1 after read-ahead" % name)


@pytest.mark.parametrize("command, found", [
    ("vllm serve /models/llama", True), ("vllm serve --model=/models/llama --safetensors-load-strategy lazy", True),
    ("vllm serve /models/llama --safetensors-load-strategy eager", False),
    ("vllm serve /models/llama --safetensors-load-strategy=prefetch", False), ("vllm serve /modelsx/llama", False),
    ("vllm serve org/llama", False)])
def test_r32_names_a_server_that_maps_its_model_over_the_network(tmp_path, command, found):
    root = block_node.build(tmp_path, mounted("0:52", "/models", "nfs4", "server:/x"))
    plain_node.process(root, 77, "vllm")
    plain_node.put(root, "/proc/77/cmdline", "\0".join(command.split()))
    made = findings(root, "R32")
    assert len(made) == found
    if found:
        assert made[0][0] == "W" and made[0][2].startswith("process 77 (vllm) maps its model from /models")


def test_r32_says_nothing_of_servers_where_nothing_is_mounted_over_a_network(tmp_path):
    root = block_node.build(tmp_path, mounted("259:0", "/models"))
    plain_node.process(root, 77, "vllm")
    plain_node.put(root, "/proc/77/cmdline", "vllm\0serve\0/models/llama")
    assert findings(root, "R32") == []


@pytest.mark.parametrize("values, running, rule, found", [
    ({}, "8192", None, True), (AHEAD, "8192", None, False), ({}, "128", None, False), ({}, "256", None, False),
    ({}, "8192", 'KERNEL=="nvme0n1", ATTR{queue/read_ahead_kb}="8192"', False),
    ({}, "8192", 'KERNEL=="sda", ATTR{queue/read_ahead_kb}="8192"', True)])
def test_r27_names_read_ahead_that_somebody_set_by_hand(tmp_path, values, running, rule, found):
    """128 is the kernel's own, 256 what it makes of the drive's size of 128."""
    root = block_node.build(tmp_path, mounted("259:0", "/models"))
    plain_node.put(root, "/sys/class/block/nvme0n1/queue/read_ahead_kb", running)
    if rule:
        plain_node.put(root, "/etc/udev/rules.d/99-a.rules", rule)
    made = findings(root, "R27", values)
    assert [(severity, setting) for severity, setting, _words in made] == [("W", None)] * found
    if found:
        assert made[0][2].startswith("read-ahead of /models (nvme0n1) is 8192 kB, and no udev rule says so")
