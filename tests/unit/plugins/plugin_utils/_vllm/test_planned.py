# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node answered, as later stages and the report need it."""

from __future__ import annotations

import json

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import planned

FILES = ("/etc/vllm/a.yaml", "/etc/vllm/b.yaml", "/etc/systemd/system/vllm@b.service.d/50-gpuwright.conf",
         "/etc/systemd/system/vllm@.service")


def test_problems_stop_it_whatever_their_shape():
    assert planned.of_answer({}, {"problems": ["a: x", "b: y"]})["wrong"] == "nothing was changed: a: x; b: y"
    assert planned.of_answer({}, {"problems": {"a": "x", "b": ["y", "z"]}})["wrong"].endswith("a: x; b: y; b: z")
    assert planned.of_answer({}, {"failed": "no route"})["wrong"] == "no route"
    steps = [{"name": "vllm@a.service", "running": "absent"}]
    assert planned.of_answer({"a": 1}, {"due": ["a"], "failed": None, "settings": steps}) == {
        "instances": {"a": 1}, "wrong": None, "due": ["a"], "open": [], "diff": [], "commands": {}, "versions": {},
        "running": {"a": "absent"}, "summaries": {}, "preflight": {}, "shown": {}}


def test_the_difference_of_an_instance_leaves_out_the_others():
    told = {"instances": {"a": 1, "b": 2}, "due": [], "diff": [{"after_header": path} for path in FILES]}
    assert [one["after_header"] for one in planned.diff_of(told, ["a"])] == [FILES[0], FILES[3]]
    assert [one["after_header"] for one in planned.diff_of(told, ["b"])] == list(FILES[1:])


def test_the_report_says_what_became_of_each_step(place):
    steps = [{"name": "vllm@%s.service" % name, "status": "drift"} for name in ("a", "b", "c")]
    parts.keep("n1", "vllm_service", {"settings": steps, "failed": None}, place)
    planned.keep_report(place, "n1", {"a": {"phase": "kept"}, "b": {"phase": "put_back", "words": ["x"]}}, ["b: x"])
    part = parts.of_host("n1", place)["vllm_service"]
    assert [(step.get("changed"), step.get("error")) for step in part["settings"]] == [
        (True, None), (None, "x"), (None, None)]
    assert part["changed"] is True and part["failed"] == "b: x"


def test_a_template_was_changed_once_an_instance_that_starts_from_it_is_kept(place):
    for phase, changed in (("kept", True), ("put_back", None), ("not_reached", None)):
        steps = [{"name": name, "status": "drift"} for name in ("vllm@.service", "vllm@a.service")]
        parts.keep("n1", "vllm_service", {"settings": steps, "failed": None}, place)
        planned.keep_report(place, "n1", {"a": {"phase": phase, "words": []}, "b": None}, [])
        assert parts.of_host("n1", place)["vllm_service"]["settings"][0].get("changed") is changed


def test_the_file_says_what_became_of_each_instance(tmp_path):
    made = {"batches": [{"hosts": ["n1"]}, {"hosts": ["n2"]}], "turns": {
        "n1": {"batch": 0, "units": [{"name": "a"}]}, "n2": {"batch": 1, "units": [{"name": "a"}]}}}
    path = tmp_path / "vllm_service.json"
    states = {("n1", "a"): {"phase": "put_back", "words": ["x"], "down_seconds": 9}}
    assert planned.write(str(tmp_path), made, states, "why") == str(path)
    told = json.loads(path.read_text())
    assert told["stopped"] == "why" and told["batches"] == [["n1"], ["n2"]]
    assert told["nodes"]["n1"]["a"] == {"result": "put_back", "words": ["x"], "down_seconds": 9, "batch": 1}
    assert told["nodes"]["n2"]["a"]["result"] == "not_reached"
    planned.forget(str(tmp_path))
    planned.forget(str(tmp_path))
    assert not path.exists()
