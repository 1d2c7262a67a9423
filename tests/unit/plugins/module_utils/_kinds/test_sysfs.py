# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of one setting for many files: one step, one line, and each file's own value back."""

from __future__ import annotations

import errno
import functools
import shutil
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


def apply(root, value, kernel=Kernel):
    host = kernel(str(root), read_only=False)
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


class CpuOffline(Kernel):
    """The CPU of the fourth policy is offline: its files are there and answer nothing else."""

    error = errno.EBUSY

    def read_bytes(self, path, limit=1 << 24):
        if path.startswith(POLICY + "3/"):
            raise OSError(self.error, "Device or resource busy", path)
        return super().read_bytes(path, limit)


class CpuOfflineLongAgo(CpuOffline):
    """The same before Linux 6.0."""

    error = errno.EINVAL


@pytest.mark.parametrize("kernel", [CpuOffline, CpuOfflineLongAgo])
def test_a_cpu_that_is_offline_does_not_hide_the_others(root, kernel):
    before = plain_node.snapshot(root)
    made = apply(root, "performance", kernel)
    assert _result.failures(made) == [] and made.steps[0]["after"] == "performance"
    assert not apply(root, "performance", kernel).due
    assert roll_back(root, kernel=kernel).errors == []
    assert plain_node.snapshot(root) == before


def test_where_every_cpu_answers_so_it_is_unreadable(root):
    class Off(CpuOffline):
        def read_bytes(self, path, limit=1 << 24):
            return super().read_bytes(path.replace("policy1", "policy3").replace("policy2", "policy3"), limit)
    for number in (0, 4, 5, 6, 7, 8, 9):
        shutil.rmtree(root / ("%s%d" % (POLICY, number))[1:])
    assert apply(root, "performance", Off).steps[0]["status"] == "unreadable"


def test_a_driver_that_is_gone_leaves_nothing_that_could_never_come_back(root):
    apply(root, "performance")
    shutil.rmtree(root / "sys/devices/system/cpu/cpufreq")
    made = roll_back(root)
    assert made.errors == [] and made.steps[0]["status"] == "not_applicable"
    assert not (root / "var/lib/gpuwright").exists()
