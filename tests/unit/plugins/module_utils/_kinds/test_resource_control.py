# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of slices: drop-ins, what systemd makes of them, partitions, and the way back. The systemd is a stand-in."""

from __future__ import annotations

import functools
import json
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _result, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._cpu_values import CpuList
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import resource_control
from ansible_collections.gpuwright.node.plugins.module_utils._row import cpuset, slice_property
from ansible_collections.gpuwright.node.plugins.module_utils._values import Word

from tests.sysroots import plain_node, systemd_node
from tests.sysroots.systemd_node import GROUPS, UNITS, Systemd

_WORDS = {"doc": "A row.", "source": "https://example.org/"}
CATALOGUE = types.SimpleNamespace(
    ROWS=(slice_property("system.slice/AllowedCPUs", CpuList(), variable="a", **_WORDS),
          slice_property("init.scope/AllowedCPUs", CpuList(), variable="b", **_WORDS),
          slice_property("gpuwright.slice/AllowedCPUs", CpuList(), variable="c", **_WORDS),
          cpuset("gpuwright.slice/cpuset.cpus.partition", Word("member", "root"), variable="d", **_WORDS)),
    OPTIONS=(), RULES=())
SLICES = {"system.slice/AllowedCPUs": "0", "init.scope/AllowedCPUs": 0, "gpuwright.slice/AllowedCPUs": "1"}


def plan(host, values=None, catalogue=CATALOGUE):
    asked = {"origins": {}, "take_over": [], "allow": [], "options": {}}
    return _plan.build(host, "cpu_isolation", catalogue, SLICES if values is None else values, asked)


def apply(root, values=None, **words):
    host = Systemd(str(root), read_only=False, **words)
    return _apply.apply(functools.partial(plan, host, values), {"what": "test"})


def roll_back(root):
    host = Systemd(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))


def statuses(made):
    return {step["target"]: step["status"] for step in made.steps}


def group(root, name):
    place = root / GROUPS[1:] / name
    return place.read_text().strip() if place.exists() else None


def test_slices_go_round(tmp_path):
    root = systemd_node.build(tmp_path)
    before = plain_node.snapshot(root)
    checked = plan(systemd_node.read_only(root))
    assert statuses(checked) == dict.fromkeys(SLICES, "drift") and plain_node.snapshot(root) == before
    applied = apply(root)
    assert _result.failures(applied) == []
    assert _result.result(applied)["diff"] == _result.result(checked)["diff"]
    assert group(root, "system.slice/cpuset.cpus") == "0" and group(root, "gpuwright.slice/cpuset.cpus") == "1"
    assert group(root, "user.slice/cpuset.cpus") is None
    again = apply(root)
    assert set(statuses(again).values()) == {"ok"} and not again.due and again.host.asked == []
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


def test_our_slice_is_wanted_at_boot_as_long_as_it_is_ours(tmp_path):
    root = systemd_node.build(tmp_path)
    starter = root / UNITS[1:] / "slices.target.d/90-gpuwright-cpu_isolation.conf"
    apply(root)
    assert "[Unit]\nWants=gpuwright.slice\n" in starter.read_text()
    apply(root, dict(SLICES, **{"gpuwright.slice/AllowedCPUs": None}))
    assert not starter.exists() and group(root, "gpuwright.slice/cgroup.events") is None
    assert group(root, "system.slice/cpuset.cpus") == "0"


def test_a_slice_with_processes_is_never_stopped(tmp_path):
    root = systemd_node.build(tmp_path)
    apply(root)
    (root / GROUPS[1:] / "gpuwright.slice/cgroup.events").write_text("populated 1\nfrozen 0\n")
    assert roll_back(root).errors == []
    assert group(root, "gpuwright.slice/cgroup.events") is not None
    assert group(root, "gpuwright.slice/cpuset.cpus") is None


