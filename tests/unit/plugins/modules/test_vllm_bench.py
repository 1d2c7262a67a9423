# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vllm_bench: its documentation and what it takes; playbooks/vllm_benchmark starts it for real on stand-ins."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.modules import vllm_bench


@pytest.mark.parametrize(("arguments", "words"), [
    ({"do": "look", "names": ["nobody"]}, "instance"), ({"do": "start"}, "missing: name"),
    ({"do": "stop", "name": "llama", "id": "/etc"}, "is no run of a benchmark"),
    ({"do": "restore", "id": "/x", "unit": "ssh.service"}, "is no unit of an instance"),
    ({"do": "fetch", "name": "llama", "output": "/etc/shadow"}, "is no profile of llama")])
def test_what_is_refused(checkout, arguments, words):
    done = subprocess.run(
        [sys.executable, "-m", vllm_bench.__name__], input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}), text=True,
        capture_output=True, timeout=300, env=dict(os.environ, PYTHONPATH=str(checkout / ".cache" / "collections")),
        check=False)
    said = json.loads(done.stdout)
    assert said["failed"] and words in said["msg"]


def test_documented(checkout):
    told = yaml.safe_load(vllm_bench.DOCUMENTATION)
    assert told["module"] == "vllm_bench"
    assert told["attributes"]["check_mode"]["support"] == "full"
    assert "restore" in told["options"]["do"]["choices"]
