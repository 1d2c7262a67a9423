# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances switched on the stand-in host of vllm_node, as the module does it: for the tests of switch."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import plan as planner
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import switch

from tests.sysroots import engine, vllm_node

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


def kills(folder, prepare, change, least):
    """(number, root) of a prepared node for each moment in which `change` was killed there, and for one where it ended.

    Whatever is done with it then, a rollback gives it back as it was before it was prepared.
    """
    for number in range(200):
        root = vllm_node.build(folder / str(number))
        before = vllm_node.snapshot(root)
        prepare(root)
        killed = vllm_node.killed_before(number, root, change)
        yield number, root
        assert engine.roll_back(root, kernel=vllm_node.Engines).errors == [], number
        assert vllm_node.snapshot(root) == before, number
        if not killed:
            break
    assert number > least
