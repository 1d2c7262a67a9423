# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the health as text: findings first, what was looked at last, and the exit status by severity."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import node
from ansible_collections.gpuwright.node.plugins.module_utils._health.finding import finding

from tests.sysroots import eight_gpu


def test_a_healthy_node(tmp_path, command):
    status, said, errors = command(eight_gpu.build(tmp_path), "health")
    assert (status, errors) == (0, "")
    assert said == ("looked at 8 GPUs, 10 RDMA devices, 11 NICs, 8 NVMe drives, no kernel log: nothing is wrong\n")


def test_a_broken_one_is_named(tmp_path, command):
    status, said, _errors = command(eight_gpu.build(tmp_path, "link_x8"), "health")
    assert status == 1 and said.splitlines()[-1].endswith(("1 error", "errors", "warning", "warnings"))
    assert [line for line in said.splitlines() if line.startswith(("E  ", "W  ")) and "0000:40:00.0" in line]


@pytest.mark.parametrize("severities, status, words", [
    ("EWI", 1, "1 error, 1 warning, 1 note"), ("W", 1, "1 warning"), ("II", 0, "2 notes"), ("", 0, "nothing is wrong")])
def test_errors_and_warnings_count(tmp_path, command, monkeypatch, severities, status, words):
    found = [finding(severity, "gpu0", "probe", "look here") for severity in severities]
    monkeypatch.setattr(node, "read_health", lambda host, gather: {"verdict": found, "gpus": [], "kernel_log": None})
    got, said, _errors = command(tmp_path, "health")
    assert got == status and said.endswith("looked at 0 GPUs: %s\n" % words)


def test_json_is_the_fact(tmp_path, command):
    status, said, _errors = command(eight_gpu.build(tmp_path, "link_x8"), "health", "--json")
    told = json.loads(said)
    assert status == 1 and told["schema"] == 1 and len(told["rdma_devices"]) == 10 and told["verdict"]


def test_a_section_that_is_none_is_an_error_with_what_there_is(tmp_path, command):
    status, _said, errors = command(tmp_path, "health", "--gather", "gpuz")
    assert status == 2 and "did you mean gpus?" in errors
