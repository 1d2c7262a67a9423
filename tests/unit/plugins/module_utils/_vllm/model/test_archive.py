# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives: real ones made by tarfile, and members that no archive of a model has."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.archive import unpack
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.fetch import CannotStage
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.volume import Volume


def make(tmp_path, *members, mode="w"):
    """An archive of (name, bytes | TarInfo's changes) in a folder of a node."""
    (tmp_path / "in").mkdir(exist_ok=True)
    with tarfile.open(tmp_path / "in" / "a.tar", mode) as archive:
        for name, what in members:
            info = tarfile.TarInfo(name)
            if isinstance(what, bytes):
                info.size = len(what)
                archive.addfile(info, io.BytesIO(what))
            else:
                for key, value in what.items():
                    setattr(info, key, value)
                archive.addfile(info)
    return Volume(str(tmp_path), read_only=False)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_an_archive_is_unpacked_below_its_one_folder(tmp_path, mode):
    host = make(tmp_path, ("./", {"type": tarfile.DIRTYPE}), ("./m", {"type": tarfile.DIRTYPE}),
                ("./m/config.json", b"{}"), ("./m/sub/x.json", b"[]"), mode=mode)
    assert unpack(host, "/in", "a.tar", "/out") == "/out/m"
    assert (tmp_path / "out/m/config.json").read_bytes() == b"{}"
    assert (tmp_path / "out/m/sub/x.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("mode", ["w:gz", "w:xz", "w:bz2"])
def test_an_archive_that_is_broken_in_the_middle_is_told_of(tmp_path, mode):
    host = make(tmp_path, ("config.json", b" ".join(b"%d" % (number * number) for number in range(200000))), mode=mode)
    place = tmp_path / "in" / "a.tar"
    data, broken = place.read_bytes(), b"\xff" * 1000
    half = data[:len(data) // 2]
    place.write_bytes(half if mode == "w:gz" else half + broken + data[len(half) + len(broken):])
    with pytest.raises(CannotStage, match="a.tar cannot be unpacked: "):
        unpack(host, "/in", "a.tar", "/out")


def test_what_a_killed_run_left_goes(tmp_path):
    host = make(tmp_path, ("config.json", b"{}"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "half.json").write_text("{")
    assert unpack(host, "/in", "a.tar", "/out") == "/out"
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["config.json"]


@pytest.mark.parametrize("member,words", [
    (("../evil", b"x"), "leads out"), (("/etc/evil", b"x"), "absolute"), (("a/../../evil", b"x"), "leads out"),
    (("link", {"type": tarfile.SYMTYPE, "linkname": "/etc"}), "a link to '/etc'"),
    (("hard", {"type": tarfile.LNKTYPE, "linkname": "config.json"}), "a link to"),
    (("dev", {"type": tarfile.CHRTYPE}), "device"), (("pipe", {"type": tarfile.FIFOTYPE}), "pipe"),
    (("config.json", b"again"), "twice"), ((".gpuwright.json", b"{}"), "only we give")])
def test_evil_members_are_refused_by_name(tmp_path, member, words):
    host = make(tmp_path, ("config.json", b"{}"), member)
    with pytest.raises(CannotStage, match=words):
        unpack(host, "/in", "a.tar", "/out")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in", "out"]


def test_a_link_cannot_be_written_through(tmp_path):
    host = make(tmp_path, ("d", {"type": tarfile.SYMTYPE, "linkname": "/in"}), ("d/evil", b"x"))
    with pytest.raises(CannotStage, match="a link to"):
        unpack(host, "/in", "a.tar", "/out")
    assert not (tmp_path / "in/evil").exists()


def test_a_member_that_does_not_fit(tmp_path):
    host = make(tmp_path, ("big", b"x" * 1000))
    with pytest.raises(CannotStage, match="has 1000 bytes, the volume .* has .* free"):
        unpack(host, "/in", "a.tar", "/out", reserve=10 ** 18)


@pytest.mark.parametrize("data,words", [
    (b"PK\x03\x04rest", "zip"), (b"<html>", "cannot be unpacked"), (b"", "cannot be unpacked"),
    (gzip.compress(b"x" * 100_000)[:-20], "cannot be unpacked")])
def test_what_is_no_archive(tmp_path, data, words):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.tar").write_bytes(data)
    with pytest.raises(CannotStage, match=words):
        unpack(Volume(str(tmp_path), read_only=False), "/in", "a.tar", "/out")


def test_zstandard_is_unpacked_or_refused_in_words(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.tar").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(50))
    with pytest.raises(CannotStage, match="Zstandard|cannot be unpacked"):
        unpack(Volume(str(tmp_path), read_only=False), "/in", "a.tar", "/out")


def test_a_truncated_archive_is_no_model(tmp_path):
    host = make(tmp_path, ("config.json", b"{}" * 5000))
    place = tmp_path / "in" / "a.tar"
    place.write_bytes(place.read_bytes()[:4000])
    with pytest.raises(CannotStage, match="cannot be unpacked"):
        unpack(host, "/in", "a.tar", "/out")


def test_one_file_of_gguf_stays_where_it_is(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.gguf").write_bytes(b"GGUFx")
    assert unpack(Volume(str(tmp_path), read_only=False), "/in", "x.gguf", "/out") == "/in"
