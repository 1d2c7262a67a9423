# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's own task brings model files from a stand-in hub on loopback, with each of its variables."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from tests.conftest import CHECKOUT
from tests.sysroots import model_hub

BIN = pathlib.Path(sys.executable).parent


@pytest.fixture(name="hub")
def fixture_hub():
    """A running hub whose model is gated."""
    with model_hub.serve() as running:
        running.gated = "hf_secret_of_the_hub"
        yield running


def run(hub, tmp_path, *options, **variables):
    """Run the role's model.yml; returns (status, output)."""
    instance = {"name": "a", "state": "started", "model": model_hub.MODEL, "revision": model_hub.REVISION,
                "source": {"hub": hub.url}, "model_path": str(tmp_path / "m" / model_hub.REVISION)}
    given = dict({"vllm_service_planned": {"instances": [instance]}, "vllm_service_model_reserve": 0,
                  "vllm_service_secrets": {"a": {"hf_token": "hf_secret_of_the_hub"}},
                  "ansible_python_interpreter": sys.executable}, **variables)
    play = tmp_path / "play.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": given,
                                 "tasks": [{"ansible.builtin.include_role": {
                                     "name": "gpuwright.node.vllm_service", "tasks_from": "model.yml"}},
                                     {"ansible.builtin.debug": {"var": "vllm_service_models"}}]}]))
    done = subprocess.run(
        [str(BIN / "ansible-playbook"), "-i", "localhost,", str(play), *options], capture_output=True, text=True,
        check=False, timeout=600, cwd=CHECKOUT,
        env=dict(os.environ, ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg"), ANSIBLE_NOCOLOR="1", no_proxy="127.0.0.1"))
    return done.returncode, done.stdout + done.stderr


def test_check_then_apply_then_nothing_with_a_token_that_nobody_sees(hub, tmp_path):
    folder = tmp_path / "m" / model_hub.REVISION
    status, planned = run(hub, tmp_path, "--check", "-vvv")
    assert status == 0 and "would be brought: 5 files" in planned and not folder.parent.exists(), planned
    status, applied = run(hub, tmp_path, "-vvv", vllm_service_model_parallel=2)
    assert status == 0 and "was brought: 5 files" in applied and (folder / "config.json").exists(), applied
    status, again = run(hub, tmp_path, vllm_service_model_verify=True)
    assert status == 0 and "changed=0" in again, again
    assert "hf_secret" not in planned + applied + again


@pytest.mark.parametrize("variables,words", [
    ({"vllm_service_model_reserve": 10 ** 18}, "too few"),
    ({"vllm_service_model_files": ["*.nothing"]}, "has no file that is one of"),
    ({"vllm_service_model_timeout": 0}, "seconds 0")])
def test_each_variable_counts(hub, tmp_path, variables, words):
    status, output = run(hub, tmp_path, **variables)
    assert status == 2 and words in output, output
    assert not (tmp_path / "m" / model_hub.REVISION).exists()
