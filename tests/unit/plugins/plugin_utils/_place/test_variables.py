# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbook place: names, recorded reports, and what a host says of itself."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._place import variables


def test_names():
    variables.check_names({"place_tensor_parallel_size": 8, "place_from": "x", "place_busy": 1, "places": 1, "rack": 1})
    with pytest.raises(ValueError, match="place_colour: after place_, known: address, .*did you mean within?"):
        variables.check_names({"place_with_in": 1, "place_colour": 1})
    variables.check_names({"place_mine": 1, "gpuwright_ignore_variables": ["place_mine"]})


def test_a_recorded_report(tmp_path):
    path = tmp_path / "audit.json"
    path.write_text(json.dumps({"hosts": {"a": {"topology": {"gpus": []}}, "b": {}}}))
    assert variables.recorded(path) == ({"a": {"gpus": []}, "b": None}, None)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"hosts": []}', '{"hosts": {"a": 1}}', "\udce9"])
def test_what_is_no_report_is_said(tmp_path, text):
    path = tmp_path / "audit.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match="place_from: .*audit.json: it is no audit.json"):
        variables.recorded(path)


def test_what_a_host_says_of_itself():
    topology = {"gpus": []}
    hostvars = {"a": {"ansible_facts": {"topology": topology, "health": {}}, "rack": 1, "nvlink_domain": "d",
                      "place_busy": "0, 3", "ansible_host": "192.0.2.1"},
                "b": {"ansible_facts": {}}, "c": {"place_busy": 2, "place_address": "10.0.0.3", "ansible_host": "x"}}
    found, without = variables.hosts_of(["a", "b"], hostvars)
    assert found == {"a": {"topology": topology, "health": {}, "rack": 1, "nvlink_domain": "d", "busy": ["0", "3"],
                           "address": "192.0.2.1"}}
    assert without == ["b"]
    found, without = variables.hosts_of(["c", "z"], hostvars, {"c": topology, "z": topology})
    assert found["z"]["health"] is None
    assert (found["c"]["busy"], found["c"]["address"], found["z"]["address"]) == (2, "10.0.0.3", "z")
    assert without == []
