# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal form of an instance: what is completed, what is refused in which words, and that it stays what it is."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance import presets
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance import (
    DEFAULTS,
    KEYS,
    OF_SEVERAL,
    check,
)
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance_values import BadInstance

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROLE = {"engine": {"kind": "venv", "version": "0.33.0"}}
HUB = {"name": "llama", "model": "meta-llama/Llama-3.1-8B-Instruct", "revision": COMMIT}
SEVERAL = {"nnodes": 2, "node_rank": 1, "nodes": ["a", "b"], "address": "10.0.0.2",
           "addresses": ["10.0.0.1", "10.0.0.2"], "master_addr": "10.0.0.1", "master_port": 29501,
           "interface": None, "distributed": "native"}


def test_a_model_of_the_hub_lies_in_a_folder_of_its_commit():
    normal = check(HUB, ROLE)
    assert set(normal) == set(KEYS)
    assert normal["model_path"] == "/var/lib/vllm/models/meta-llama--Llama-3.1-8B-Instruct/" + COMMIT
    assert normal["source"] == {"hub": "https://huggingface.co"}
    assert normal["served_name"] == "meta-llama/Llama-3.1-8B-Instruct"
    assert normal["engine"] == {"kind": "venv", "version": "0.33.0", "path": "/opt/gpuwright/vllm-0.33.0",
                                "image": None}
    assert (normal["port"], normal["state"], normal["gpus"], normal["several"]) == (8000, "started", None, None)


def test_a_path_is_served_as_it_is_by_its_last_name():
    normal = check({"name": "own", "model": "/models/tiny/"}, ROLE)
    assert (normal["model_path"], normal["served_name"], normal["source"]) == ("/models/tiny", "tiny", None)


@pytest.mark.parametrize("given", [
    HUB, {"name": "own", "model": "/models/tiny", "prompt": None, "gpus": [0, "GPU-1"], "engine": "docker",
          "arguments": {"max_model_len": None}, "state": "stopped", "several": SEVERAL},
    {"name": "gone", "state": "absent"},
    {"name": "url", "model": "a/b", "source": {"url": "https://x.example/m.tar", "sha256": "a" * 64}}])
def test_the_normal_form_stays_as_it_is_and_goes_through_json(given):
    normal = check(given, ROLE)
    assert check(json.loads(json.dumps(normal)), {}) == normal


def test_the_later_one_wins_and_null_leaves_a_flag_to_vllm(monkeypatch):
    monkeypatch.setitem(presets.PRESETS, "throughput", {"max-num-seqs": 512, "block-size": 16, "seed": 1})
    normal = check(dict(HUB, preset="throughput", arguments={"block_size": None, "seed": 3}),
                   dict(ROLE, arguments={"seed": 2, "dtype": "bfloat16"}))
    assert normal["arguments"] == {"max-num-seqs": 512, "block-size": None, "seed": 3, "dtype": "bfloat16"}


@pytest.mark.parametrize("change, words", [
    ({"name": "Llama"}, "small letters"), ({"name": None}, "small letters"), ({"name": "a" * 41}, "up to 40"),
    ({"model": "llama"}, "ORGANISATION/NAME"), ({"model": None}, "ORGANISATION/NAME"),
    ({"model": "/models/../etc"}, "no absolute path"),
    ({"revision": None}, "which revision"), ({"revision": "main"}, "40 hexadecimal digits"),
    ({"modle": "x"}, "did you mean model?"), ({"tensor_parallel_size": 2}, "put it into arguments"),
    ({"host": "::"}, "listen says it"), ({"preset": "thruput"}, "did you mean throughput?"),
    ({"port": 80}, "from 1024 to 65535"), ({"port": True}, "no whole number"),
    ({"gpus": [0, 0]}, "named twice"), ({"gpus": []}, "list of indices"),
    ({"gpus": True}, "how many, from 0 to 1024, or a list"),
    ({"gpus": "all"}, "'all'; legal is how many"), ({"gpus": 1025}, "from 0 to 1024"),
    ({"arguments": {"max-model-len": 1, "max_model_len": 2}}, "twice, in two spellings"),
    ({"arguments": {"--seed": 1}}, "without its leading dashes"), ({"arguments": ["seed"]}, "mapping"),
    ({"environment": {"A": True}}, "no text"), ({"environment": {"A B": "1"}}, "no name of a variable"),
    ({"environment": {"A": "1\n2"}}, "line break"),
    ({"engine": "conda"}, "known: docker"), ({"engine": {"kind": "existing"}}, "where is it"),
    ({"engine": {"kind": "docker", "image": "vllm/vllm-openai:latest"}}, "not pinned"),
    ({"engine": {"kind": "docker", "image": "reg.example:5000/vllm"}}, "not pinned"),
    ({"engine": {"versoin": "1"}}, "did you mean version?"), ({"engine": {"version": "newest"}}, "is none"),
    ({"engine": {"version": 0.33}}, "is a number; legal is all of it, in quotes"),
    ({"source": {"url": "https://x.example/m.tar"}}, "needs sha256"),
    ({"source": {"hub": "a", "path": "/b"}}, "one of"),
    ({"source": {"hub": "https://me:hunter2@x.example"}}, "without a password"),
    ({"slice": "gpuwright"}, "gpuwright.slice"), ({"state": "running"}, "known: absent"),
    ({"health_timeout": 0}, "from 1 to 86400"), ({"prompt": "  "}, "not empty"),
    ({"several": {"nnodes": 2}}, "exactly"), ({"several": dict(SEVERAL, addresses=["x"])}, "one entry for each"),
    ({"several": dict(SEVERAL, node_rank=2)}, "from 0 to 1")])
def test_what_cannot_be_is_refused_in_words(change, words):
    with pytest.raises(BadInstance, match=words.replace("(", r"\(")) as refused:
        check(dict(HUB, **change), ROLE)
    assert "hunter2" not in str(refused.value)


def test_what_the_controller_reads_is_no_unknown_key():
    assert set(check(dict(HUB, **dict.fromkeys(OF_SEVERAL, "x")), ROLE)) == set(KEYS)


def test_an_engine_needs_a_version_that_somebody_chose():
    with pytest.raises(BadInstance, match="which version"):
        check(HUB)
    assert DEFAULTS["engine"]["version"] is None


def test_an_image_is_named_by_its_version_or_its_digest():
    assert check(dict(HUB, engine="podman"), ROLE)["engine"]["image"] == "docker.io/vllm/vllm-openai:v0.33.0"
    digest = "reg.example:5000/vllm@sha256:" + "0" * 64
    assert check(dict(HUB, engine={"kind": "docker", "image": digest}), {})["engine"]["image"] == digest
