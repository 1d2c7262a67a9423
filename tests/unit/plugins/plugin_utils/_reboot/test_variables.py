# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of reboot.yml: what they mean, and what is said of one that is wrong."""

from __future__ import annotations

import pathlib
import re
import types

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import variables

TEMPLAR = types.SimpleNamespace(template=lambda value: value)
NOTHING = {"rack": None, "nvlink_domain": None, "drain": "none", "drain_tasks": None, "undrain_tasks": None,
           "allow": [], "local": False}


def of_node(**given):
    return variables.of_node(given, TEMPLAR)


def test_nothing_set_is_no_drain():
    assert of_node() == NOTHING
    assert of_node(rack="", nvlink_domain=None, gpuwright_drain=None) == NOTHING


def test_numbers_are_names_of_racks():
    found = of_node(rack=7, nvlink_domain=0, ansible_connection="local", gpuwright_reboot_allow="busy")
    assert (found["rack"], found["nvlink_domain"], found["local"], found["allow"]) == ("7", "0", True, ["busy"])


@pytest.mark.parametrize("drain", ["slurm", "kubernetes"])
def test_what_is_ready_made_is_there(drain):
    found = of_node(gpuwright_drain=drain)
    assert found["drain"] == drain
    for file in (found["drain_tasks"], found["undrain_tasks"]):
        assert pathlib.Path(file).is_file()
    assert found["drain_tasks"] != found["undrain_tasks"]


def test_own_files_begin_where_the_playbook_was_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("out.yml", "back.yml"):
        (tmp_path / name).write_text("[]")
    found = of_node(gpuwright_drain="slurm", gpuwright_drain_tasks="out.yml", gpuwright_undrain_tasks="back.yml")
    assert (found["drain"], found["drain_tasks"], found["undrain_tasks"]) == (
        "tasks", str(tmp_path / "out.yml"), str(tmp_path / "back.yml"))
    with pytest.raises(variables.BadVariable, match="no file .*missing.yml"):
        of_node(gpuwright_drain_tasks="out.yml", gpuwright_undrain_tasks="missing.yml")


@pytest.mark.parametrize(("given", "words"), [
    ({"gpuwright_drian": "slurm"}, "gpuwright_drian: did you mean gpuwright_drain?"),
    ({"gpuwright_drain": "slrum"}, "did you mean slurm?"),
    ({"gpuwright_drain_tasks": "x.yml"}, "set both"),
    ({"gpuwright_reboot_allow": ["link"]}, "legal: busy")])
def test_what_is_wrong_of_a_node_is_said(given, words):
    with pytest.raises(variables.BadVariable) as error:
        of_node(**given)
    assert words in str(error.value)


def test_a_variable_of_ones_own_is_let_through():
    assert of_node(gpuwright_mine=1, gpuwright_ignore_variables=["gpuwright_mine"]) == NOTHING


def test_the_wishes_of_a_run():
    assert variables.of_run({}, TEMPLAR) == {"serial": [1, "5%", "25%"], "budget": 0, "per_rack": 1}
    found = variables.of_run({"gpuwright_reboot_budget": "2", "gpuwright_serial": 5}, TEMPLAR)
    assert (found["budget"], found["serial"]) == (2, 5)


@pytest.mark.parametrize(("name", "value"), [
    ("gpuwright_reboot_budget", -1), ("gpuwright_reboot_budget", "some"), ("gpuwright_reboot_budget", True),
    ("gpuwright_reboot_per_rack", 0)])
def test_a_number_that_is_none_is_named(name, value):
    with pytest.raises(variables.BadVariable, match=name):
        variables.of_run({name: value}, TEMPLAR)


def test_every_variable_of_the_playbook_is_known(checkout):
    texts = [path.read_text() for path in [checkout / "playbooks" / "reboot.yml",
                                           *(checkout / "playbooks" / "tasks").glob("*.yml")]]
    used = set(re.findall(r"\bgpuwright_\w+", "\n".join(texts)))
    assert used - set(variables.NAMES) == {"gpuwright_nodes"}
    assert {name for name in variables.NAMES if name not in used} == set()
