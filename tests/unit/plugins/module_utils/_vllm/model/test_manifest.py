# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests: what is written is read, and what is not ours is not believed."""

from __future__ import annotations

import hashlib
import json
import subprocess

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model import manifest
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.volume import Volume


@pytest.fixture(name="host")
def fixture_host(tmp_path):
    """A node with a folder of one file."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "a").write_bytes(b"0123456789")
    return Volume(str(tmp_path), read_only=False)


def test_what_is_written_is_read(host):
    assert manifest.read(host, "/m") is None
    files = [{"path": "a", "size": 10, "sha256": "f" * 64, "url": "https://hub/a", "token": "secret"}]
    manifest.write(host, "/m", {"model": "a/b"}, {"hub": "https://hub"}, ["*"], files)
    assert manifest.read(host, "/m")["files"] == {"a": {"size": 10, "sha256": "f" * 64}}
    assert "secret" not in host.read("/m/.gpuwright.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"schema": 2, "files": {}}),
                                  json.dumps({"schema": 1, "files": {"a": 5}}),
                                  json.dumps({"schema": 1, "files": {"a": {"size": "5"}}})])
def test_what_is_no_manifest(host, text):
    host.write_file("/m/.gpuwright.json", text.encode())
    with pytest.raises(ValueError):
        manifest.read(host, "/m")


def test_differences_are_named(host):
    good = {"a": {"size": 10, "sha256": hashlib.sha256(b"0123456789").hexdigest()}}
    assert manifest.differing(host, "/m", good, True) == {}
    other = {"a": {"size": 10, "sha256": "0" * 64}, "b": {"size": 1}, "c": {"size": 1}}
    host.write_file("/m/c", b"12")
    assert manifest.differing(host, "/m", other, False) == {
        "b": "/m/b is gone, it had 1 bytes", "c": "/m/c has 2 bytes, it had 1 bytes"}
    assert "another checksum" in manifest.differing(host, "/m", other, True)["a"]


def test_the_sum_of_small_files_is_the_one_of_git(host, tmp_path):
    real = subprocess.run(["git", "hash-object", str(tmp_path / "m/a")], capture_output=True, text=True, check=True)
    assert manifest.of_file(host, "/m/a", {"git": "x", "size": 10}) == real.stdout.strip()


@pytest.mark.parametrize("source,words", [
    ({"hub": "https://hub"}, "a/b at r"), ({"url": "https://x", "sha256": "5"}, "sha256 5"),
    ({"path": "/nfs/x"}, "path /nfs/x"), (None, "nothing known")])
def test_a_mirror_does_not_make_another_model(source, words):
    made = manifest.identity({"source": source, "model": "a/b", "revision": "r"})
    assert manifest.named(made) == words and "https://hub" not in str(made)
