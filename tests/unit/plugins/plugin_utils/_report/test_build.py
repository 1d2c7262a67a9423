# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""audit.json: every host of the run is in it, and none has answered that did not."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import build, parts

STEP = {"name": "vm.swappiness", "target": "vm.swappiness", "status": "ok", "running": "10", "desired": "10"}
VM = {"settings": [STEP], "rules": [], "reboot_required": False, "changed": False, "failed": None}
NOT_READ = {"topology": None, "failed": "no", "no_answer": True}


def play(hosts="abc", alive=None, batch=None):
    return {"all": set(hosts), "alive": set(hosts if alive is None else alive),
            "batch": set(hosts if batch is None else batch)}


@pytest.mark.parametrize(("kept", "now", "status"), [
    ({"vm": VM}, play(), "answered"),
    ({"topology": {"topology": {}, "failed": None}}, play(), "answered"),
    ({"vm": VM, "thp": dict(VM, failed="planted")}, play(), "failed"),
    ({"vm": VM, "failure": {"failed": "planted"}}, play(), "failed"),
    ({"topology": NOT_READ}, play(alive="bc"), "unreachable"),
    ({"vm": VM}, play(alive="bc", batch=""), "stopped"),
    ({}, play(alive="bc", batch=""), "no_answer"),
    ({}, play(), "no_answer"),
    ({}, play(batch="bc"), "not_reached"),
    ({}, play("bc"), "not_reached"),
    ({"report": {"status": "no_answer", "message": "x"}}, play("bc"), "no_answer"),
    ({"vm": VM, "report": {"status": "not_reached", "message": "x"}}, play(), "answered"),
])
def test_how_far_a_host_came(kept, now, status):
    found, message = build.verdict("a", kept, now)
    assert found == status
    assert (message is None) == (status == "answered")


def test_what_nobody_answered_is_null():
    entry = build.entry({}, "unreachable", "no", ["cpu"])
    assert (entry["reboot_required"], entry["changed"], entry["topology"]) == (None, None, None)
    kept = {"vm": dict(VM, settings=None, rules=None, reboot_required=None, failed="x")}
    entry = build.entry(kept, "failed", "x", [])
    assert (entry["reboot_required"], entry["settings"], entry["rules"]) == (None, [], [])


def test_a_reboot_for_one_role_is_a_reboot():
    entry = build.entry({"vm": VM, "thp": dict(VM, reboot_required=True, changed=True)}, "answered", None, [])
    assert entry["reboot_required"] is True
    assert entry["changed"] is True
    assert [step["role"] for step in entry["settings"]] == ["vm", "thp"]


@pytest.mark.parametrize(("step", "status"), [
    ({"status": "drift"}, "drift"),
    ({"status": "drift", "changed": False}, "drift"),
    ({"status": "drift", "changed": True}, "changed"),
    ({"status": "drift", "changed": True, "disruption": "reboot"}, "pending_reboot"),
    ({"status": "drift", "changed": True, "error": "x"}, "error"),
    ({"status": "ok"}, "ok"),
])
def test_the_status_that_is_shown(step, status):
    assert build.status_of(step) == status


def run_with(tmp_path, hosts, kept):
    folder = str(tmp_path)
    parts.expect(hosts, folder)
    for host, data in kept.items():
        for name, part in data.items():
            parts.keep(host, name, part, folder)
    return folder


def test_the_file_lists_every_host_and_counts(tmp_path):
    folder = run_with(tmp_path, ["a", "b", "c"], {"a": {"vm": dict(VM, rules=[{"severity": "W"}])},
                                                 "b": {"topology": NOT_READ}})
    hosts = build.hosts_of_run(folder, play(alive="ac", batch="a"), {"a": ["cpu"]})
    build.write(folder, {"when": "now", "check_mode": True}, ((name, host) for name, host, _new in hosts))
    with open(os.path.join(folder, "audit.json"), encoding="utf-8") as file:
        audit = json.load(file)
    assert {name: host["status"] for name, host in audit["hosts"].items()} == {
        "a": "answered", "b": "unreachable", "c": "not_reached"}
    assert audit["summary"] == {"hosts": {"answered": 1, "unreachable": 1, "not_reached": 1}, "settings": {"ok": 1},
                                "rules": {"W": 1}, "reboot_required": 0, "changed": 0}
    assert (audit["schema"], audit["when"], audit["check_mode"]) == (1, "now", True)
    assert audit["hosts"]["a"]["classes"] == ["cpu"]
    assert {"settings", "rules", "topology", "reboot_required"} <= set(audit["hosts"]["a"])


def test_no_host_at_all_is_still_json(tmp_path):
    build.write(str(tmp_path), {"when": "now", "check_mode": False}, iter(()))
    assert json.loads((tmp_path / "audit.json").read_text())["hosts"] == {}


def test_a_report_that_cannot_be_finished_leaves_the_one_before(tmp_path):
    def broken():
        yield "a", build.entry({"vm": VM}, "answered", None, [])
        raise OSError("planted")

    (tmp_path / "audit.json").write_text("old")
    with pytest.raises(OSError, match="planted"):
        build.write(str(tmp_path), {}, broken())
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("audit.json", "old")]


def test_a_host_is_news_once_and_again_when_it_answered_more(tmp_path):
    folder = run_with(tmp_path, ["a", "b", "c"], {"a": {"vm": VM}})

    def news(now):
        return [name for name, _host, new in build.hosts_of_run(folder, now, {}) if new]

    assert news(play(batch="a")) == ["a"]
    assert news(play(batch="a")) == []
    parts.keep("a", "thp", VM, folder)
    assert news(play(batch="b", alive="ac")) == ["a", "b"]


def test_a_failure_is_not_said_twice(tmp_path):
    folder = run_with(tmp_path, ["a", "b"], {"a": {"topology": NOT_READ}, "b": {"vm": VM}})
    for host in "ab":
        build.keep_failure(host, "Topology: no", folder)
    assert "failure" not in parts.of_host("a", folder)
    assert build.verdict("b", parts.of_host("b", folder), play()) == ("failed", "Topology: no")


def test_a_host_can_be_in_two_classes():
    assert build.classes_of({"inference": ["a", "b"], "cpu": ["b"], "rack1": ["a"]}) == {
        "a": ["inference"], "b": ["inference", "cpu"]}
