# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the plan: every status, its reason, and that nothing is written while planning."""

from __future__ import annotations

import json
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._journal import ForeignJournal
from ansible_collections.gpuwright.node.plugins.module_utils._row import sysctl, sysfs
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int

from tests.sysroots import plain_node
from tests.sysroots.engine import DEFAULTS, VM, apply, plan, statuses, steps

SOURCE = "https://example.org/"


def stand_in(**words):
    """A catalogue with one row, for kinds of settings that no role has yet."""
    row = sysctl("vm.swappiness", Int(0, 200), variable="vm_swappiness", doc="Stand-in.", source=SOURCE, **words)
    return types.SimpleNamespace(ROWS=(row,), RULES=(), OPTIONS=())


def test_planning_writes_nothing(tmp_path):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    for role, values in DEFAULTS.items():
        assert plan(root, role, values).changing
    assert plain_node.snapshot(root) == before


def test_what_differs_is_drift_and_says_what(tmp_path):
    made = steps(plan(plain_node.build(tmp_path), "vm", VM, origins={"vm.swappiness": "host_vars/a.yml:1"}))
    step = made["vm.swappiness"]
    assert (step["status"], step["running"], step["desired"], step["configured"]) == ("drift", "60", "10", None)
    assert step["reason"] == "running 60, not persisted" and step["why"] == "host_vars/a.yml:1"
    assert step["file"] == "/etc/sysctl.d/90-gpuwright-vm.conf"


def test_a_value_that_runs_but_is_not_persisted_is_drift(tmp_path):
    step = steps(plan(plain_node.build(tmp_path), "vm", {"vm.swappiness": 60}))["vm.swappiness"]
    assert (step["status"], step["reason"]) == ("drift", "not persisted")


