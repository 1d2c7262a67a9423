# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of switching instances on a stand-in host: what is stopped, written and started, kills, and errors."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm import plan as planner
from ansible_collections.gpuwright.node.plugins.module_utils._vllm import put_back, state, switch

from tests.sysroots import engine, vllm_node
from tests.sysroots.vllm_node import asked, snapshot

LLAMA, QWEN = "vllm@llama.service", "vllm@qwen.service"
OWNER = {"what": "test"}


def plan(host, wanted, **words):
    return planner.plan(host, wanted, **words)


def run(host, wanted, **words):
    """Switch everything that is due."""
    return switch.switch(lambda: plan(host, wanted, **words), list(planner.plan(host, wanted, **words).asked), OWNER)


def settled(root, wanted):
    """Switched, verified and kept."""
    host = vllm_node.host(root)
    made = run(host, wanted)
    assert [step["error"] for step in made.steps if "error" in step] == [], made.errors
    switch.keep(host, list(wanted), OWNER)
    return host


def statuses(made):
    return {step["target"]: step["status"] for step in made.steps}


def commands(host):
    """What was told to systemctl, without what only asks."""
    return [one[len("systemctl "):] for one in host.asked if not one.startswith("systemctl show")]


def test_a_new_instance_is_written_enabled_and_started(tmp_path):
    root = vllm_node.build(tmp_path)
    host = vllm_node.host(root)
    before = snapshot(root)
    checked = plan(vllm_node.host(root, read_only=True), asked("llama"))
    assert snapshot(root) == before
    assert statuses(checked) == {"vllm@.service": "drift", LLAMA: "drift"}
    made = run(host, asked("llama"))
    assert commands(host) == ["daemon-reload", "start " + LLAMA]
    assert sorted(host.running(LLAMA)) == [
        "/etc/systemd/system/vllm@.service", "/etc/systemd/system/vllm@llama.service.d/50-gpuwright.conf",
        "/etc/vllm/llama.env", "/etc/vllm/llama.yaml"]
    assert made.step("llama")["changed"] and state.read(host, "llama")["phase"] == "switched"
    assert state.read(host, "llama")["down_since"] is None
    assert switch.keep(host, ["llama"], OWNER) == {"llama": "kept"}
    again = vllm_node.host(root)
    now = snapshot(root)
    assert statuses(run(again, asked("llama"))) == {LLAMA: "ok"}
    assert commands(again) == [] and snapshot(root) == now


def test_roll_back(tmp_path):
    root = vllm_node.build(tmp_path)
    before = snapshot(root)
    settled(root, dict(asked("llama", secret="hush"), **asked("qwen")))
    made = engine.roll_back(root, kernel=vllm_node.Engines)
    assert made.errors == []
    assert snapshot(root) == before
