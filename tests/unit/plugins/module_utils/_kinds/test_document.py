# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind document: a role may publish several, each a file of its own that comes and goes."""

from __future__ import annotations

import functools
import types

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._cpu_values import Json, Text
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import document
from ansible_collections.gpuwright.node.plugins.module_utils._row import document as row
from ansible_collections.gpuwright.node.plugins.module_utils._settings import catalogue

from tests.sysroots import plain_node
from tests.sysroots.plain_node import Kernel, put

WORDS = {"doc": "A row.", "source": "https://example.org/"}
CATALOGUE = types.SimpleNamespace(ROWS=(row("traffic_class.json", Json(), variable="v", **WORDS),
                                        row("fabric.txt", Text(), variable="w", **WORDS)), OPTIONS=(), RULES=())
VALUES = {"traffic_class.json": {"dscp": 26}, "fabric.txt": "one\n  two  \n"}
PATHS = ["/etc/gpuwright/traffic_class.json", "/etc/gpuwright/fabric.txt"]


def plan(host, values):
    asked = {"origins": {}, "take_over": [], "allow": [], "options": {}}
    return _plan.build(host, "rdma_roce", CATALOGUE, values, asked)


def apply(root, values):
    host = Kernel(str(root), read_only=False)
    return _apply.apply(functools.partial(plan, host, values), {"what": "test"})


def statuses(made):
    return {step["target"]: step["status"] for step in made.steps}


def test_every_document_of_the_catalogue_is_published_by_its_role():
    for role, settings in catalogue.ROLES.items():
        names = [one.name for one in settings.ROWS if one.kind == "document"]
        assert sorted(document.files(role)) == sorted(document.file(role, name) for name in names)


def test_two_documents_go_round(tmp_path):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    apply(root, VALUES)
    assert (root / PATHS[1][1:]).read_text() == "one\n  two\n"
    assert (root / PATHS[0][1:]).read_text() == '{\n "dscp": 26\n}\n'
    again = apply(root, VALUES)
    assert not again.due and set(statuses(again).values()) == {"ok"}
    apply(root, dict(VALUES, **{"fabric.txt": None}))
    assert not (root / PATHS[1][1:]).exists() and (root / PATHS[0][1:]).exists()
    host = Kernel(str(root), read_only=False)
    _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))
    after = plain_node.snapshot(root)
    assert {name: text for name, text in after.items() if before.get(name) != text} == {}


def test_an_edit_of_one_is_found_in_that_one(tmp_path):
    root = plain_node.build(tmp_path)
    apply(root, VALUES)
    put(root, PATHS[1], "three")
    assert statuses(plan(Kernel(str(root)), VALUES)) == {"traffic_class.json": "ok", "fabric.txt": "drift"}
