# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vllm_benchmark: the documentation of an action."""

from __future__ import annotations

import yaml

from ansible_collections.gpuwright.node.plugins.modules import vllm_benchmark


def test_its_stages_are_those_of_the_role(checkout):
    told = yaml.safe_load(vllm_benchmark.DOCUMENTATION)
    tasks = yaml.safe_load((checkout / "roles/vllm_benchmark/tasks/main.yml").read_text())
    stages = [task["gpuwright.node.vllm_benchmark"]["stage"] for task in tasks]
    assert told["options"]["stage"]["choices"] == stages == ["look", "run", "report"]
