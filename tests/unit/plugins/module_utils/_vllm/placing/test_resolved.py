# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what only the node can say of an instance: the program of an engine, the file of a model in GGUF."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing import resolved

from tests.sysroots.plain_node import put


@pytest.mark.parametrize("path, program", [
    ("/opt/env", "/opt/env/bin/vllm"), ("/opt/env/bin", "/opt/env/bin/vllm"),
    ("/opt/env/bin/vllm", "/opt/env/bin/vllm"), ("/srv/run-vllm", "/srv/run-vllm"),
    ("/opt/vllm", "/opt/vllm/bin/vllm"), ("/not/there", "/not/there")])
def test_a_folder_has_its_program_and_a_program_is_itself(tmp_path, path, program):
    for place in ("/opt/env/bin/vllm", "/opt/vllm/bin/vllm", "/srv/run-vllm"):
        put(tmp_path, place, "")
    assert resolved.program(Host(str(tmp_path)), {"kind": "existing", "path": path}) == program
    assert resolved.program(Host(str(tmp_path)), {"kind": "venv", "path": path}) is None
    assert resolved.program(Host(str(tmp_path)), {"kind": "podman", "path": None}) is None


@pytest.mark.parametrize("files, found", [
    (["m-q4.gguf"], "/m/m-q4.gguf"), (["m-q4.gguf", "tokenizer.json"], "/m/m-q4.gguf"),
    (["config.json", "m.gguf"], None), (["a.gguf", "b.gguf"], None), (["model.safetensors", "config.json"], None)])
def test_the_one_gguf_of_a_folder_is_the_model(tmp_path, files, found):
    for name in files:
        put(tmp_path, "/m/" + name, "")
    host = Host(str(tmp_path))
    assert resolved.gguf(host, "/m") == resolved.gguf(host, "/m/") == found
    assert resolved.gguf(host, "/m/m.gguf") is resolved.gguf(host, "/none") is resolved.gguf(host, None) is None
