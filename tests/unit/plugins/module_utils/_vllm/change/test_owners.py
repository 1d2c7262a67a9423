# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of whose files are in the places of an instance: named, left alone, taken over on a word, given back."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import plan as planner
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import result, switch

from tests.sysroots import engine, plain_node, vllm_node
from tests.sysroots.vllm_node import asked, snapshot

LLAMA = "vllm@llama.service"
UNITS = "/etc/systemd/system/"
OWNER = {"what": "test"}


def plan(root, take_over=(), **words):
    return planner.plan(vllm_node.host(root), asked("llama", **words), take_over)


def apply(root, take_over=()):
    host = vllm_node.host(root)
    made = switch.switch(lambda: planner.plan(host, asked("llama"), take_over), ["llama"], OWNER)
    switch.keep(host, ["llama"], OWNER)
    return made


@pytest.mark.parametrize("path", ["/etc/vllm/llama.yaml", UNITS + "vllm@.service", UNITS + LLAMA])
def test_what_is_somebody_else_s_is_named_and_left_and_comes_back_after_a_take_over(tmp_path, path):
    root = vllm_node.build(tmp_path)
    plain_node.put(root, path, "[Service]\nExecStart=/usr/bin/theirs")
    (root / path[1:]).chmod(0o640)
    before = snapshot(root)
    made = apply(root)
    step = made.step("llama")
    assert step["status"] == "conflict" and path in step["reason"]
    assert "gpuwright_take_over: [vllm@" in step["reason"] and snapshot(root) == before
    apply(root, [LLAMA])
    assert plan(root).step("llama")["status"] == "ok"
    assert "theirs" in (root / "var/lib/gpuwright/journal.json").read_text()
    assert (root / "var/lib/gpuwright/journal.json").stat().st_mode & 0o777 == 0o600
    assert engine.roll_back(root, kernel=vllm_node.Engines).errors == []
    assert snapshot(root) == before


def test_a_template_that_others_start_from_is_handed_over_by_its_own_name_only(tmp_path):
    root = vllm_node.build(tmp_path)
    plain_node.put(root, UNITS + "vllm@.service", "[Service]\nExecStart=/usr/bin/theirs")
    (root / "etc/systemd/system/multi-user.target.wants").mkdir()
    (root / "etc/systemd/system/multi-user.target.wants/vllm@other.service").symlink_to(UNITS + "vllm@.service")
    said = plan(root, [LLAMA]).step("llama")
    assert said["status"] == "conflict" and "vllm@other.service, which start from it" in said["reason"]
    assert plan(root, ["vllm@.service"]).step("llama")["status"] == "drift"


def test_a_masked_unit_and_one_of_a_package_are_conflicts(tmp_path):
    root = vllm_node.build(tmp_path)
    (root / UNITS[1:] / LLAMA).symlink_to("/dev/null")
    assert "masks the unit" in plan(root).step("llama")["reason"]
    (root / UNITS[1:] / LLAMA).unlink()
    plain_node.put(root, "/usr/lib/systemd/system/" + LLAMA, "[Service]")
    step = plan(root, [LLAMA]).step("llama")
    assert step["status"] == "conflict" and "remove it or choose another name" in step["reason"]


def test_a_drop_in_on_top_of_ours_is_a_warning(tmp_path):
    root = vllm_node.build(tmp_path)
    plain_node.put(root, UNITS + LLAMA + ".d/90-theirs.conf", "[Service]\nLimitNOFILE=1024")
    plain_node.put(root, UNITS + LLAMA + ".d/90-gpuwright-numa-limits.conf",
                   "# Written by gpuwright.node, role numa\nA=1")
    assert [(found["severity"], found["message"]) for found in plan(root).findings] == [
        ("W", UNITS + LLAMA + ".d/90-theirs.conf is somebody else's and comes on top of what we write: it sets "
         "LimitNOFILE")]


def test_without_our_journal_what_we_wrote_is_still_ours(tmp_path):
    root = vllm_node.build(tmp_path)
    apply(root)
    (root / "var/lib/gpuwright/journal.json").unlink()
    assert plan(root).step("llama")["status"] == "ok"


def test_a_template_that_is_somebody_else_s_is_said_once_for_all_that_start_from_it(tmp_path):
    root = vllm_node.build(tmp_path)
    plain_node.put(root, UNITS + "vllm@.service", "[Service]\nExecStart=/usr/bin/theirs")
    said = result.problems(planner.plan(vllm_node.host(root), dict(asked("llama"), **asked("qwen", gpus="2,3"))))
    assert len(said) == 1 and said[0].startswith("vllm@.service, %s, vllm@qwen.service: %svllm@.service is somebody "
                                                 % (LLAMA, UNITS))