class Before61(Systemd):
    """Linux before 6.1: a group that is a partition root cannot lose its CPUs."""

    def _reload(self):
        place = self._group("gpuwright.slice")
        held = place / "cpuset.cpus"
        kept = held.read_text() if held.exists() else None
        root = kept and (place / "cpuset.cpus.partition").read_text().startswith("root")
        super()._reload()
        if root and not held.exists():
            held.write_text(kept)
            (place / "cpuset.cpus.partition").write_text("root\n")


def test_a_partition_is_given_back_before_its_cpus(tmp_path):
    root = systemd_node.build(tmp_path)
    apply(root, dict(SLICES, **{"gpuwright.slice/cpuset.cpus.partition": "root"}))
    (root / GROUPS[1:] / "gpuwright.slice/cgroup.events").write_text("populated 1\nfrozen 0\n")
    host = Before61(str(root), read_only=False)
    made = _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))
    assert made.errors == [] and group(root, "gpuwright.slice/cpuset.cpus") is None


class Exclusive(Systemd):
    """As seen on Linux 6.1: a root whose CPUs overlap those of others for a moment is invalid until it was a member."""

    def _reload(self):
        place = self._group("gpuwright.slice")
        old = (place / "cpuset.cpus").read_text() if (place / "cpuset.cpus").exists() else ""
        super()._reload()
        changed = (place / "cpuset.cpus").exists() and old not in ("", (place / "cpuset.cpus").read_text())
        if changed and (place / "cpuset.cpus.partition").read_text().startswith("root"):
            (place / "cpuset.cpus.partition").write_text("root invalid (Cpu list in cpuset.cpus not exclusive)\n")

    def write_value(self, path, text):
        if not (path.endswith("partition") and text == "root" and "invalid" in self.read(path)):
            super().write_value(path, text)


def test_a_partition_is_one_again_after_its_cpus_have_changed(tmp_path):
    root = systemd_node.build(tmp_path)
    wanted = dict(SLICES, **{"gpuwright.slice/cpuset.cpus.partition": "root"})
    apply(root, wanted)
    moved = dict(wanted, **{"system.slice/AllowedCPUs": "1", "init.scope/AllowedCPUs": "1",
                            "gpuwright.slice/AllowedCPUs": "0"})
    host = Exclusive(str(root), read_only=False)
    checked = statuses(plan(systemd_node.read_only(root), moved))
    made = _apply.apply(functools.partial(plan, host, moved), {"what": "test"})
    assert _result.failures(made) == [] and statuses(made) == checked
    assert group(root, "gpuwright.slice/cpuset.cpus.partition") == "root"
    assert set(statuses(plan(host, moved)).values()) == {"ok"}
    (root / GROUPS[1:] / "gpuwright.slice/cpuset.cpus.partition").write_text("root invalid (x)\n")
    assert _result.failures(_apply.apply(functools.partial(plan, host, moved), {"what": "test"})) == []
    assert group(root, "gpuwright.slice/cpuset.cpus.partition") == "root"


def test_a_reload_that_fails_is_said_and_repeated(tmp_path):
    root = systemd_node.build(tmp_path)
    applied = apply(root, fails=("systemctl daemon-reload",))
    assert "systemctl daemon-reload: Failed" in _result.failures(applied)[0]
    assert set(statuses(plan(systemd_node.read_only(root))).values()) == {"drift"}
    assert _result.failures(apply(root)) == []
    assert set(statuses(plan(systemd_node.read_only(root))).values()) == {"ok"}


def test_lists_in_other_drop_ins_do_not_add_to_ours(tmp_path):
    """systemd merges repeated lists: ours begins anew."""
    root = systemd_node.build(tmp_path)
    plain_node.put(root, UNITS + "/system.slice.d/50-AllowedCPUs.conf", "[Slice]\nAllowedCPUs=1")
    plain_node.put(root, GROUPS + "/system.slice/cpuset.cpus", "1")
    assert _result.failures(apply(root)) == []
    assert group(root, "system.slice/cpuset.cpus") == "0"
    assert roll_back(root).errors == []
    assert group(root, "system.slice/cpuset.cpus") == "1"


