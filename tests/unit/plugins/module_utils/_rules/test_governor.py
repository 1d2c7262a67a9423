# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rule on frequency governors."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import governor

from tests.sysroots import isolation_node
from tests.sysroots.isolation_node import view

POLICY = "/sys/devices/system/cpu/cpufreq/policy%d/scaling_available_governors"


@pytest.mark.parametrize("offered, found", [
    (["performance powersave"] * 2, []), (["schedutil performance", "powersave"], ["this kernel offers powersave"]),
    ([None, None], [])])
def test_a_governor_that_no_driver_offers_is_refused(tmp_path, offered, found):
    root = isolation_node.build(tmp_path, **{POLICY % number: words for number, words in enumerate(offered)})
    findings = governor.is_offered(view(root, {"cpufreq/scaling_governor": "performance"}))
    assert [one["message"] for one in findings] == found
    assert {(one["rule"], one["severity"]) for one in findings} <= {("governor", "E")}


def test_nothing_is_said_where_no_governor_is_asked_for(tmp_path):
    root = isolation_node.build(tmp_path, **{POLICY % 0: "powersave"})
    assert governor.is_offered(view(root)) == []
