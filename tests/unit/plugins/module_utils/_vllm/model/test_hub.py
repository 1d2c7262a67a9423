# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a hub are fetched, and what its answers mean."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model import hub
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.download import DownloadFailed

from tests.sysroots import model_hub


def chosen(*paths, patterns=hub.FILES):
    """The paths that are wanted."""
    return hub.choose({path: path for path in paths}, patterns)


@pytest.mark.parametrize("paths,wanted", [
    (["config.json", "model.safetensors", "pytorch_model.bin", "original/consolidated.00.pth"],
     ["config.json", "model.safetensors"]),
    (["consolidated.safetensors", "model-00001-of-00001.safetensors", "params.json", "tekken.json"],
     ["model-00001-of-00001.safetensors", "params.json", "tekken.json"]),
    (["consolidated.safetensors", "params.json"], ["consolidated.safetensors", "params.json"]),
    (["config.json", "pytorch_model-1.bin", "flax_model.msgpack", "pytorch_model.pt"],
     ["config.json", "pytorch_model-1.bin"]),
    (["a.gguf", "README.md"], ["a.gguf"]),
    (["merges.txt", "tokenizer.model", "tokenizer", "x.tiktoken", "chat_template.jinja", "modeling_x.py", "a.png",
      "1_Pooling/config.json", "onnx/model.onnx", "m.safetensors", "onnx/m.safetensors"],
     ["1_Pooling/config.json", "chat_template.jinja", "m.safetensors", "merges.txt", "tokenizer", "tokenizer.model",
      "x.tiktoken"])])
def test_one_form_of_the_weights_and_all_that_serves_them(paths, wanted):
    assert chosen(*paths) == wanted


def test_who_names_patterns_gets_those():
    assert chosen("a.safetensors", "consolidated.safetensors", "x.py", patterns=["*.safetensors", "*.py"]) == [
        "a.safetensors", "consolidated.safetensors", "x.py"]


def test_a_list_has_size_checksum_and_address():
    with model_hub.serve() as running:
        found = {one["path"]: one for one in hub.listing(running.url, model_hub.MODEL, model_hub.REVISION, None)}
        config, shard = found["config.json"], found["model-00001-of-00002.safetensors"]
        assert config["git"] == model_hub.git_sum(running.files["config.json"]) and "sha256" not in config
        assert len(shard["sha256"]) == 64 and shard["size"] == len(running.files[shard["path"]])
        assert shard["url"] == "%s/tiny/llama/resolve/%s/%s" % (running.url, model_hub.REVISION, shard["path"])
        with pytest.raises(hub.NotOnHub, match="has no file that is one of .*; it has README.md"):
            hub.listing(running.url, model_hub.MODEL, model_hub.REVISION, None, ["*.nothing"])


@pytest.mark.parametrize("status,code,token,words", [
    (401, "GatedRepo", None, "hf_token"), (403, "GatedRepo", "t", "was not granted access"),
    (401, "RepoNotFound", None, "no such model, or it is private"), (401, "", "t", "this token does not open it"),
    (404, "RevisionNotFound", None, "has no revision"), (404, "", None, "has no a/b at revision")])
def test_a_refusal_says_what_it_means(status, code, token, words):
    said = hub.in_words(DownloadFailed("x", status, headers={"X-Error-Code": code}), "https://hub", "a/b", "r", token)
    assert isinstance(said, hub.NotOnHub) and words in str(said)


def test_another_failure_stays_what_it_is():
    error = DownloadFailed("x", 500, True)
    assert hub.in_words(error, "https://hub", "a/b", "r", None) is error


def test_what_is_no_hub():
    files = {"api/models/tiny/llama/revision/" + model_hub.REVISION: b"[]"}
    with model_hub.serve(files) as running, pytest.raises(hub.NotOnHub, match="is it a hub"):
        hub.listing(running.cdn, model_hub.MODEL, model_hub.REVISION, None)


def test_a_commit_that_cannot_be_asked_for():
    with pytest.raises(hub.NotOnHub, match="/tiny/llama/commits/main shows"):
        hub.listing("http://127.0.0.1:1", model_hub.MODEL, "main", None)
