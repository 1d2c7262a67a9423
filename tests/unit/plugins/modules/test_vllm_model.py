# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vllm_model, run as Ansible runs it: check mode, apply, again, and every failure as one sentence."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.hub import FILES
from ansible_collections.gpuwright.node.plugins.modules import vllm_model

from tests.sysroots import model_hub
from tests.sysroots.plain_node import snapshot


@pytest.fixture(name="hub")
def fixture_hub():
    """A running hub."""
    with model_hub.serve() as running:
        yield running


def asked(hub, tmp_path, **options):
    """The module's options for one instance."""
    given = {"name": "a", "state": "started", "model": model_hub.MODEL, "revision": model_hub.REVISION,
             "source": {"hub": hub.url}, "model_path": "/m/" + model_hub.REVISION}
    return dict({"instances": [given], "sysroot": str(tmp_path), "reserve": 0}, **options)


def test_check_apply_again(hub, tmp_path, run_module):
    before = snapshot(tmp_path)
    planned = run_module(vllm_model, check_mode=True, **asked(hub, tmp_path))
    assert planned["changed"] and "would be brought" in planned["models"][0]["words"]
    assert snapshot(tmp_path) == before
    done = run_module(vllm_model, **asked(hub, tmp_path))
    assert done["changed"] and (tmp_path / "m" / model_hub.REVISION / "config.json").exists()
    assert (planned["models"][0]["files"], planned["models"][0]["bytes"]) == (
        done["models"][0]["files"], done["models"][0]["bytes"])
    again = run_module(vllm_model, **asked(hub, tmp_path))
    assert (again["changed"], again["models"][0]["state"], again["notes"]) == (False, "there", [])


def test_a_token_is_in_no_answer(hub, tmp_path, run_module):
    hub.gated = "hf_other"
    said = run_module(vllm_model, **asked(hub, tmp_path, secrets={"a": {"hf_token": "hf_mine_12345"}}))
    assert said["failed"] and "not granted access" in said["msg"]
    assert "hf_mine_12345" not in json.dumps(said)


@pytest.mark.parametrize("options", [{"parallel": 0}, {"parallel": 33}, {"reserve": -1}, {"seconds": 0}])
def test_numbers_have_bounds(hub, tmp_path, run_module, options):
    said = run_module(vllm_model, **asked(hub, tmp_path, **options))
    assert said["failed"] and "legal are" in said["msg"] and hub.asked == []


def test_a_volume_that_cannot_be_written_is_named(hub, tmp_path, run_module):
    (tmp_path / "m").write_text("a file in the place of the folder")
    said = run_module(vllm_model, **asked(hub, tmp_path))
    assert said["failed"] and "/m" in said["msg"]


def test_an_error_without_a_file_is_told_as_it_is(tmp_path, run_module, monkeypatch):
    def broken(*_args):
        raise OSError("no more of it")
    monkeypatch.setattr(vllm_model, "stage", broken)
    assert run_module(vllm_model, instances=[], sysroot=str(tmp_path))["msg"] == "no more of it"


def test_the_default_files_are_documented():
    assert "default: %s" % json.dumps(list(FILES)) in vllm_model.DOCUMENTATION
