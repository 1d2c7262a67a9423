# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module pending_reboot: options in, result out; what is behind it has tests of its own."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.modules import pending_reboot

from tests.sysroots import plain_node


def test_it_says_what_waits_and_changes_nothing(tmp_path, run_module):
    root = plain_node.build(tmp_path)
    plain_node.put(root, "/run/reboot-required", "x")
    before = plain_node.snapshot(root)
    result = run_module(pending_reboot, sysroot=str(root))
    assert (result["changed"], result["reboot_required"], result["pending"]) == (False, False, [])
    result = run_module(pending_reboot, check_mode=True, sysroot=str(root), also=["distribution"])
    assert (result["changed"], result["reboot_required"]) == (False, True)
    assert plain_node.snapshot(root) == before


def test_a_damaged_file_is_a_failure_and_not_nothing(tmp_path, run_module):
    root = plain_node.build(tmp_path)
    plain_node.put(root, "/etc/gpuwright/desired/vm.json", "{")
    result = run_module(pending_reboot, sysroot=str(root))
    assert result["failed"]
    assert "cannot be told: /etc/gpuwright/desired/vm.json is damaged" in result["msg"]