@pytest.mark.parametrize("place", [UNITS + "/system.slice.d/99-site.conf", "/run/systemd/system/slice.d/zz.conf"])
def test_a_later_drop_in_is_a_conflict(tmp_path, place):
    root = systemd_node.build(tmp_path)
    plain_node.put(root, place, "[Slice]\n# ours\nAllowedCPUs=0-1")
    made = {step["target"]: step for step in plan(systemd_node.read_only(root)).steps}["system.slice/AllowedCPUs"]
    assert made["status"] == "conflict" and place + ":3 sets AllowedCPUs = 0-1" in made["reason"]


def test_without_cgroup_v2_nothing_applies(tmp_path):
    root = systemd_node.build(tmp_path, **{GROUPS + "/cgroup.controllers": None})
    made = plan(systemd_node.read_only(root))
    assert set(statuses(made).values()) == {"not_applicable"}
    assert "no cgroup v2" in made.steps[0]["reason"]


def test_a_partition_that_the_kernel_calls_invalid_is_an_error(tmp_path):
    root = systemd_node.build(tmp_path)
    values = dict(SLICES, **{"gpuwright.slice/cpuset.cpus.partition": "root"})
    real = Systemd.write_value

    class Kernel(Systemd):
        def write_value(self, path, text):
            words = " invalid (Cpu list in cpuset.cpus not exclusive)" if path.endswith("partition") else ""
            real(self, path, text + words)
    apply(root)
    plain_node.put(root, GROUPS + "/gpuwright.slice/cpuset.cpus.partition", "member")
    host = Kernel(str(root), read_only=False)
    said = _result.failures(_apply.apply(functools.partial(plan, host, values), {"what": "test"}))
    assert len(said) == 1 and "the kernel keeps root invalid (Cpu list in cpuset.cpus not exclusive)" in said[0]


def test_what_nothing_persists_brings_the_runner_and_takes_it_away(tmp_path):
    root = systemd_node.build(tmp_path)
    before = plain_node.snapshot(root)
    values = dict(SLICES, **{"gpuwright.slice/cpuset.cpus.partition": "root"})
    checked = plan(systemd_node.read_only(root), values)
    assert any(name.endswith("gpuwright.pyz") for name, _content, _mode in checked.runner)
    assert _result.failures(apply(root, values)) == []
    kept = json.loads((root / "etc/gpuwright/desired/cpu_isolation.json").read_text())
    assert kept["values"] == values and (root / "usr/local/lib/gpuwright/gpuwright.pyz").exists()
    again = apply(root, values)
    assert set(statuses(again).values()) == {"ok"} and not again.due
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


def test_the_file_of_desired_values_is_mended(tmp_path):
    root = systemd_node.build(tmp_path)
    values = dict(SLICES, **{"gpuwright.slice/cpuset.cpus.partition": "root"})
    apply(root, values)
    (root / "etc/gpuwright/desired/cpu_isolation.json").write_text("{")
    assert plan(systemd_node.read_only(root), values).due
    apply(root, values)
    assert not plan(systemd_node.read_only(root), values).due


def test_a_unit_with_no_file_of_ours_is_none(tmp_path):
    assert resource_control.parse("[Slice]\nAllowedCPUs=0\n") == {}


def test_what_a_role_withholds_is_given_back_and_says_why(tmp_path):
    root = systemd_node.build(tmp_path)
    apply(root)
    shy = types.SimpleNamespace(**vars(CATALOGUE), withhold=lambda view, options, names: {
        name: "slurmd runs in system.slice" for name in names if name.startswith("system")})
    host = Systemd(str(root), read_only=False)
    made = _apply.apply(functools.partial(plan, host, SLICES, shy), {"what": "test"})
    held = [step for step in made.steps if step["target"] == "system.slice/AllowedCPUs"]
    assert [step["status"] for step in held] == ["not_applicable", "drift"]
    assert held[0]["reason"] == "slurmd runs in system.slice" and held[1]["desired"] == ""
    assert group(root, "system.slice/cpuset.cpus") is None and group(root, "gpuwright.slice/cpuset.cpus") == "1"
