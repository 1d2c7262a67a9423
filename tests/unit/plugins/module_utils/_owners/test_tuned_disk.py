# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what tuned's disk plugin makes of drives, and where that is another owner of our settings."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import tuned_disk

from tests.sysroots import block_node, engine, plain_node
from tests.sysroots.block_node import Queues, mounted

PROFILE = "/usr/lib/tuned/ours/tuned.conf"


def build(folder, text):
    """A host with RAID on one drive, and a tuned daemon that runs with this profile."""
    root = block_node.build(folder, mounted("259:0", "/a"), mounted("9:127", "/b"))
    block_node.array(root, parts=("nvme1n1",))
    plain_node.put(root, "/etc/tuned/active_profile", "ours")
    plain_node.put(root, PROFILE, text)
    plain_node.put(root, "/run/tuned/tuned.pid", "55")
    plain_node.process(root, 55, "tuned")
    return root


def found(root):
    return {one["key"]: one["value"] for one in tuned_disk.assignments(Host(str(root)))}


def test_drives_are_set_and_what_is_made_of_them_is_not(tmp_path):
    root = build(tmp_path, "[disk]\nreadahead=4096\nelevator=mq-deadline\n")
    assert found(root) == {
        "nvme%dn1/queue/%s" % (number, name): value for number in (0, 1)
        for name, value in (("read_ahead_kb", "4096"), ("scheduler", "mq-deadline"))}


@pytest.mark.parametrize("devices, named", [
    ("*", {"nvme0n1", "nvme1n1"}), ("nvme0*", {"nvme0n1"}), ("!nvme0n1", {"nvme1n1"}), ("sda,nvme1n1", {"nvme1n1"}),
    ("sda", set())])
def test_a_unit_names_its_drives(tmp_path, devices, named):
    root = build(tmp_path, "[disk]\nreadahead=4096\ndevices=%s\n" % devices)
    assert {key.partition("/")[0] for key in found(root)} == named


@pytest.mark.parametrize("path", ["/sys/block/nvme0n1/queue/nomerges", "/sys/class/block/*0n1/queue/nomerges"])
def test_a_sysfs_unit_may_name_the_file(tmp_path, path):
    assert found(build(tmp_path, "[sysfs]\n%s=2\n/sys/kernel/x=1\n" % path)) == {"nvme0n1/queue/nomerges": "2"}


def test_sectors_are_half_kilobytes(tmp_path):
    assert found(build(tmp_path, "[disk]\nreadahead=8192 s\n"))["nvme0n1/queue/read_ahead_kb"] == "4096"


@pytest.mark.parametrize("text", ["[vm]\nreadahead=4096\n", "[disk]\nenabled=0\nreadahead=4096\n", "[disk]\napm=128\n"])
def test_other_units_and_options_set_none_of_it(tmp_path, text):
    assert found(build(tmp_path, text)) == {}


def test_without_a_running_tuned_nothing_is_set(tmp_path):
    root = build(tmp_path, "[disk]\nreadahead=4096\n")
    plain_node.put(root, "/proc/55/cmdline", "cron")
    plain_node.put(root, "/proc/55/comm", "cron")
    assert found(root) == {}


@pytest.mark.parametrize("text, status", [
    ("readahead=>4096", "drift"), ("readahead=>8192", "conflict"), ("readahead=4096", "drift"),
    ("readahead=1024", "conflict"), ("readahead=${f:x}", "conflict")])
def test_another_value_of_tuneds_is_a_conflict_in_words(tmp_path, text, status):
    root = build(tmp_path, "[disk]\n%s\n" % text)
    made = engine.plan(root, "nvme", {"queue/read_ahead_kb": 4096}, kernel=Queues)
    steps = engine.steps(made)
    assert steps["nvme0n1/queue/read_ahead_kb"]["status"] == status
    assert steps["md127/queue/read_ahead_kb"]["status"] == "drift"
    assert (status == "conflict") == steps["nvme0n1/queue/read_ahead_kb"]["reason"].startswith(
        "tuned profile ours sets readahead of nvme0n1 to ")
