# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of runs that are killed before any of their changes: a switch, a removal, a rollback; all is put right."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils import _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import put_back, switch

from tests.sysroots import vllm_node
from tests.sysroots.vllm_node import asked
from tests.sysroots.vllm_switched import LLAMA, OWNER, QWEN, commands, kills, plan, run, settled, statuses


def test_a_kill_before_any_change_of_a_switch_loses_nothing(tmp_path):
    """The next run says so and goes on; putting back gives the old bytes and the old process; rollback all."""
    old, new = asked("llama", secret="old"), asked("llama", gpus="2,3", secret="new", template="LimitCORE=0\n")
    settled(vllm_node.build(tmp_path / "served"), old)
    served = (tmp_path / "served/etc/vllm/llama.env").read_bytes()
    for count, root in kills(tmp_path, lambda root: settled(root, old), lambda host: run(host, new), 14):
        host = vllm_node.host(root)
        if count % 3 == 0:
            made = run(host, new)
            assert "error" not in made.step("llama"), count
            assert "=2,3" in host.running(LLAMA)["/etc/vllm/llama.env"], count
            assert "new" in host.running(LLAMA)["/etc/vllm/llama.secret.env"], count
            assert "LimitCORE" in host.running(LLAMA)["/etc/systemd/system/vllm@.service"], count
            switch.keep(host, ["llama"], OWNER)
            assert statuses(plan(vllm_node.host(root), new)) == {LLAMA: "ok"}, count
        elif count % 3 == 1:
            said = put_back.put_back(host, ["llama"], OWNER)["llama"]
            assert said["ok"], (count, said)
            assert (root / "etc/vllm/llama.env").read_bytes() == served, count
            assert "old" in host.running(LLAMA)["/etc/vllm/llama.secret.env"], count
            assert "LimitCORE" not in host.running(LLAMA)["/etc/systemd/system/vllm@.service"], count
            assert statuses(plan(vllm_node.host(root), old)) == {LLAMA: "ok"}, count


def test_a_kill_before_any_change_of_a_first_switch_leaves_nothing_after_a_rollback(tmp_path):
    for count, root in kills(tmp_path, bare, lambda host: run(host, asked("llama", secret="hush")), 14):
        if count % 2:
            assert "error" not in run(vllm_node.host(root), asked("llama", secret="hush")).step("llama"), count
            assert statuses(plan(vllm_node.host(root), asked("llama", secret="hush")))[LLAMA] == "drift"
            switch.keep(vllm_node.host(root), ["llama"], OWNER)
            assert statuses(plan(vllm_node.host(root), asked("llama", secret="hush"))) == {LLAMA: "ok"}, count


def test_a_kill_before_any_change_of_going_is_put_right(tmp_path):
    both = dict(asked("llama"), **asked("qwen"))
    for count, root in kills(tmp_path, lambda root: settled(root, both), lambda host: run(host, asked("qwen")), 8):
        made = run(vllm_node.host(root), asked("qwen"))
        assert [step["error"] for step in made.steps if "error" in step] == [], count
        assert statuses(plan(vllm_node.host(root), asked("qwen"))) == {QWEN: "ok"}, count
        assert vllm_node.host(root).running(LLAMA) is None and vllm_node.host(root).running(QWEN), count


def test_a_kill_while_keeping_is_put_right(tmp_path):
    for count in range(20):
        root = vllm_node.build(tmp_path / str(count))
        run(vllm_node.host(root), asked("llama"))
        killed = vllm_node.killed_before(count, root, lambda host: switch.keep(host, ["llama"], OWNER))
        made = plan(vllm_node.host(root), asked("llama"))
        if not killed:
            break
        assert "no run has verified" in made.step("llama")["reason"], count
        host = vllm_node.host(root)
        again = run(host, asked("llama"))
        assert commands(host) == ["daemon-reload"] and again.step("llama")["changed"]
        assert switch.keep(host, ["llama"], OWNER) == {"llama": 0}
    assert count > 1 and statuses(made) == {LLAMA: "ok"}


def test_a_kill_before_any_change_of_a_rollback_is_put_right(tmp_path):
    both = dict(asked("llama", secret="hush"), **asked("qwen"))
    for _count, _root in kills(tmp_path, lambda root: settled(root, both), roll_back, 14):
        pass  # The next rollback is that of `kills`.


def bare(_root):
    """Nothing is there yet."""


def roll_back(host):
    """Everything, on a host that may be killed."""
    return _rollback.carry_out(lambda: _rollback.plan_rollback(host))
