# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights that are whole and weights that are not: each form, and each way in which it is broken."""

from __future__ import annotations

import json
import struct

import hypothesis
import pytest
from hypothesis import strategies

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.volume import Volume
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.weights import problems

from tests.sysroots import model_hub

WHOLE = model_hub.safetensors(100)
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
CONFIG = b'{"hidden_size": 8}'


def look(tmp_path, files):
    """The problems of a folder with these files."""
    folder = tmp_path / "m"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return problems(Volume(str(tmp_path)), "/m")


@pytest.mark.parametrize("files", [
    {"config.json": CONFIG, "model.safetensors": WHOLE},
    {"params.json": CONFIG, "consolidated.safetensors": WHOLE},
    {"config.json": CONFIG, "pytorch_model.bin": b"PK"},
    {"x.gguf": b"GGUF...."},
    {"config.json": CONFIG, "model.safetensors": WHOLE,
     "pytorch_model.bin.index.json": b'{"weight_map": {"a": "pytorch_model-1.bin"}}'}])
def test_whole_models(tmp_path, files):
    assert look(tmp_path, files) == []


@pytest.mark.parametrize("files,words", [
    ({"model.safetensors": WHOLE}, "no config.json"),
    ({"config.json": b"{", "model.safetensors": WHOLE}, "no JSON object"),
    ({"config.json": b"[]", "model.safetensors": WHOLE}, "no JSON object"),
    ({"config.json": CONFIG}, "no weights"),
    ({"config.json": CONFIG, "model.safetensors": WHOLE[:-1]}, "its header says %d" % len(WHOLE)),
    ({"config.json": CONFIG, "model.safetensors": WHOLE + b"x"}, "its header says %d" % len(WHOLE)),
    ({"config.json": CONFIG, "model.safetensors": b""}, "no header"),
    ({"config.json": CONFIG, "model.safetensors": b"<html>Not found</html>" * 10}, "no header"),
    ({"config.json": CONFIG, "model.safetensors": struct.pack("<Q", 4) + b"[12]"}, "none of safetensors"),
    ({"config.json": CONFIG, "model.safetensors": struct.pack("<Q", 8) + b'{"a": 1}'}, "none of safetensors"),
    ({"config.json": CONFIG, "model.safetensors": POINTER}, "Git LFS"),
    ({"config.json": CONFIG, "pytorch_model.bin": b""}, "is empty"),
    ({"config.json": CONFIG, "pytorch_model.bin": POINTER}, "Git LFS"),
    ({"x.gguf": b"GGML"}, "does not begin with GGUF"),
    ({"config.json": CONFIG, "a.safetensors": WHOLE, "model.safetensors.index.json": json.dumps(
        {"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}).encode()}, "lacks 1 of the 2 files"),
    ({"config.json": CONFIG, "a.safetensors": WHOLE, "model.safetensors.index.json": b'{"weight_map": {"x": "../z"}}'},
     "lacks 1 of the 1"),
    ({"config.json": CONFIG, "a.safetensors": WHOLE, "model.safetensors.index.json": b"{}"}, "no weight_map")])
def test_broken_models_are_named(tmp_path, files, words):
    said = look(tmp_path, files)
    assert len(said) == 1 and words in said[0]


def test_what_is_not_there(tmp_path):
    host = Volume(str(tmp_path))
    assert problems(host, "/nowhere") == ["/nowhere is not there"]
    assert problems(host, "/nowhere.gguf") == ["/nowhere.gguf is not there"]


@hypothesis.given(strategies.binary(max_size=200) | strategies.binary(max_size=60).map(
    lambda data: struct.pack("<Q", len(data)) + data))
def test_any_bytes_give_words_and_no_exception(tmp_path_factory, data):
    said = look(tmp_path_factory.mktemp("any"), {"config.json": CONFIG, "model.safetensors": data})
    assert said == [] or "model.safetensors" in said[0]
