# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What NVIDIA's catalogue says of an Xid."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import xid


@pytest.mark.parametrize(("code", "severity"), [
    (79, "fatal"), (64, "fatal"), (95, "fatal"), (119, "fatal"), (120, "fatal"), (62, "fatal"), (109, "fatal"),
    (13, "application"), (31, "application"), (94, "application"), (68, "application"),
    (48, "workflow"), (74, "workflow"), (45, "workflow"), (63, "info"), (43, "info"), (92, "info")])
def test_the_class_of_a_code(code, severity):
    assert xid.classify(code)[0] == severity


@pytest.mark.parametrize("code", [0, 1, 57, 167, 999, 10 ** 12])
def test_a_code_without_a_bucket_is_unknown_and_has_no_name(code):
    assert xid.classify(code) == ("unknown", None)


@pytest.mark.parametrize(("code", "name"), [
    (79, "GPU has fallen off the bus"), (70, "CE3: Unknown Error"), (85, "CE9: Unknown Error"),
    (126, "CE10: Unknown Error"), (135, "CE19: Unknown Error"), (99, "NVJPG1 Error"), (105, "NVJPG7 Error")])
def test_names_are_the_catalogues(code, name):
    assert xid.classify(code)[1] == name


@pytest.mark.parametrize(("words", "severity"), [
    ("SAW_MVB Fatal XC0 i0 Link 00 (0x1)", "fatal"), ("SAW_MVB Nonfatal XC0 i0 Link 00 (0x1)", "workflow"),
    ("NETIR_LINK_EVT/NETIR_LINK_DOWN Fatal XC0", "fatal"), ("", "workflow")])
def test_an_event_of_nvlink_5_says_itself_whether_it_is_fatal(words, severity):
    assert xid.classify(149, words)[0] == severity


@pytest.mark.parametrize(("words", "severity"), [
    ("GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)", "fatal"),
    ("GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)", "info"), ("", "workflow")])
def test_a_change_of_the_recovery_action_is_what_it_asks_for(words, severity):
    assert xid.classify(154, words)[0] == severity
