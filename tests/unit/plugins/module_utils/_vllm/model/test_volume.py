# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a volume adds to a host: parts of files, folders that move, and nothing on a host opened for reading."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import threading

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import ReadOnlyHost
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.volume import Volume


@pytest.fixture(name="host")
def fixture_host(tmp_path):
    """A node with a folder of two files and a link."""
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "a").write_bytes(b"0123456789")
    (tmp_path / "d" / "sub" / "b").write_bytes(b"xyz")
    (tmp_path / "d" / "link").symlink_to("a")
    (tmp_path / "d" / "elsewhere").symlink_to("/")
    return Volume(str(tmp_path), read_only=False)


def test_looking(host):
    assert host.tree("/d") == {"a": 10, "link": 10, "sub/b": 3}
    assert (host.size("/d/a"), host.size("/d"), host.size("/d/none"), host.size("/d/link")) == (10, None, None, 10)
    assert b"".join(host.pieces("/d/a", 2, 3)) == b"234" and b"".join(host.pieces("/d/a", 8)) == b"89"
    mount, free = host.volume_of("/d/not/yet/there")
    assert mount == "/" and free == os.statvfs(host.root).f_bavail * os.statvfs(host.root).f_frsize


def test_writing_on_from_a_byte(host, tmp_path):
    with host.extending("/d/a", 4) as stream:
        stream.write(b"ab")
    assert (tmp_path / "d/a").read_bytes() == b"0123ab"
    with pytest.raises(OSError):
        with host.extending("/d/link", 0):
            pass
    assert (tmp_path / "d/a").read_bytes() == b"0123ab"


def test_folders_are_for_everyone_to_read(host, tmp_path):
    old = os.umask(0o077)
    assert host.make_folder("/d/x/y") == ["/d/x", "/d/x/y"]
    os.umask(old)
    assert (tmp_path / "d/x/y").stat().st_mode & 0o777 == 0o755


def test_several_that_make_one_folder_at_once(host, monkeypatch):
    """Two files of one folder of a model come at the same time: each looks, finds none, and makes it."""
    both, there = threading.Barrier(2, timeout=0.5), host.is_folder

    def looking(path):
        found = there(path)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait()
        return found
    monkeypatch.setattr(host, "is_folder", looking)
    with concurrent.futures.ThreadPoolExecutor(2) as workers:
        made = list(workers.map(host.make_folder, ["/new", "/new"]))
    assert sorted(made) == [[], ["/new"]]


def test_moving_and_removing(host, tmp_path):
    host.move("/d/sub", "/d/other")
    assert (tmp_path / "d/other/b").read_bytes() == b"xyz"
    with pytest.raises(OSError):
        host.move("/d/other", "/d")
    host.remove_tree("/d/elsewhere")
    assert not (tmp_path / "d/elsewhere").is_symlink() and (tmp_path / "d").exists()
    host.remove_tree("/d")
    host.remove_tree("/d")
    assert list(tmp_path.iterdir()) == []


def test_nothing_changes_on_a_host_opened_for_reading(host):
    reading = Volume(host.root)
    for change in (lambda: reading.extending("/d/a", 0).__enter__(), lambda: reading.move("/d/a", "/d/z"),
                   lambda: reading.remove_tree("/d"), lambda: reading.make_folder("/d/new")):
        with pytest.raises(ReadOnlyHost):
            change()
    assert reading.tree("/d") == {"a": 10, "link": 10, "sub/b": 3}
