# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module monitoring: nothing but the documentation of the action, which must say what the action takes."""

from __future__ import annotations

import pathlib

import yaml

from ansible_collections.gpuwright.node.plugins.modules import monitoring as module
from ansible_collections.gpuwright.node.plugins.plugin_utils._monitoring import thresholds

OPTIONS = yaml.safe_load(module.DOCUMENTATION)["options"]
PLAYBOOK = pathlib.Path(__file__).resolve().parents[4] / "playbooks" / "monitoring.yml"


def test_the_documentation_says_what_is_taken_and_what_holds_without():
    assert set(OPTIONS) == {"directory", "thresholds"}
    told = OPTIONS["thresholds"]["suboptions"]
    assert {name: option.get("default") for name, option in told.items()} == thresholds.DEFAULTS


def test_the_playbook_hands_the_folder_on():
    play, = yaml.safe_load(PLAYBOOK.read_text())
    task, = play["tasks"]
    assert task["gpuwright.node.monitoring"] == {"directory": "{{ monitoring_directory | default(omit, true) }}"}
    assert task["run_once"] is True


def test_there_is_nothing_in_it_that_could_run_on_a_node():
    assert not hasattr(module, "main")