def test_a_setting_this_kernel_does_not_have_is_not_applicable(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/sys/kernel/numa_balancing": None})
    step = steps(plan(root, "numa", DEFAULTS["numa"]))["kernel.numa_balancing"]
    assert (step["status"], step["reason"], step["file"]) == ("not_applicable", "this kernel has no such setting", None)


def test_a_word_this_kernel_does_not_offer_is_not_applicable(tmp_path):
    root = plain_node.build(tmp_path, **{plain_node.THP + "/defrag": "always [madvise] never"})
    step = steps(plan(root, "thp", DEFAULTS["thp"]))["transparent_hugepage/defrag"]
    assert (step["status"], step["reason"]) == ("not_applicable", "this kernel offers always, madvise, never")


def test_what_cannot_be_read_is_unreadable_and_never_ok(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/sys/vm/swappiness": None, "/proc/sys/vm/dirty_ratio": "junk"})
    (root / "proc/sys/vm/swappiness").mkdir()
    made = steps(plan(root, "vm", VM))
    assert made["vm.swappiness"]["status"] == "unreadable" and "Is a directory" in made["vm.swappiness"]["reason"]
    assert made["vm.dirty_ratio"]["status"] == "unreadable"


def test_a_raise_only_setting_is_met_by_a_higher_value_and_never_lowered(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/sys/vm/max_map_count": "2147483642"})
    made = apply(root, "vm", {"vm.max_map_count": 1048576})
    assert (root / "proc/sys/vm/max_map_count").read_text().strip() == "2147483642"
    assert "vm.max_map_count = 2147483642" in made.wanted_files["/etc/sysctl.d/90-gpuwright-vm.conf"], "nor at boot"
    again = steps(plan(root, "vm", {"vm.max_map_count": 1048576}))["vm.max_map_count"]
    assert (again["status"], again["reason"]) == ("ok", "2147483642 is higher and is kept")


def test_what_we_raised_ourselves_may_be_asked_for_lower_but_not_below_what_was_there(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/sys/vm/max_map_count": "65530"})
    apply(root, "vm", {"vm.max_map_count": 2097152})
    for asked, line in ((1048576, 1048576), (65000, 65530)):
        made = apply(root, "vm", {"vm.max_map_count": asked})
        assert "vm.max_map_count = %d\n" % line in made.wanted_files["/etc/sysctl.d/90-gpuwright-vm.conf"]
    assert (root / "proc/sys/vm/max_map_count").read_text().strip() == "2097152"



def test_a_raise_only_line_does_not_undercut_another_file_at_boot(tmp_path):
    root = plain_node.build(tmp_path, **{"/usr/lib/sysctl.d/10-map-count.conf": "vm.max_map_count = 2147483642",
                                         "/proc/sys/vm/max_map_count": "2147483642"})
    step = steps(plan(root, "vm", {"vm.max_map_count": 1048576}))["vm.max_map_count"]
    assert (step["status"], step["reason"]) == ("ok", "another file gives 2147483642, which is kept")


def test_pages_are_one_step_for_each_node_and_size(tmp_path):
    made = statuses(plan(plain_node.build(tmp_path), "vm", {"nr_hugepages": {2048: {0: 4}}}))
    assert list(made) == ["node0/hugepages-2048kB", "node0/hugepages-1048576kB", "node1/hugepages-2048kB",
                          "node1/hugepages-1048576kB"]


def test_a_kernel_without_nodes_has_its_pages_in_one_place(tmp_path):
    path = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
    root = plain_node.build(tmp_path, **{path: "0"})
    for node in ("node0", "node1"):
        for size in ("2048", "1048576"):
            (root / ("sys/devices/system/node/%s/hugepages/hugepages-%skB/nr_hugepages" % (node, size))).unlink()
    made = steps(plan(root, "vm", {"nr_hugepages": {2048: 4}}))
    assert list(made) == ["node0/hugepages-2048kB"] and made["node0/hugepages-2048kB"]["desired"] == "4"


def test_a_kernel_without_huge_pages_needs_none(tmp_path):
    root = plain_node.build(tmp_path)
    for place in root.glob("sys/devices/system/node/node*/hugepages/*/nr_hugepages"):
        place.unlink()
    assert statuses(plan(root, "vm", {"nr_hugepages": {}})) == {"nr_hugepages": "not_applicable"}
    with pytest.raises(BadInput, match="offers none"):
        plan(root, "vm", {"nr_hugepages": {2048: 1}})


def test_what_takes_effect_at_boot_is_pending_once_it_is_configured(tmp_path):
    root = plain_node.build(tmp_path)
    catalogue = stand_in(effect="reboot", disruption="reboot")
    assert steps(plan(root, "vm", {"vm.swappiness": 10}, catalogue=catalogue))["vm.swappiness"]["status"] == "drift"
    plain_node.put(root, "/etc/sysctl.d/90-gpuwright-vm.conf", "vm.swappiness = 10")
    step = steps(plan(root, "vm", {"vm.swappiness": 10}, catalogue=catalogue))["vm.swappiness"]
    assert (step["status"], step["reason"]) == ("pending_reboot", "takes effect at the next boot; running 60")


def test_every_problem_of_the_input_is_named_at_once_and_nothing_is_written(tmp_path):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    with pytest.raises(BadInput) as error:
        apply(root, "vm", {"vm.swapiness": 10, "vm.dirty_ratio": 200, "vm.dirty_bytes": True, "kernel.panic": 5,
                           "nr_hugepages": {4096: 1}}, origins={"vm.dirty_ratio": "group_vars/all.yml:3"})
    said = error.value.problems
    assert said == [
        "vm.swapiness is no setting of this role; did you mean vm.swappiness?",
        "vm_dirty_ratio (group_vars/all.yml:3): 200 is not an integer from 0 to 100",
        "vm_dirty_bytes (set by the task): True is not an integer from 8192 to 9223372036854775807",
        "vm_hugepages (set by the task): this kernel has no pages of 4096 kB; known: 1048576, 2048",
    ]
    assert plain_node.snapshot(root) == before


def test_twins_are_not_both_set(tmp_path):
    with pytest.raises(BadInput, match="vm_dirty_bytes and vm_dirty_ratio are both set"):
        plan(plain_node.build(tmp_path), "vm", {"vm.dirty_ratio": 10, "vm.dirty_bytes": 1 << 30})


@pytest.mark.parametrize("text, words", [
    ("{not json", "damaged"), ("[]", "damaged"), ('{"schema": 2, "machine": {}}', "schema 2, this version knows 1"),
    (json.dumps({"schema": 1, "machine": {}, "entries": [], "files": {}, "folders": [], "owners": {}}), "damaged"),
    (json.dumps({"schema": 1, "machine": None, "entries": {}, "files": {}, "folders": [], "owners": {}}), "damaged"),
    (json.dumps({"schema": 1, "machine": {"machine_id": "f" * 32}, "entries": {}, "files": {}, "folders": [],
                 "owners": {}}), "belongs to another machine"),
])
def test_a_journal_that_is_not_ours_is_refused(tmp_path, text, words):
    root = plain_node.build(tmp_path)
    plain_node.put(root, "/var/lib/gpuwright/journal.json", text)
    before = plain_node.snapshot(root)
    with pytest.raises(ForeignJournal, match=words):
        apply(root, "vm", VM)
    assert plain_node.snapshot(root) == before


def test_null_gives_back_what_was_found_before_us(tmp_path):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    apply(root, "vm", VM)
    made = plan(root, "vm", dict(VM, **{"vm.swappiness": None}))
    step = next(step for step in made.changing if step["name"] == "vm.swappiness")
    assert (step["running"], step["desired"], step["why"]) == ("10", "60", "no longer managed")
    assert statuses(made)["vm.dirty_ratio"] == "ok"
    apply(root, "vm", dict(VM, **{"vm.swappiness": None}))
    assert "swappiness" not in (root / "etc/sysctl.d/90-gpuwright-vm.conf").read_text()
    apply(root, "vm", {})
    assert plain_node.snapshot(root) == before


def test_a_twin_gives_back_the_form_that_was_in_force(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/sys/vm/dirty_ratio": "0", "/proc/sys/vm/dirty_bytes": "1073741824"})
    before = plain_node.snapshot(root)
    apply(root, "vm", {"vm.dirty_ratio": 10})
    assert (root / "proc/sys/vm/dirty_bytes").read_text() == "0\n"
    made = apply(root, "vm", {"vm.dirty_bytes": 8192})
    assert not any("_restore" in step for step in made.steps), "the twin that took over is no setting let go"
    apply(root, "vm", {})
    assert plain_node.snapshot(root) == before


def test_rows_that_contradict_themselves_fail_when_they_are_made():
    words = {"variable": "vm_x", "doc": "A sentence.", "source": SOURCE}
    for wrong in ({"doc": "no sentence"}, {"source": "somewhere"}, {"effect": "later"}, {"disruption": "huge"},
                  {"raise_onyl": True}):
        with pytest.raises(ValueError):
            sysctl("vm.x", Int(), **dict(words, **wrong))
    assert sysfs("x", Int(), "/sys/x", **words).paths == ("/sys/x",)
