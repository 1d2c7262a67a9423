# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Staging of model files from a stand-in hub (real HTTP on loopback), a URL, a shared folder, or already there."""

from __future__ import annotations

import hashlib
import os
import shutil

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model import hub as hub_module
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model import manifest

from tests.sysroots import model_hub
from tests.sysroots.model_node import SHARD, folder, instance, refused, run, whole
from tests.sysroots.plain_node import snapshot


@pytest.mark.parametrize("parallel", [1, 4])
def test_a_revision_comes_and_stays(root, hub, parallel):
    asked = instance({"hub": hub.url})
    before = snapshot(root)
    planned = run(root, asked, check=True, parallel=parallel)
    assert snapshot(root) == before
    assert (planned["changed"], planned["models"][0]["state"], planned["models"][0]["files"]) == (True, "fetch", 5)
    assert planned["models"][0]["bytes"] == sum(len(hub.files[one["path"].rpartition("/")[2]]) for one in hub_module.
                                                listing(hub.url, model_hub.MODEL, model_hub.REVISION, None))
    assert "would be brought" in planned["models"][0]["words"]
    old = os.umask(0o077)
    done = run(root, asked, parallel=parallel)
    os.umask(old)
    assert whole(root) and done["changed"] and "was brought" in done["models"][0]["words"]
    unwanted = {"pytorch_model.bin", "consolidated.safetensors", "modeling_tiny.py", "README.md"}
    assert set(os.listdir(folder(root))) & unwanted == set()
    assert os.listdir(root / "data" / "tiny--llama") == [model_hub.REVISION]
    for place in [root / "data" / "tiny--llama", folder(root)]:
        assert place.stat().st_mode & 0o777 == 0o755
    assert {place.stat().st_mode & 0o777 for place in folder(root).iterdir()} == {0o644}
    hub.asked.clear()
    assert run(root, asked)["changed"] is False
    assert hub.asked == []


def test_the_token_goes_to_the_hub_and_not_to_its_cdn(root, hub):
    hub.gated = "hf_secret"
    run(root, instance({"hub": hub.url}), token="hf_secret")
    seen = {(one["server"], one["token"]) for one in hub.asked}
    assert seen == {("hub", "Bearer hf_secret"), ("cdn", None)}
    for place in folder(root).iterdir():
        assert b"hf_secret" not in place.read_bytes()


def test_a_gated_model_says_what_is_missing(root, hub):
    hub.gated = "hf_secret"
    without = refused(root, instance({"hub": hub.url}))
    assert "gated" in without and "hf_token" in without and hub.url + "/tiny/llama" in without
    other = refused(root, instance({"hub": hub.url}), token="hf_other")
    assert "was not granted access" in other and "hf_other" not in other


def test_a_gate_that_is_at_the_files_only(root, hub):
    """huggingface.co lists the files of a gated model to everyone."""
    hub.before = lambda path: setattr(hub, "gated", "hf_secret" if "/resolve/" in path else None)
    assert "gated" in refused(root, instance({"hub": hub.url}))


def test_a_model_or_a_revision_that_is_not_there(root, hub):
    assert "there is no such model, or it is private" in refused(root, instance({"hub": hub.url}, model="tiny/lama"))
    assert "has no revision %s" % ("0" * 40) in refused(root, instance({"hub": hub.url}, revision="0" * 40))


@pytest.mark.parametrize("revision", [None, "main"])
def test_a_branch_is_refused_with_the_commit_that_it_is(root, hub, revision):
    said = refused(root, instance({"hub": hub.url}, revision=revision))
    assert "main is %s now" % model_hub.REVISION in said


def test_a_mirror_that_says_no_checksums_is_refused(root, hub):
    hub.missing_sums = True
    assert "cannot be checked" in refused(root, instance({"hub": hub.url}))


@pytest.mark.parametrize("name", ["../evil.json", "/etc/evil.json", "a/../../evil.json", "a\\b.json",
                                  ".gpuwright.json"])
def test_a_hub_cannot_write_elsewhere(root, hub, name):
    hub.files[name] = b"{}"
    assert "is refused" in refused(root, instance({"hub": hub.url}))
    assert list((root / "data").iterdir()) == []


def test_what_comes_must_be_a_model(root, hub):
    hub.files[SHARD] = hub.files[SHARD][:-1]  # The hub itself has a file that was cut, with the right checksum.
    said = refused(root, instance({"hub": hub.url}))
    assert "no whole model" in said and "its header says" in said
    assert not folder(root).exists()


