# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind rdma_cm on a stand-in for configfs; the lab's test_rdma.py has the kernel's own."""

from __future__ import annotations

import functools
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _input, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._row import rdma_cm as row
from ansible_collections.gpuwright.node.plugins.module_utils._runner import boot
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int

from tests.sysroots import plain_node, rdma_cm_node
from tests.sysroots.rdma_cm_node import RDMA, ROOT, Cm, kept

NAME = "rdma_cm/default_roce_tos"
CATALOGUE = types.SimpleNamespace(
    ROWS=(row(NAME, Int(0, 255), variable="v", doc="A row.", source="https://example.org/", devices="names"),),
    OPTIONS=({"name": "names", "type": "list", "doc": "Names."},), RULES=())
TARGET = "mlx5_0/" + NAME


@pytest.fixture(autouse=True)
def _role(monkeypatch):
    monkeypatch.setitem(ROLES, "rdma_roce", CATALOGUE)


def plan(host, value=106, names=("mlx5_0",)):
    request = {"origins": {}, "take_over": [], "allow": [], "options": {"names": list(names)}}
    return _plan.build(host, "rdma_roce", CATALOGUE, {NAME: value}, request)


def apply(root, value=106, names=("mlx5_0",), kind=Cm):
    host = kind(str(root), read_only=False)
    return _apply.apply(functools.partial(plan, host, value, names), {"what": "test"})


def roll_back(root):
    host = Cm(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))


def steps(made):
    return {step["target"]: (step["status"], step["running"], step.get("error")) for step in made.steps}


@pytest.mark.parametrize("before_us", [0, 96])
@pytest.mark.parametrize("folder", [False, True])
def test_the_value_goes_round_and_a_folder_of_ours_goes(tmp_path, before_us, folder):
    root = rdma_cm_node.build(tmp_path)
    rdma_cm_node.keep(root, {"mlx5_0": {"1": before_us}} if before_us else {})
    if folder:
        Cm(str(root), read_only=False).make_folder(ROOT + "/mlx5_0")
    before = plain_node.snapshot(root)
    assert steps(plan(Cm(str(root)))) == {TARGET: ("drift", str(before_us) if folder else "", None)}
    assert plain_node.snapshot(root) == before
    made = apply(root)
    assert steps(made) == {TARGET: ("drift", str(before_us), None)} and made.errors == []
    assert kept(root, "mlx5_0") == 106
    assert steps(plan(Cm(str(root)))) == {TARGET: ("ok", "106", None)} and not apply(root).due
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


def test_what_is_right_already_is_not_written_and_comes_back_as_it_was(tmp_path):
    root = rdma_cm_node.build(tmp_path)
    rdma_cm_node.keep(root, {"mlx5_0": {"1": 106}})
    before = plain_node.snapshot(root)
    assert steps(apply(root))[TARGET] == ("drift", "106", None)  # Right, but not persisted yet.
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


def test_the_module_is_loaded_where_it_is_missing_and_its_lack_is_told(tmp_path):
    root = rdma_cm_node.build(tmp_path / "one", loaded=False)
    assert steps(plan(Cm(str(root))))[TARGET] == ("drift", "", None)
    assert steps(apply(root))[TARGET] == ("drift", "", None) and kept(root, "mlx5_0") == 106
    assert roll_back(root).errors == [] and kept(root, "mlx5_0") == 0 and not (root / ROOT[1:] / "mlx5_0").exists()

    class Bare(Cm):
        modules = False
    root = rdma_cm_node.build(tmp_path / "two", loaded=False)
    before = plain_node.snapshot(root)
    assert "Module rdma_cm not found" in steps(apply(root, kind=Bare))[TARGET][2]
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


@pytest.mark.parametrize("folder", [False, True])
def test_every_roce_port_gets_it_and_ports_that_differed_differ_again(tmp_path, folder):
    root = rdma_cm_node.build(tmp_path, ports={"mlx4_0": {"1": "Ethernet", "2": "Ethernet", "3": "InfiniBand"}})
    rdma_cm_node.keep(root, {"mlx4_0": {"2": 32}})
    if folder:
        Cm(str(root), read_only=False).make_folder(ROOT + "/mlx4_0")
    before = plain_node.snapshot(root)
    assert steps(apply(root, names=["mlx4_0"])) == {
        "mlx4_0/1/" + NAME: ("drift", "0", None), "mlx4_0/2/" + NAME: ("drift", "32", None)}
    assert [kept(root, "mlx4_0", port) for port in "123"] == [106, 106, 0]
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


def test_infiniband_is_left_to_the_subnet_manager_and_a_misspelt_device_is_refused(tmp_path):
    root = rdma_cm_node.build(tmp_path, ports={"mlx5_0": {"1": "InfiniBand"}})
    assert steps(plan(Cm(str(root))))[TARGET][0] == "not_applicable"
    with pytest.raises(_input.BadInput, match="there is no mlx5_9 here; did you mean mlx5_0"):
        plan(Cm(str(root)), names=["mlx5_9"])


@pytest.mark.parametrize("value, words", [(256, "Numerical result"), (-1, "Invalid arg"), ("x", "Invalid arg")])
def test_what_is_no_byte_is_refused_before_the_kernel_would(tmp_path, value, words):
    root = rdma_cm_node.build(tmp_path)
    with pytest.raises(_input.BadInput, match="an integer from 0 to 255"):
        plan(Cm(str(root)), value)
    host = Cm(str(root), read_only=False)
    host.make_folder(ROOT + "/mlx5_0")
    with pytest.raises(OSError, match=words):
        host.write_value(ROOT + "/mlx5_0/ports/1/default_roce_tos", str(value))


def test_after_a_reload_of_the_driver_the_runner_sets_it_again(tmp_path):
    root = rdma_cm_node.build(tmp_path)
    apply(root)
    rdma_cm_node.keep(root, {})
    Cm(str(root), read_only=False).remove_folder(ROOT + "/mlx5_0")
    said = []
    (root / RDMA[1:] / "mlx5_0").rename(root / "away")
    assert boot.put_back(Cm(str(root), read_only=False), said.append) == 0 and len(said) == 1
    (root / "away").rename(root / RDMA[1:] / "mlx5_0")
    assert boot.put_back(Cm(str(root), read_only=False), said.append) == 0
    assert said[1] == "role rdma_roce: %s: 106, was 0" % TARGET and kept(root, "mlx5_0") == 106


def test_the_runner_makes_no_folder_while_another_run_may_be_at_it(tmp_path):
    made = []

    class Watched(Cm):
        def make_folder(self, path, mode=0o755):
            made.append(self.exists(_apply.LOCK))
            return super().make_folder(path, mode)
    root = rdma_cm_node.build(tmp_path)
    apply(root)
    Cm(str(root), read_only=False).remove_folder(ROOT + "/mlx5_0")
    assert boot.put_back(Watched(str(root), read_only=False), [].append) == 0
    assert made and all(made) and kept(root, "mlx5_0") == 106


def test_a_device_that_is_gone_gives_nothing_back(tmp_path):
    root = rdma_cm_node.build(tmp_path)
    apply(root)
    (root / RDMA[1:] / "mlx5_0").rename(root / "away")
    assert roll_back(root).errors == []
