# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of putting back what served before: bytes, states, templates, words, kills."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import plan as planner
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import put_back, state, switch

from tests.sysroots import engine, plain_node, vllm_node
from tests.sysroots.vllm_node import asked, snapshot
from tests.sysroots.vllm_switched import LLAMA, OWNER, kills, run, settled

OLD, NEW = {"secret": "old"}, {"gpus": "2,3", "secret": "new", "template": "LimitCORE=0\n"}


def files(root):
    """What is on the disk, without what processes and we ourselves remember."""
    return {path: what for path, what in snapshot(root).items() if not path.startswith(("/proc", "/var/lib"))}


def back(root, *names, **words):
    return put_back.put_back(vllm_node.host(root, **words), list(names), OWNER)


def test_the_old_bytes_come_back_and_run_and_the_time_without_is_told(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama", **OLD))
    before = files(root)
    run(vllm_node.host(root), asked("llama", **NEW))
    assert files(root) != before
    said = back(root, "llama")["llama"]
    assert said["ok"] and said["down_seconds"] > 0
    assert "it was down for %d s until then" % said["down_seconds"] in said["words"]
    assert files(root) == before
    started = vllm_node.host(root).running(LLAMA)
    assert "old" in started["/etc/vllm/llama.secret.env"] and "=0,1" in started["/etc/vllm/llama.env"]
    assert state.read(vllm_node.host(root), "llama")["previous"] is None
    assert planner.plan(vllm_node.host(root), asked("llama", **OLD)).step("llama")["status"] == "ok"
    again = back(root, "llama")["llama"]
    assert again == {"ok": True, "changed": False, "down_seconds": 0, "also": [],
                     "words": "there is nothing to put back: what it runs was verified"}


def test_what_is_verified_after_it_is_the_old_one(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama", **OLD))
    served = state.read(vllm_node.host(root), "llama")["deployment"]
    run(vllm_node.host(root), asked("llama", **NEW))
    assert state.read(vllm_node.host(root), "llama")["deployment"] != served
    back(root, "llama")
    assert state.read(vllm_node.host(root), "llama")["deployment"] == served


def test_of_a_first_switch_nothing_is_left(tmp_path):
    root = vllm_node.build(tmp_path)
    before = snapshot(root)
    run(vllm_node.host(root, crashes=(LLAMA,)), asked("llama"))
    said = back(root, "llama")["llama"]
    assert said == {"ok": True, "changed": True, "down_seconds": 0, "also": [],
                    "words": "it is removed: there was none before"}
    assert snapshot(root) == before


def test_one_that_crashed_before_is_not_started_again(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    vllm_node.host(root).crash(LLAMA, again=False)
    run(vllm_node.host(root), asked("llama", gpus="4,5"))
    said = back(root, "llama")["llama"]
    assert said["words"] == "the old configuration is back; it did not run before"
    assert vllm_node.host(root).running(LLAMA) is None


def test_a_template_that_another_one_was_started_from_stays_and_that_is_said(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, dict(asked("llama"), **asked("qwen")))
    host = vllm_node.host(root)
    run(host, dict(asked("llama", template="LimitCORE=0\n"), **asked("qwen", template="LimitCORE=0\n")))
    switch.keep(host, ["qwen"], OWNER)
    said = back(root, "llama")["llama"]
    assert "vllm@.service stays as it is: qwen was started from it" in said["words"]
    assert "LimitCORE" in (root / "etc/systemd/system/vllm@.service").read_text()


def test_both_together_give_their_template_back(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, dict(asked("llama"), **asked("qwen")))
    before = files(root)
    run(vllm_node.host(root), dict(asked("llama", template="LimitCORE=0\n"), **asked("qwen", template="LimitCORE=0\n")))
    assert {one["ok"] for one in back(root, "llama", "qwen").values()} == {True}
    assert files(root) == before


def test_what_was_stopped_is_stopped_again(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama", state="stopped"))
    before = files(root)
    run(vllm_node.host(root), asked("llama"))
    assert back(root, "llama")["llama"]["ok"]
    kept = {path: what for path, what in files(root).items() if not path.startswith("/var/cache/vllm")}
    assert kept == before and vllm_node.host(root).running(LLAMA) is None


def test_what_does_not_come_back_is_said_and_can_be_tried_again(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    run(vllm_node.host(root), asked("llama", gpus="2,3"))
    said = back(root, "llama", fails=("systemctl start " + LLAMA,))["llama"]
    assert not said["ok"] and "as the test wants it" in said["words"] and said["down_seconds"] is None
    assert "interrupted" in planner.plan(vllm_node.host(root), asked("llama")).step("llama")["reason"]
    assert back(root, "llama")["llama"]["ok"]
    assert "=0,1" in vllm_node.host(root).running(LLAMA)["/etc/vllm/llama.env"]


def test_a_file_that_the_new_one_does_not_have_is_written_again_and_goes_with_a_rollback(tmp_path):
    root = vllm_node.build(tmp_path)
    before = snapshot(root)
    settled(root, asked("llama", **OLD))
    run(vllm_node.host(root), asked("llama"))
    assert not (root / "etc/vllm/llama.secret.env").exists()
    assert back(root, "llama")["llama"]["ok"]
    assert (root / "etc/vllm/llama.secret.env").read_text().endswith("=old\n")
    assert engine.roll_back(root, kernel=vllm_node.Engines).errors == []
    assert snapshot(root) == before


def test_a_kill_before_any_change_is_put_right_by_the_next_one(tmp_path):
    served = {}

    def prepare(root):
        settled(root, asked("llama", **OLD))
        served[root] = files(root)
        run(vllm_node.host(root), asked("llama", **NEW))

    for count, root in kills(tmp_path, prepare, lambda host: put_back.put_back(host, ["llama"], OWNER), 10):
        if count % 2:
            assert back(root, "llama")["llama"]["ok"], count
            assert files(root) == served[root], count
            assert "old" in vllm_node.host(root).running(LLAMA)["/etc/vllm/llama.secret.env"], count
        else:
            made = run(vllm_node.host(root), asked("llama", **NEW))
            assert "error" not in made.step("llama"), count
            switch.keep(vllm_node.host(root), ["llama"], OWNER)
            assert planner.plan(vllm_node.host(root), asked("llama", **NEW)).step("llama")["status"] == "ok", count


def test_what_was_somebody_else_s_serves_again(tmp_path):
    root = vllm_node.build(tmp_path)
    theirs = "/etc/systemd/system/" + LLAMA
    plain_node.put(root, theirs, "[Service]\nExecStart=/usr/bin/vllm serve theirs\n[Install]\nWantedBy=x")
    other = vllm_node.host(root)
    other.run(["systemctl", "daemon-reload"])
    other.run(["systemctl", "enable", LLAMA])
    other.run(["systemctl", "start", LLAMA])
    before = files(root)
    made = run(vllm_node.host(root), asked("llama"), take_over=[LLAMA])
    assert made.step("llama")["status"] == "drift" and not (root / theirs[1:]).exists()
    assert "/etc/vllm/llama.yaml" in vllm_node.host(root).running(LLAMA)
    said = back(root, "llama")["llama"]
    assert said["ok"] and said["down_seconds"] > 0
    assert files(root) == before
    assert list(vllm_node.host(root).running(LLAMA)) == [theirs]
