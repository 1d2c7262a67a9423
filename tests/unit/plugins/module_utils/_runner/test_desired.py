# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the files that keep what was asked of a role on the node."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._runner import desired

from tests.sysroots.plain_node import put

REQUEST = {"values": {"vm.swappiness": 10, "nr_hugepages": {"2048": 4}}, "options": {"vm_strict": True},
           "take_over": ["tuned"]}


def test_a_request_comes_back_as_the_engine_takes_it(tmp_path):
    put(tmp_path, desired.path("vm"), desired.text("vm", dict(REQUEST, origins={"vm.swappiness": "x"}, role="else")))
    assert desired.load(Host(str(tmp_path))) == [dict(REQUEST, role="vm", origins={}, allow=[], absent_ok=True)]


def test_the_same_request_always_gives_the_same_text():
    text = desired.text("vm", REQUEST)
    assert text == desired.text("vm", {key: REQUEST[key] for key in reversed(list(REQUEST))})
    assert text.endswith("}\n") and json.loads(text)["schema"] == 1


def test_a_node_without_desired_settings_has_none(tmp_path):
    assert desired.load(Host(str(tmp_path))) == []


def test_half_written_and_hidden_files_are_of_no_role(tmp_path):
    for name in ("vm.json.gpuwright-new", ".vm.json", "vm.json~", "README"):
        put(tmp_path, "%s/%s" % (desired.FOLDER, name), "{")
    assert desired.roles(Host(str(tmp_path))) == []


@pytest.mark.parametrize("content, words", [
    ("", "damaged"),
    ("{}", "no 'schema'"),
    ("[]", "damaged"),
    ('{"schema": 1}', "no 'role'"),
    ('{"schema": 1, "role": "vm", "values": {}, "options": {}}', "take_over has another shape"),
    ('{"schema": 1, "role": 5, "values": {}, "options": {}, "take_over": []}', "role has another shape"),
    ('{"schema": 2, "role": "vm"}', "schema 2, this version knows 1"),
    (desired.text("thp", REQUEST), "says it is of role thp"),
])
def test_a_file_that_is_not_ours_as_written_is_named(tmp_path, content, words):
    put(tmp_path, desired.path("vm"), content)
    with pytest.raises(desired.DamagedDesired, match=words) as raised:
        desired.load(Host(str(tmp_path)))
    assert "/etc/gpuwright/desired/vm.json" in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / desired.path("vm")[1:]).mkdir(parents=True)
    with pytest.raises(desired.DamagedDesired, match="vm.json cannot be read: Is a directory"):
        desired.load(Host(str(tmp_path)))
