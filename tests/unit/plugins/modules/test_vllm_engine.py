# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vllm_engine, run as Ansible runs it on this machine; the whole way is in tests/unit/roles."""

from __future__ import annotations

import sys

from ansible_collections.gpuwright.node.plugins.modules import vllm_engine

from tests.sysroots.plain_node import snapshot


def instance(path, **changed):
    """An instance with a virtual environment."""
    return {"name": "a", "state": "started", "engine": dict(
        {"kind": "venv", "version": "0.33.0", "path": str(path), "image": None}, **changed)}


def test_a_look_changes_nothing_and_begin_makes_the_folder(tmp_path, run_module):
    options = {"instances": [instance(tmp_path / "engine")], "python": sys.executable, "space": 1000}
    before = snapshot(tmp_path)
    looked = run_module(vllm_engine, do="look", **options)
    assert (looked["changed"], [one["state"] for one in looked["due"]]) == (False, ["missing"])
    assert run_module(vllm_engine, check_mode=True, do="begin", **options)["changed"] is False
    assert run_module(vllm_engine, check_mode=True, do="check", **options)["due"] == looked["due"]
    assert snapshot(tmp_path) == before
    assert run_module(vllm_engine, do="begin", **options)["changed"] is True
    said = run_module(vllm_engine, do="check", **options)
    assert said["failed"] and "bin/vllm is not there" in said["msg"]


def test_room_is_looked_for_before_and_not_after(tmp_path, run_module):
    options = {"instances": [instance(tmp_path / "engine")], "python": sys.executable, "space": 10 ** 18}
    assert "too few" in run_module(vllm_engine, do="look", **options)["msg"]
    assert run_module(vllm_engine, do="begin", **options)["changed"] is True


def test_an_error_without_a_file_is_told_as_it_is(run_module, monkeypatch):
    def broken(*_args):
        raise OSError("no more of it")
    monkeypatch.setattr(vllm_engine.all_engines, "look", broken)
    assert run_module(vllm_engine, do="look", instances=[])["msg"] == "no more of it"


def test_what_is_missing_of_the_distribution_is_named(tmp_path, run_module, monkeypatch):
    options = {"instances": [instance(tmp_path / "engine")], "python": sys.executable, "space": 1000}
    monkeypatch.setattr(vllm_engine, "find_spec", lambda name: None)
    monkeypatch.setattr(vllm_engine.AnsibleModule, "get_bin_path", lambda *args: None)
    assert run_module(vllm_engine, do="look", **options)["packages"] == ["numactl", "python3-packaging"]
    assert run_module(vllm_engine, do="look", uv="/bin/uv", **options)["packages"] == ["numactl"]
    monkeypatch.setattr(vllm_engine.AnsibleModule, "get_bin_path", lambda *args: "/bin/numactl")
    assert run_module(vllm_engine, do="look", uv="/bin/uv", **options)["packages"] == []