def test_a_lost_and_a_damaged_file_are_mended(root, hub):
    asked = instance({"hub": hub.url})
    run(root, asked)
    (folder(root) / "config.json").unlink()
    with (folder(root) / SHARD).open("ab") as stream:
        stream.write(b"more")
    planned = run(root, asked, check=True)
    assert (planned["models"][0]["state"], planned["models"][0]["files"]) == ("repair", 2)
    hub.asked.clear()
    run(root, asked)
    assert whole(root)
    assert len(hub.fetched(SHARD)) == 2 and hub.fetched("model-00001-of-00002.safetensors") == []


def test_a_flipped_bit_is_found_by_who_asks(root, hub):
    asked = instance({"hub": hub.url})
    run(root, asked)
    data = bytearray((folder(root) / SHARD).read_bytes())
    data[-1] ^= 1
    (folder(root) / SHARD).write_bytes(data)
    assert run(root, asked)["changed"] is False
    assert run(root, asked, verify=True)["models"][0]["state"] == "repair"
    assert whole(root)


def test_further_files_are_added_to_what_is_there(root, hub):
    run(root, instance({"hub": hub.url}))
    hub.asked.clear()
    done = run(root, instance({"hub": hub.url}), files=["*.safetensors", "*.json", "*.py"])
    assert done["models"][0]["files"] == 2  # The program, and consolidated.safetensors, which this pattern names.
    assert whole(root) and (folder(root) / "modeling_tiny.py").exists()
    assert hub.fetched(SHARD) == []


def test_a_folder_of_somebody_else_is_taken_if_it_is_the_same(root, hub):
    asked = instance({"hub": hub.url})
    run(root, asked)
    (folder(root) / manifest.NAME).unlink()
    hub.asked.clear()
    assert run(root, asked, check=True)["models"][0]["state"] == "adopt"
    assert run(root, asked)["changed"] is True
    assert whole(root) and hub.fetched() == [] and run(root, asked)["changed"] is False
    (folder(root) / manifest.NAME).unlink()
    (folder(root) / "config.json").write_text("{}")
    said = refused(root, asked)
    assert "not from us" in said and "config.json" in said and "source to null" in said
    assert (folder(root) / "config.json").read_text() == "{}"


def test_another_model_in_the_folder_is_left_alone(root, hub):
    run(root, instance({"hub": hub.url}))
    said = refused(root, instance({"hub": hub.url}, revision="1" * 40))
    assert "holds tiny/llama at %s" % model_hub.REVISION in said
    assert whole(root)


def test_two_instances_of_one_model_share_it_and_of_two_do_not(root, hub):
    asked = instance({"hub": hub.url})
    done = run(root, asked, dict(asked, name="second"))
    assert [one["names"] for one in done["models"]] == [["llama", "second"]]
    said = refused(root, asked, dict(asked, name="second", revision="1" * 40))
    assert "is to hold two models" in said and "second" in said


def test_older_revisions_are_named_with_their_size_and_stay(root, hub):
    run(root, instance({"hub": hub.url}))
    old = folder(root).parent / ("1" * 40)
    shutil.copytree(folder(root), old)
    (folder(root).parent / "abc.partial-0").mkdir()
    notes = run(root, instance({"hub": hub.url}))["notes"]
    assert len(notes) == 2
    assert "used by no instance" in notes[0] and "kB" in notes[0] and "not finished" in notes[1]
    assert old.exists()


def test_an_instance_that_is_absent_needs_no_files(root, hub):
    assert run(root, instance({"hub": hub.url}, state="absent"))["models"] == []


def test_a_shared_folder_is_copied_and_read_again(root, hub, monkeypatch):
    run(root, instance({"hub": hub.url}, model_path="/share/tiny"))
    asked = instance({"path": "/share/tiny"}, revision=None)
    assert run(root, asked, check=True)["models"][0]["files"] == 5
    run(root, asked)
    assert whole(root) and run(root, asked)["changed"] is False
    shutil.rmtree(folder(root))
    (root / "share/tiny" / manifest.NAME).unlink()
    run(root, asked)  # Without a manifest.
    assert whole(root)
    shutil.rmtree(folder(root))
    real = manifest.of_file
    monkeypatch.setattr(manifest, "of_file", lambda host, path, one: (
        "0" * 64 if "/download/" in path else real(host, path, one)))
    assert "look at the disk" in refused(root, asked)
    assert not folder(root).exists()


