# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the words on what differs, and of what a diff shows."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import difference


def file(text, mode=0o644, link=None):
    return {"text": text, "mode": mode, "link": link}


@pytest.mark.parametrize("path, old, new, said", [
    ("/etc/vllm/a.yaml", "max-model-len: 8192\nseed: 1\n", "max-model-len: 4096\n",
     ["max-model-len 8192 -> 4096", "seed 1 -> (not set)"]),
    ("/etc/vllm/a.yaml", "# old\nseed: 1\n", "# new\nseed: 1\n",
     ["comments or the order of lines in /etc/vllm/a.yaml"]),
    ("/etc/vllm/a.yaml", "api-key: one\n", "api-key: two\n", ["api-key (hidden) -> (hidden)"]),
    ("/etc/vllm/a.env", 'CUDA_VISIBLE_DEVICES="0,1"\n', 'CUDA_VISIBLE_DEVICES="2,3"\n', ['GPUs "0,1" -> "2,3"']),
    ("/etc/vllm/a.env", "HF_TOKEN=x\n", "HF_TOKEN=y\nNCCL_DEBUG=INFO\n",
     ["HF_TOKEN (hidden) -> (hidden)", "NCCL_DEBUG (not set) -> INFO"]),
    ("/etc/systemd/system/vllm@a.service.d/50-gpuwright.conf", "[Service]\nEnvironment=A=1\nEnvironment=HF_TOKEN=x\n",
     "[Service]\nEnvironment=A=1\n", ["Environment A=1, HF_TOKEN=(hidden) -> A=1"]),
    ("/etc/vllm/a.json", "1", "2", ["/etc/vllm/a.json differs"]),
])
def test_argument_by_argument(path, old, new, said):
    assert difference.words(path, file(old), file(new), False) == said


def test_modes_links_and_what_is_not_there():
    assert difference.words("/x.env", file("A=1\n", 0o644), file("A=1\n", 0o640), False) == [
        "/x.env has mode 0644, not 0640"]
    assert difference.words("/x.env", file(None, None, "/y"), file("A=1\n"), False) == ["/x.env is a link to /y"]
    assert difference.words("/x.env", None, file("A=1\n"), False) == ["/x.env is missing"]
    assert difference.words("/x.env", file("A=1\n"), None, False) == ["/x.env goes"]


def test_of_secrets_only_names_are_said():
    one, two = file("# h\nVLLM_API_KEY=a\n", 0o600), file("# h\nVLLM_API_KEY=b\nHF_TOKEN=c\n", 0o600)
    assert difference.words("/s", one, two, True) == ["the secret HF_TOKEN is new", "the secret VLLM_API_KEY changed"]
    assert difference.words("/s", two, None, True) == ["the secret HF_TOKEN goes", "the secret VLLM_API_KEY goes"]
    assert difference.shown("/s", one, True, False) == "# /s 0600\n(secret)\n"
    assert difference.shown("/s", two, True, True) == "# /s 0600\n(secret, changed)\n"
    assert difference.shown("/s", None, True, True) == "# /s\n(absent)\n"


def test_what_is_named_like_a_secret_is_hidden_and_nothing_else():
    text = ("api-key: abc\nmax-num-batched-tokens: 8192\nEnvironment=\"HF_TOKEN=x y\" A=1\n"
            "generation-config: {\"api_key\": \"deep\"}\nEnvironmentFile=/etc/vllm/a.secret.env\n")
    shown = difference.masked(text)
    assert "abc" not in shown and "deep" not in shown
    assert " y\"" not in shown and "HF_TOKEN=(hidden) A=1" in shown
    assert "max-num-batched-tokens: 8192" in shown and "/etc/vllm/a.secret.env" in shown and "A=1" in shown


def test_a_password_in_an_url_is_hidden():
    assert difference.masked('HTTPS_PROXY="http://me:hush@proxy:3128"') == 'HTTPS_PROXY="http://(hidden)@proxy:3128"'
    assert difference.masked("s3://bucket/a@b tcp://10.0.0.1:80") == "s3://bucket/a@b tcp://10.0.0.1:80"


def test_of_a_long_line_what_differs_is_shown_and_not_its_end():
    line = "[Service]\nExecStart=/opt/gpuwright/vllm-0.%d.0/bin/vllm serve --config /etc/vllm/llama.yaml\n" \
           "Environment=PATH=/opt/gpuwright/vllm-0.%d.0/bin:/usr/local/cuda/bin:/usr/local/sbin:/usr/local/bin:/bin\n"
    before, after = ({"text": line % (one, one), "mode": 0o644, "link": None} for one in (32, 33))
    assert difference.words("/etc/systemd/system/vllm@a.service.d/50-gpuwright.conf", before, after, False) == [
        "Environment PATH=/opt/gpuwright/vllm-0.32.0/bin:... -> PATH=/opt/gpuwright/vllm-0.33.0/bin:...",
        "ExecStart /opt/gpuwright/vllm-0.32.0/bin/vllm ... -> /opt/gpuwright/vllm-0.33.0/bin/vllm ..."]
