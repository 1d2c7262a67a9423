# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind unit_environment: irqbalance's list of banned CPUs, in force and back, and who else gives it one."""

from __future__ import annotations

import functools
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._cpu_values import CpuList
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import unit_environment
from ansible_collections.gpuwright.node.plugins.module_utils._row import unit_environment as row

from tests.sysroots import irq_node, plain_node
from tests.sysroots.irq_node import PID, UNIT, Irqs
from tests.sysroots.systemd_node import UNITS

NAME = UNIT + "/IRQBALANCE_BANNED_CPULIST"
CATALOGUE = types.SimpleNamespace(
    ROWS=(row(NAME, CpuList(), variable="b", doc="A row.", source="https://example.org/"),), OPTIONS=(), RULES=())
ENV = "/etc/gpuwright/cpu_isolation-irqbalance.service.env"
DROP_IN = UNITS + "/irqbalance.service.d/90-gpuwright-cpu_isolation.conf"


def plan(host, value="1,3"):
    asked = {"origins": {}, "take_over": [], "allow": [], "options": {}}
    return _plan.build(host, "cpu_isolation", CATALOGUE, {NAME: value}, asked)


def apply(root, value="1,3", **words):
    host = Irqs(str(root), read_only=False, **words)
    return _apply.apply(functools.partial(plan, host, value), {"what": "test"}), host.asked


def roll_back(root):
    host = Irqs(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host)), host.asked


def text(root, path):
    return (root / path[1:]).read_text()


def environment(root):
    return sorted(text(root, "/proc/%d/environ" % PID).split("\0")[:-1])


def only(made):
    return made.steps[0]


def test_the_list_goes_round_and_irqbalance_starts_anew_with_it(tmp_path):
    root = irq_node.build(tmp_path)
    before = plain_node.snapshot(root)
    assert only(plan(Irqs(str(root))))["status"] == "drift" and plain_node.snapshot(root) == before
    made, asked = apply(root)
    assert (only(made).get("error"), only(made)["after"]) == (None, "1,3")
    assert asked == ["systemctl daemon-reload", "systemctl try-restart irqbalance.service"]
    assert text(root, ENV).endswith("IRQBALANCE_BANNED_CPULIST=1,3\nIRQBALANCE_BANNED_CPUS=0000000a\n")
    assert text(root, DROP_IN).endswith("[Service]\nEnvironmentFile=-%s\n" % ENV)
    assert environment(root) == ["IRQBALANCE_BANNED_CPULIST=1,3", "IRQBALANCE_BANNED_CPUS=0000000a"]
    assert apply(root)[1] == []  # Nothing changed: it is not restarted.
    made, asked = roll_back(root)
    assert made.errors == [] and asked[-1] == "systemctl try-restart irqbalance.service"
    (root / ("proc/%d/environ" % PID)).write_text("LANG=C\0\n")  # What systemd's own manager gives is not played here.
    assert plain_node.snapshot(root) == before


def test_an_irqbalance_that_stands_still_gets_it_at_its_next_start(tmp_path):
    root = irq_node.build(tmp_path, **{"/sys/fs/cgroup/system.slice/%s/cgroup.procs" % UNIT: None})
    made, _asked = apply(root)
    assert (only(made).get("error"), only(made)["after"]) == (None, "1,3")
    assert only(plan(Irqs(str(root))))["status"] == "ok"


@pytest.mark.parametrize("unit", [None, "masked"])
def test_without_irqbalance_there_is_no_such_place(tmp_path, unit):
    root = irq_node.build(tmp_path, **{"/usr/lib/systemd/system/" + UNIT: None})
    if unit:
        irq_node.link(root, UNITS + "/" + UNIT, "/dev/null")
        plain_node.put(root, "/dev/null", "")
    assert (only(plan(Irqs(str(root))))["status"], only(plan(Irqs(str(root))))["reason"]) == (
        "not_applicable", unit_environment.ABSENT)


@pytest.mark.parametrize("line, shown", [
    ("IRQBALANCE_BANNED_CPULIST=2", "2"), ('IRQBALANCE_BANNED_CPULIST="2-3"', "2-3"),
    ("IRQBALANCE_BANNED_CPUS=00000000,0000000c", "2-3"),
    ("IRQBALANCE_BANNED_CPUS=c\nIRQBALANCE_BANNED_CPULIST=1", "2-3"), ("#IRQBALANCE_BANNED_CPULIST=2", "")])
def test_what_the_distributions_file_says_is_beaten_not_fought(tmp_path, line, shown):
    """irqbalance itself obeys the mask before the list, so ours comes with a mask."""
    root = irq_node.build(tmp_path, **{"/etc/default/irqbalance": line,
                                       "/sys/fs/cgroup/system.slice/%s/cgroup.procs" % UNIT: None})
    assert only(plan(Irqs(str(root))))["running"] == shown
    made, _asked = apply(root)
    assert (only(made)["status"], only(made)["after"]) == ("drift", "1,3")
    assert text(root, "/etc/default/irqbalance") == line + "\n"
    assert roll_back(root)[0].errors == []
    assert only(plan(Irqs(str(root))))["running"] == shown


@pytest.mark.parametrize("name, lines, conflict", [
    ("95-site.conf", "EnvironmentFile=/etc/site.env", True),
    ("95-site.conf", "EnvironmentFile=", True),
    ("95-site.conf", "EnvironmentFile=\nEnvironmentFile=/etc/same.env", False),
    ("95-site.conf", "UnsetEnvironment=IRQBALANCE_BANNED_CPUS", True),
    ("95-site.conf", "Environment=IRQBALANCE_BANNED_CPULIST=0", False),
    ("10-site.conf", "EnvironmentFile=/etc/site.env", False),
    ("95-site.conf", "EnvironmentFile=/etc/mask.env", True),
    ("95-site.conf", "EnvironmentFile=-/etc/none.env", False)])
def test_a_later_drop_in_that_gives_another_list_is_a_conflict(tmp_path, name, lines, conflict):
    root = irq_node.build(tmp_path, **{
        "%s/%s.d/%s" % (UNITS, UNIT, name): "[Service]\n" + lines, "/etc/site.env": "IRQBALANCE_BANNED_CPULIST=0",
        "/etc/same.env": "IRQBALANCE_BANNED_CPULIST=1,3", "/etc/mask.env": "IRQBALANCE_BANNED_CPUS=1"})
    step = only(plan(Irqs(str(root))))
    assert step["status"] == ("conflict" if conflict else "drift")
    assert not conflict or "wins over ours" in step["reason"]


def test_a_restart_that_fails_is_said(tmp_path):
    root = irq_node.build(tmp_path)
    made, _asked = apply(root, fails=("systemctl try-restart irqbalance.service",))
    assert "try-restart irqbalance.service: Failed" in only(made)["error"]


def test_a_service_that_was_removed_has_no_original(tmp_path):
    root = irq_node.build(tmp_path)
    apply(root)
    (root / "usr/lib/systemd/system" / UNIT).unlink()
    made, asked = roll_back(root)
    assert made.errors == [] and only(made)["status"] == "not_applicable"
    assert asked == ["systemctl daemon-reload"] and not (root / ENV[1:]).exists()


def test_many_cpus_make_a_mask_in_words(tmp_path):
    made = unit_environment.compose("", [(NAME, "", "32-63,128")])
    assert made == ("IRQBALANCE_BANNED_CPULIST=32-63,128\n"
                    "IRQBALANCE_BANNED_CPUS=00000001,00000000,00000000,ffffffff,00000000\n")
    assert unit_environment.parse(made) == {NAME: "32-63,128"}
