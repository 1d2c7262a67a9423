# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action place: all or nothing, on the screen and in the report folder, and what it says of bad variables."""

from __future__ import annotations

import json
import types

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.action import place
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import show

from tests.sysroots import gpu_hosts


@pytest.fixture(name="screen")
def fixture_screen(monkeypatch):
    """The lines that are shown."""
    lines = []
    monkeypatch.setattr(show.Display, "display", lambda _self, text, **_words: lines.append(text))
    return lines


@pytest.fixture(name="act")
def fixture_act(tmp_path, screen):
    """Run the action over `{host: variables}`."""
    def run(hosts, check_mode=False, more=None, **args):
        task = types.SimpleNamespace(args=args, async_val=0, check_mode=check_mode, diff=False)
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        templar = types.SimpleNamespace(template=lambda value: value)
        action = place.ActionModule(task, connection, None, None, templar, None)
        return action.run(task_vars=dict({
            "inventory_hostname": next(iter(hosts)), "gpuwright_report_dir": str(tmp_path / "report"),
            "ansible_play_hosts_all": list(hosts), "hostvars": hosts}, **more or {}))
    return run


def host(**variables):
    return dict({"ansible_facts": gpu_hosts.host([4, 4]), "rack": "r1"}, **variables)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_table_and_two_files(act, screen, tmp_path, check_mode):
    hosts = {"a": host(place_address="192.0.2.1"), "b": host(place_busy="0,1"), "c": {"rack": "r1"}}
    result = act(hosts, check_mode, tensor_parallel_size="8", replicas=1)
    assert not result.get("failed") and result["changed"] is False
    assert result["placement"]["left_out"] == ["c"]
    kept = json.loads((tmp_path / "report" / "placement.json").read_text())
    assert kept["replicas"][0]["nodes"] == ["a"]
    assert kept["free_gpus"] == {"a": 0, "b": 6}
    variables = yaml.safe_load((tmp_path / "report" / "placement.yml").read_text())
    assert variables == {"vllm_service_placement": kept["hosts"]}
    assert variables["vllm_service_placement"]["a"][0]["master_addr"] == "192.0.2.1"
    shown = "\n".join(screen)
    assert "0-7   one island" in shown
    assert "Left out, for nothing is known of them: c" in shown
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["placement.json", "placement.yml"]


def test_what_does_not_fit_leaves_the_files_of_an_earlier_run_alone(act, screen, tmp_path):
    hosts = {"a": host(), "b": {"rack": "r1"}}
    assert "earlier" not in act(hosts, tensor_parallel_size=16)["msg"]
    assert not (tmp_path / "report").exists()
    act(hosts, tensor_parallel_size=8)
    before = (tmp_path / "report" / "placement.json").read_bytes()
    del screen[:]
    result = act(hosts, tensor_parallel_size=8, replicas=2)
    assert result["failed"] and "needs 2 groups of 8 GPUs" in result["msg"]
    assert "nothing is known of them: b" in result["msg"]
    assert "placement.json is that of an earlier run" in result["msg"]
    assert (tmp_path / "report" / "placement.json").read_bytes() == before
    assert screen == []


def test_a_recorded_report_needs_no_facts(act, tmp_path):
    path = tmp_path / "audit.json"
    topologies = {name: {"topology": gpu_hosts.host([4])["topology"]} for name in "abx"}
    path.write_text(json.dumps({"when": "2026-01-02T03:04:05Z", "hosts": dict(topologies, c={"topology": None})}))
    result = act({"a": {"rack": "r"}, "c": {}}, tensor_parallel_size=4, **{"from": str(path)})
    assert result["placement"]["left_out"] == ["c"]
    assert result["placement"]["notes"] == [
        "The topology is that of %s, of 2026-01-02T03:04:05Z, and no node was asked" % path]
    assert json.loads((tmp_path / "report" / "placement.json").read_text())["free_gpus"] == {"a": 0}
    strange = act({"x9": {}}, tensor_parallel_size=4, **{"from": str(path)})
    assert "no topology is known of any host of the play: %s has none of it" % path in strange["msg"]
    act({"a": {}, "z": {}}, tensor_parallel_size=4, **{"from": str(path)})
    assert json.loads((tmp_path / "report" / "placement.json").read_text())["left_out"] == ["z"]
    act({"localhost": {}}, tensor_parallel_size=4, replicas=3, **{"from": str(path)})
    assert sorted(json.loads((tmp_path / "report" / "placement.json").read_text())["hosts"]) == ["a", "b", "x"]


@pytest.mark.parametrize(("args", "variables", "words"), [
    ({}, {}, "tensor_parallel_size is needed"),
    ({"tensor_parallel_size": 0}, {}, "tensor_parallel_size: 0 is not an integer of 1 or more"),
    ({"tensor_parallel_size": 8, "replica": 1}, {}, "there is no option replica; did you mean replicas?"),
    ({"tensor_parallel_size": 8}, {"place_replica": 1}, "place_replica: after place_, did you mean replicas?"),
    ({"tensor_parallel_size": 8, "from": "/nowhere/audit.json"}, {}, "place_from: /nowhere/audit.json: No such file"),
    ({"tensor_parallel_size": 8}, {"place_busy": 9}, "a: busy: 9 GPUs, but there are 8")])
def test_bad_input_is_named(act, args, variables, words):
    result = act({"a": host(**variables)}, more=variables, **args)
    assert result["failed"] and words in result["msg"]


def test_a_misspelt_variable_of_any_host_is_named(act):
    result = act({"a": host(), "b": host(place_bussy=[1])}, tensor_parallel_size=8)
    assert "place_bussy: after place_, did you mean busy?" in result["msg"]
    meant = {"gpuwright_ignore_variables": ["place_bussy"]}
    assert not act({"a": host(), "b": host(place_bussy=[1], **meant)}, tensor_parallel_size=8).get("failed")


def test_hosts_that_gathered_nothing(act):
    assert "run gpuwright.node.topology_facts first" in act({"a": {}}, tensor_parallel_size=8)["msg"]


def test_a_folder_that_cannot_be_written(act, tmp_path):
    (tmp_path / "report").write_text("a file")
    result = act({"a": host()}, tensor_parallel_size=8)
    assert result["failed"] and "set gpuwright_report_dir" in result["msg"]