def test_a_shared_folder_that_is_not_whole_is_not_copied(root, hub):
    run(root, instance({"hub": hub.url}, model_path="/share/tiny"))
    asked = instance({"path": "/share/tiny"}, revision=None)
    data = (root / "share/tiny" / SHARD).read_bytes()
    (root / "share/tiny" / SHARD).write_bytes(data[:-1] + b"x")
    assert "checksum" in refused(root, asked)
    (root / "share/tiny" / SHARD).unlink()
    assert "lacks 1 of the 2 files" in refused(root, asked)
    assert "/nowhere is not there" in refused(root, instance({"path": "/nowhere"}, revision=None))


def test_what_is_said_to_be_there_is_checked(root, hub):
    there = instance(None, revision=None, model_path="/share/tiny")
    assert "/share/tiny is not there" in refused(root, there)
    run(root, instance({"hub": hub.url}, model_path="/share/tiny"))
    assert run(root, there)["changed"] is False
    (root / "share/tiny" / SHARD).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    assert "Git LFS" in refused(root, there)


def test_a_file_of_gguf_from_a_url(root, hub):
    data = b"GGUF" + bytes(5000)
    hub.files["x.gguf"] = data
    source = {"url": hub.url + "/x.gguf?signature=secret", "sha256": hashlib.sha256(data).hexdigest()}
    done = run(root, instance(source, model_path="/data/small", revision=None))
    assert done["models"][0]["serve"] == "/data/small/x.gguf"
    assert "secret" not in (root / "data/small" / manifest.NAME).read_text()
    named = instance(source, model="/data/other/mine.gguf", model_path="/data/other/mine.gguf", revision=None)
    run(root, named)
    assert (root / "data/other/mine.gguf").read_bytes() == data
    assert run(root, named)["changed"] is False
    wrong = dict(source, sha256="0" * 64)
    assert "twice" in refused(root, instance(wrong, model_path="/data/wrong", revision=None))
    assert not (root / "data/wrong").exists()


@pytest.mark.parametrize("how", ["link", "open", "other"])
def test_a_folder_that_others_may_write_is_not_written_through(root, hub, how, tmp_path, monkeypatch):
    """On a volume where others may write: who names a link as the folder on the way would have root write there."""
    asked = instance({"hub": hub.url})
    assert "time limit" in refused(root, asked, seconds=0)
    (partial,) = (root / "data/tiny--llama").glob("*.partial-*")
    shutil.rmtree(partial)
    target = tmp_path / "node" / "target"
    target.mkdir()
    if how == "link":
        partial.symlink_to("/target")
    else:
        partial.mkdir()
        partial.chmod(0o777 if how == "open" else 0o755)
    if how == "other":
        real = os.lstat
        monkeypatch.setattr(os, "lstat", lambda path: real(path) if ".own-" not in str(path) else os.stat_result(
            [0o40700, 0, 0, 0, 12345, 0, 0, 0, 0, 0]))
    assert "is a link, or another user's, or others may write there" in refused(root, asked)
    assert list(target.iterdir()) == [] and not folder(root).exists()


def test_a_shared_folder_does_not_lend_what_only_root_may_read(root, tmp_path, monkeypatch):
    shared = root / "share"
    shared.mkdir()
    for name, data in model_hub.model().items():
        if not name.startswith(("consolidated", "pytorch")):
            (shared / name).write_bytes(data)
    (root / "secret").write_text("{}")
    (root / "secret").chmod(0o640)
    (shared / "tokenizer_extra.json").symlink_to("/secret")
    run(root, instance({"path": "/share"}, model_path="/data/mine", revision=None))  # All of it is one user's.
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **more: real(path, **more) if str(path) != str(shared) else
                        os.stat_result([0o40755, *real(path)[1:4], 12345, *real(path)[5:10]]))
    with pytest.raises(PermissionError, match="belongs to another user than /share, and not everybody may read it"):
        run(root, instance({"path": "/share"}, model_path="/data/theirs", revision=None))
    (root / "secret").chmod(0o644)
    assert run(root, instance({"path": "/share"}, model_path="/data/theirs", revision=None))["changed"]
