# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of one setting for many files: one step, one line, and each file's own value back."""

from __future__ import annotations

import functools
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _result
from ansible_collections.gpuwright.node.plugins.module_utils._row import sysfs
from ansible_collections.gpuwright.node.plugins.module_utils._values import Word

from tests.sysroots import plain_node
from tests.sysroots.engine import roll_back
from tests.sysroots.plain_node import Kernel

POLICY = "/sys/devices/system/cpu/cpufreq/policy"
PATTERN = POLICY + "*/scaling_governor"
CATALOGUE = types.SimpleNamespace(
    ROWS=(sysfs("cpufreq/scaling_governor", Word("performance", "powersave"), PATTERN, variable="thp_governor",
                doc="A row.", source="https://example.org/"),), OPTIONS=(), RULES=())


@pytest.fixture
def root(tmp_path):
    """Eleven policies, two of which have another governor."""
    made = plain_node.build(tmp_path)
    for number in range(11):
        governor = "performance" if number in (2, 10) else "powersave"
        plain_node.put(made, "%s%d/scaling_governor" % (POLICY, number), governor)
    return made


def apply(root, value):
    host = Kernel(str(root), read_only=False)
    asked = {"origins": {}, "take_over": [], "allow": [], "options": {}}
    build = functools.partial(_plan.build, host, "thp", CATALOGUE, {"cpufreq/scaling_governor": value}, asked)
    return _apply.apply(build, {"what": "test"})


def test_many_files_are_one_step_and_get_their_own_values_back(root):
    before = plain_node.snapshot(root)
    made = apply(root, "performance")
    assert _result.failures(made) == [] and len(made.steps) == 1
    assert made.steps[0]["running"].startswith("policy0=powersave policy1=powersave policy2=performance")
    assert made.steps[0]["running"].endswith("policy9=powersave policy10=performance")
    assert made.steps[0]["after"] == "performance"
    assert "w %s - - - - performance\n" % PATTERN in (root / "etc/tmpfiles.d/90-gpuwright-thp.conf").read_text()
    assert not apply(root, "performance").due
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


def test_a_file_that_is_gone_by_then_stops_no_other(root):
    apply(root, "performance")
    (root / (POLICY + "3/scaling_governor")[1:]).unlink()
    assert roll_back(root).errors == []
    assert (root / (POLICY + "1/scaling_governor")[1:]).read_text().strip() == "powersave"
    assert (root / (POLICY + "2/scaling_governor")[1:]).read_text().strip() == "performance"


def test_without_any_such_file_it_is_not_applicable(tmp_path):
    assert apply(plain_node.build(tmp_path), "performance").steps[0]["status"] == "not_applicable"
