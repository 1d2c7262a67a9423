# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vllm_roll: its documentation is that of its action, and there is no more to it."""

from __future__ import annotations

import yaml

from ansible_collections.gpuwright.node.plugins.action import vllm_roll as action
from ansible_collections.gpuwright.node.plugins.modules import vllm_roll as module

CHECKED = ("type", "required", "choices", "elements", "default")


def of_kind(options):
    return {name: {key: option[key] for key in CHECKED if key in option} for name, option in options.items()}


def test_the_documentation_says_what_the_action_takes():
    assert of_kind(yaml.safe_load(module.DOCUMENTATION)["options"]) == of_kind(action.TAKEN)


def test_there_is_nothing_in_it_that_could_run_on_a_node():
    assert not hasattr(module, "main")
