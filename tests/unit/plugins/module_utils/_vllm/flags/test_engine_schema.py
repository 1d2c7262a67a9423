# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine takes is asked of a stand-in program that prints a real engine's help, kept, and never guessed."""

from __future__ import annotations

import gzip
import json
import pathlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import engine_schema

HELP = gzip.decompress((pathlib.Path(__file__).parents[5] / "captures" / "vllm-help" / "0.32.0-wide.txt.gz")
                       .read_bytes()).decode()
ID = "sha256:" + "ab" * 32
VENV = {"kind": "venv", "path": "/opt/gpuwright/vllm-0.32.0", "version": "0.32.0", "image": None}


class Node(Host):
    """A node whose commands answer `said`: {first words: answer, or an exception}; `asked` are the commands."""

    def __init__(self, root, said, read_only=False):
        super().__init__(str(root), read_only=read_only)
        self.said, self.asked = said, []

    def run(self, argv, seconds=10, changes=True):
        """Answer, or be no command."""
        assert not changes
        self.asked.append(argv)
        for words, answer in self.said.items():
            if words in " ".join(argv):
                if isinstance(answer, Exception):
                    raise answer
                return answer
        raise CommandNotRun("%s: No such file or directory" % argv[0])


def installed(root, version="0.32.0+cpu"):
    """An environment with vLLM in it."""
    for path, content in (("bin/vllm", "#!/bin/sh\n"), ("lib/python3.11/site-packages/vllm-%s.dist-info/METADATA"
                                                        % version, "Name: vllm\nVersion: %s\n" % version)):
        file = root / "opt/gpuwright/vllm-0.32.0" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


def test_an_engine_is_asked_once_and_what_it_said_is_kept(tmp_path):
    node = Node(installed(tmp_path), {"bin/vllm serve --help=all": (0, HELP, "")})
    first, version, words = engine_schema.read(node, {"engine": VENV})
    again, _version, kept = engine_schema.read(node, {"engine": VENV})
    assert (len(first["flags"]), version) == (316, "0.32.0+cpu") and "unchecked" not in first
    assert words == "/opt/gpuwright/vllm-0.32.0/bin/vllm serve --help=all" and kept == words + ", as it said before"
    assert len(node.asked) == 1 and "COLUMNS=4000" in node.asked[0] and "PYTHONDONTWRITEBYTECODE=1" in node.asked[0]
    assert {flag: dict(entry, help="") for flag, entry in first["flags"].items()} == again["flags"]


def test_another_version_in_the_same_place_is_asked_again(tmp_path):
    node = Node(installed(tmp_path), {"bin/vllm serve --help=all": (0, HELP, "")})
    engine_schema.read(node, {"engine": VENV})
    for file in tmp_path.rglob("METADATA"):
        file.write_text("Name: vllm\nVersion: 0.32.1\n")
    node = Node(tmp_path, node.said)
    assert engine_schema.read(node, {"engine": VENV})[1] == "0.32.1" and len(node.asked) == 1


def test_check_mode_writes_nothing_and_uses_what_is_kept(tmp_path):
    said = {"bin/vllm serve --help=all": (0, HELP, "")}
    node = Node(installed(tmp_path), said, read_only=True)
    assert len(engine_schema.read(node, {"engine": VENV})[0]["flags"]) == 316
    assert not (tmp_path / "var").exists()
    engine_schema.read(Node(tmp_path, said), {"engine": VENV})
    node = Node(tmp_path, {}, read_only=True)
    assert len(engine_schema.read(node, {"engine": VENV})[0]["flags"]) == 316 and node.asked == []


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"schema": 9}'])
def test_a_damaged_file_is_as_none(tmp_path, damage):
    node = Node(installed(tmp_path), {"bin/vllm serve --help=all": (0, HELP, "")})
    engine_schema.read(node, {"engine": VENV})
    kept = next((tmp_path / "var/lib/gpuwright/vllm").glob("arguments-*.json"))
    assert json.loads(kept.read_text())["version"] == "0.32.0+cpu"
    kept.write_text(damage)
    node = Node(tmp_path, node.said)
    assert len(engine_schema.read(node, {"engine": VENV})[0]["flags"]) == 316 and len(node.asked) == 1


def test_an_engine_that_is_not_there_is_judged_by_what_is_known_of_its_release(tmp_path):
    schema, version, words = engine_schema.read(Node(tmp_path, {}), {"engine": dict(VENV, version="0.33.0")})
    assert (len(schema["flags"]), version) == (320, "0.33.0") and "unchecked" not in schema
    assert words == "what is known here of vLLM 0.33.0; /opt/gpuwright/vllm-0.32.0/bin/vllm is not there yet"


@pytest.mark.parametrize("answer,words", [
    ((1, "", "Traceback\nImportError: libcudart.so.13: no such file\n"), "exit status 1, ImportError: libcudart.so.13"),
    ((0, "usage: vllm serve\n  --a A  b\n", ""), "exit status 0,"),
    (CommandNotRun("env: no answer after 180 s"), "no answer after 180 s")])
def test_an_engine_that_does_not_tell_is_said_to_be_unchecked(tmp_path, answer, words):
    node = Node(installed(tmp_path), {"serve --help=all": answer})
    schema, _version, said = engine_schema.read(node, {"engine": VENV})
    assert words in schema["unchecked"] == said and "of vLLM 0.32.0+cpu nothing is known here" in said
    assert schema["flags"]["dtype"]["choices"] is None and not list(tmp_path.rglob("arguments-*"))


@pytest.mark.parametrize("tool", ["podman", "docker"])
def test_an_image_is_asked_without_a_network_and_never_pulled(tmp_path, tool):
    engine = {"kind": tool, "path": None, "version": "0.32.0", "image": "docker.io/vllm/vllm-openai:v0.32.0"}
    node = Node(tmp_path, {"image inspect": (0, ID + "\n", ""), "--entrypoint=vllm": (0, HELP, "")})
    schema, version, words = engine_schema.read(node, {"engine": engine})
    assert (len(schema["flags"]), version) == (316, "0.32.0")
    assert words == "%s run docker.io/vllm/vllm-openai:v0.32.0 serve --help=all" % tool
    assert {"--rm", "--pull=never", "--network=none"} <= set(node.asked[1])
    missing = Node(tmp_path, {"image inspect": (1, "", "no such image")})
    assert "is not there yet" in engine_schema.read(missing, {"engine": engine})[0]["unchecked"]
    assert len(missing.asked) == 1
    assert "No such file" in engine_schema.read(Node(tmp_path, {}), {"engine": dict(engine, version=None)})[2]
