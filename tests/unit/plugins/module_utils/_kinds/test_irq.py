# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind irq: the interrupts of devices go where they shall, and back, also after another boot."""

from __future__ import annotations

import errno
import functools
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._cpu_values import NodeCpus
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import irq
from ansible_collections.gpuwright.node.plugins.module_utils._row import irq as irq_row
from ansible_collections.gpuwright.node.plugins.module_utils._topology import interrupts

from tests.sysroots import irq_node, plain_node
from tests.sysroots.irq_node import DEVICES, FAR, NEAR, NIC, PCI, Irqs, affinity

ROW = irq_row("irq/smp_affinity_list", NodeCpus(), variable="i", doc="A row.", source="https://example.org/")
CATALOGUE = types.SimpleNamespace(ROWS=(ROW,), OPTIONS=(), RULES=())
VALUES = {"irq/smp_affinity_list": {"0": "0", "1": "2"}}
MOVABLE = ("33", "34", "36", "39")


def plan(host, values=None):
    asked = {"origins": {}, "take_over": [], "allow": [], "options": {}}
    return _plan.build(host, "cpu_isolation", CATALOGUE, VALUES if values is None else values, asked)


def apply(root, values=None, **words):
    host = Irqs(str(root), read_only=False, **words)
    return _apply.apply(functools.partial(plan, host, values), {"what": "test"})


def roll_back(root):
    host = Irqs(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))


def went_to(root):
    return {number: affinity(root, number) for number in MOVABLE}


def steps(made):
    return {step["target"]: (step["status"], step["running"], step["desired"]) for step in made.steps}


def test_interrupts_go_round(tmp_path):
    root = irq_node.build(tmp_path)
    before = plain_node.snapshot(root)
    checked = plan(Irqs(str(root)))
    assert steps(checked) == {
        "ens1 mlx5_0 " + NIC: ("drift", "0-3", "0"), "nvme0 " + NEAR: ("drift", "1", "0"),
        "nvme1 " + FAR: ("drift", "0-3", "2")}
    assert plain_node.snapshot(root) == before
    made = apply(root)
    assert [step.get("error") for step in made.steps] == [None] * 3 and made.errors == []
    assert went_to(root) == {"33": "0", "34": "0", "36": "0", "39": "2"}
    assert {affinity(root, number) for number in ("37", "38", "40")} == {"0-1", "2-3", "0-3"}  # The kernel's own.
    assert not apply(root).due
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


def test_one_of_the_cpus_asked_for_is_enough_and_is_left_where_it_is(tmp_path):
    root = irq_node.build(tmp_path)
    wide = {"irq/smp_affinity_list": {"0": "0-1", "1": "2-3"}}
    apply(root, wide)
    assert went_to(root) == {"33": "0-1", "34": "0-1", "36": "1", "39": "2-3"}
    plain_node.put(root, "/proc/irq/33/smp_affinity_list", "1")  # As irqbalance does.
    assert not apply(root, wide).due
    plain_node.put(root, "/proc/irq/33/smp_affinity_list", "1-2")
    assert steps(plan(Irqs(str(root)), wide))["ens1 mlx5_0 " + NIC][:2] == ("drift", "0-2")


@pytest.mark.parametrize("error", [errno.EIO, errno.EPERM])
def test_what_the_kernel_does_not_let_go_is_remembered_and_no_failure(tmp_path, error):
    root = irq_node.build(tmp_path)
    made = apply(root, refused={"34": error})
    assert [step.get("error") for step in made.steps] == [None] * 3
    assert interrupts.record(Irqs(str(root))) == {"34": ["mlx5_comp0@pci:0000:41:00.0"]}
    assert affinity(root, "34") == "3" and not apply(root).due
    roll_back(root)
    assert not (root / interrupts.RECORD[1:]).exists()


def test_a_device_with_managed_interrupts_only_is_right_as_it_is(tmp_path):
    root = irq_node.build(tmp_path)
    for number in ("33", "34"):
        (root / "proc/irq" / number / "smp_affinity_list").chmod(0o444)
    made = apply(root)
    step = next(step for step in made.steps if step["target"].endswith(NIC))
    assert (step["running"], step.get("error")) == ("", None)
    assert steps(plan(Irqs(str(root))))["ens1 mlx5_0 " + NIC][0] == "ok"


def test_no_vector_left_is_said_with_what_helps(tmp_path):
    root = irq_node.build(tmp_path)
    made = apply(root, refused={"33": errno.ENOSPC, "34": errno.ENOSPC})
    words = next(step["error"] for step in made.steps if step["target"].endswith(NIC))
    assert "interrupt 33 and 1 more of 2" in words and "fewer queues" in words
    assert affinity(root, "36") == "0"


def test_in_another_boot_the_numbers_mean_nothing(tmp_path):
    root = irq_node.build(tmp_path)
    apply(root)
    plain_node.put(root, "/proc/sys/kernel/random/boot_id", "second-boot")
    plain_node.put(root, "/proc/irq/default_smp_affinity", "5")  # Ours, by then.
    assert roll_back(root).errors == []
    assert went_to(root) == dict.fromkeys(MOVABLE, "0-3")


def test_after_a_reload_of_a_driver_new_interrupts_get_the_default(tmp_path):
    root = irq_node.build(tmp_path)
    apply(root)
    (root / "proc/irq/34").rename(root / "proc/irq/134")
    (root / DEVICES[1:] / NIC / "msi_irqs/34").unlink()
    irq_node.interrupt(root, "134", NIC, "mlx5_comp0@pci:0000:41:00.0", "0")
    assert roll_back(root).errors == []
    assert (affinity(root, "33"), affinity(root, "134")) == ("0-3", "0-3")


def test_cpus_that_went_offline_are_replaced_by_the_default(tmp_path):
    root = irq_node.build(tmp_path)
    apply(root)
    plain_node.put(root, "/sys/devices/system/cpu/online", "0-2")
    assert roll_back(root).errors == []
    assert affinity(root, "34") == "0-3"


def test_a_device_that_is_gone_has_no_original(tmp_path):
    root = irq_node.build(tmp_path)
    apply(root)
    (root / (PCI + NIC)[1:]).unlink()
    made = roll_back(root)
    assert made.errors == []
    assert {step["target"]: step["status"] for step in made.steps}["ens1 mlx5_0 " + NIC] == "not_applicable"


def test_a_machine_without_such_devices_says_so(tmp_path):
    made = plan(Irqs(str(plain_node.build(tmp_path))))
    assert [(step["status"], step["reason"]) for step in made.steps] == [("not_applicable", irq.ABSENT)]


def test_an_unknown_node_gets_all_that_is_asked_for(tmp_path):
    root = irq_node.build(tmp_path)
    plain_node.put(root, DEVICES + NIC + "/numa_node", "-1")
    assert steps(plan(Irqs(str(root))))["ens1 mlx5_0 " + NIC][2] == "0,2"


@pytest.mark.parametrize("running, desired, good", [
    ("0", "0-1", True), ("0-1", "0-1", True), ("", "0", True), ("0,2", "0-1", False), ("?", "0", False),
    ("0-3", "boot=x default=0 33=0", True)])
def test_what_is_good_enough(running, desired, good):
    assert irq.satisfied(running, desired) is good
