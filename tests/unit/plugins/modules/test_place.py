# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module place: nothing but the documentation of the action, which must say what the action takes."""

from __future__ import annotations

import pathlib

import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement import DEFAULTS, DTYPES
from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement_bound import WITHIN
from ansible_collections.gpuwright.node.plugins.modules import place as module

OPTIONS = yaml.safe_load(module.DOCUMENTATION)["options"]
PLUGINS = pathlib.Path(__file__).resolve().parents[4] / "plugins"


def test_the_documentation_says_what_is_taken_and_what_holds_without():
    assert set(OPTIONS) == {"tensor_parallel_size", "from"} | set(DEFAULTS)
    assert {name: OPTIONS[name].get("default") for name in DEFAULTS} == DEFAULTS
    assert set(OPTIONS["dtype"]["choices"]) == set(DTYPES)
    assert OPTIONS["within"]["choices"] == list(WITHIN)


def test_the_filter_takes_the_same():
    told = yaml.safe_load((PLUGINS / "filter" / "place_model.yml").read_text())["DOCUMENTATION"]["options"]
    assert set(told) - {"_input"} == set(OPTIONS) - {"from"}
    assert {name: told[name].get("default") for name in DEFAULTS} == DEFAULTS


def test_the_playbook_maps_every_option():
    play, = yaml.safe_load((PLUGINS.parent / "playbooks" / "place.yml").read_text())
    task = play["tasks"][0]["always"][0]["gpuwright.node.place"]
    assert set(task) == set(OPTIONS)
    assert {name: value.split()[1] for name, value in task.items()} == {name: "place_" + name for name in OPTIONS}


def test_there_is_nothing_in_it_that_could_run_on_a_node():
    assert not hasattr(module, "main")
