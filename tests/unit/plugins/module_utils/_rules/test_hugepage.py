# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on transparent huge pages."""

from __future__ import annotations

from tests.sysroots import plain_node
from tests.sysroots.engine import DEFAULTS, apply, plan


def found(root):
    """The findings by their rule."""
    return {finding["rule"]: finding for finding in plan(root, "thp", DEFAULTS["thp"]).findings}


def test_thp_anon_on_the_command_line_is_reported(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/cmdline": "ro thp_anon=16K-64K:always quiet"})
    assert "thp_anon=16K-64K:always" in found(root)["thp-anon"]["message"]


def test_a_khugepaged_that_never_sleeps_is_reported(tmp_path):
    root = plain_node.build(tmp_path, **{plain_node.THP + "/khugepaged/scan_sleep_millisecs": "0"})
    assert found(root)["khugepaged"]["severity"] == "W"


def test_a_khugepaged_that_this_run_puts_to_sleep_is_fine(tmp_path):
    root = plain_node.build(tmp_path, **{plain_node.THP + "/khugepaged/scan_sleep_millisecs": "0"})
    assert not plan(root, "thp", {"khugepaged/scan_sleep_millisecs": 10000}).findings


def test_gpu_processes_older_than_the_change_need_a_restart(tmp_path):
    root = plain_node.build(tmp_path)
    plain_node.process(root, 4242, "python3", "/dev/nvidia0")
    assert "thp-restart" not in found(root), "nothing was changed yet"
    apply(root, "thp", DEFAULTS["thp"])
    assert "4242 (python3)" in found(root)["thp-restart"]["message"]


def test_a_setting_that_was_right_before_us_needs_no_restart(tmp_path):
    root = plain_node.build(tmp_path, **{plain_node.THP + "/enabled": "always [madvise] never"})
    plain_node.process(root, 4242, "python3", "/dev/nvidia0")
    apply(root, "thp", DEFAULTS["thp"])
    assert found(root) == {}


def test_a_process_started_after_the_change_does_not(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/stat": "btime 4000000000"})
    plain_node.process(root, 4242, "python3", "/dev/nvidia0")
    apply(root, "thp", DEFAULTS["thp"])
    assert found(root) == {}
