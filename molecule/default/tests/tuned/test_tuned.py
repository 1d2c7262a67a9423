# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the roles every setting is right in the node's files and in the report, which also says what the node is."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

EPHEMERAL = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])

THP = "sys/kernel/mm/transparent_hugepage/enabled"

# Both nodes, written down by hand and not asked of the roles.
VALUES = {
    "proc/sys/vm/swappiness": "10",
    "proc/sys/vm/max_map_count": "1048576",
    "proc/sys/vm/panic_on_oom": "0",
    "proc/sys/vm/zone_reclaim_mode": "0",
    "proc/sys/kernel/panic": "10",
    "proc/sys/kernel/numa_balancing": "0",
}

# Dirty memory by the size of memory: percentages on the small node, bytes of the training class on the large one.
# Huge pages: a folder keeps the word that is written; the large node was right before.
OF_ONE_NODE = {
    "plain-node": {"proc/sys/vm/dirty_ratio": "10", "proc/sys/vm/dirty_background_ratio": "3", THP: "madvise"},
    "gpu-node": {"proc/sys/vm/dirty_bytes": str(32 << 30), "proc/sys/vm/dirty_background_bytes": str(4 << 30),
                 THP: "always [madvise] never"},
}
GPUS = {"plain-node": 0, "gpu-node": 8}


@pytest.fixture
def name(host):
    """The node's name, which is that of its folder."""
    return host.backend.get_hostname()


@pytest.fixture
def answer(name):
    """What the report says of the node."""
    return json.loads((EPHEMERAL / "report" / "audit.json").read_text())["hosts"][name]


def test_values(name):
    expected = {**VALUES, **OF_ONE_NODE[name]}
    assert {path: (EPHEMERAL / "nodes" / name / path).read_text().strip() for path in expected} == expected


def test_every_setting_is_ok(answer):
    assert len(answer["settings"]) > 10
    wrong = {step["target"]: (step["status"], step["reason"]) for step in answer["settings"] if step["status"] != "ok"}
    assert wrong == {}


def test_the_report_says_what_the_node_is(name, answer):
    assert len(answer["topology"]["gpus"]) == GPUS[name]
    assert [node["id"] for node in answer["topology"]["numa_nodes"]] == [0, 1]


def test_a_second_run_changed_nothing(answer):
    assert answer["changed"] is False
