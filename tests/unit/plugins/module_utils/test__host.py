# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the machine layer: one root, atomic files, the lock, time limits, no writing in check mode."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host, Locked, ReadOnlyHost


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/plain").write_text("text\n\0")
    return tmp_path


def test_reading_stays_below_the_root_whatever_links_say(root):
    os.symlink("/etc/plain", root / "absolute")
    os.symlink("../../../../etc/plain", root / "etc/climbing")
    os.symlink("/etc", root / "folder")
    host = Host(str(root))
    for path in ("/etc/plain", "/absolute", "/etc/climbing", "/folder/plain"):
        assert host.read(path) == "text", path
    os.symlink("/etc/passwd", root / "outside")
    assert host.text("/outside") is None


def test_a_link_that_goes_in_circles_is_an_error_not_a_hang(root):
    os.symlink("b", root / "a")
    os.symlink("a", root / "b")
    with pytest.raises(OSError, match="Too many levels"):
        Host(str(root)).read("/a/x")


def test_a_missing_file_is_none_and_an_unreadable_one_a_note(root):
    host = Host(str(root))
    assert host.text("/nowhere") is None
    assert host.notes == []
    (root / "etc/sub").mkdir()
    assert host.text("/etc/sub") is None
    assert host.notes == ["/etc/sub: Is a directory"]


@pytest.mark.parametrize("change", [
    lambda host: host.write_value("/etc/plain", "x"), lambda host: host.write_file("/etc/new", b"x"),
    lambda host: host.write_bytes_at("/etc/plain", 1, b"x"),
    lambda host: host.remove_file("/etc/plain"), lambda host: host.make_folder("/new"),
    lambda host: host.remove_folder("/etc"), lambda host: host.run(["true"]),
    lambda host: host.only_one("/lock", {}).__enter__(),
])
def test_a_host_opened_for_reading_cannot_be_changed(root, change):
    before = sorted(os.listdir(root / "etc"))
    with pytest.raises(ReadOnlyHost):
        change(Host(str(root)))
    assert sorted(os.listdir(root / "etc")) == before and (root / "etc/plain").read_text() == "text\n\0"


def test_a_file_is_replaced_as_a_whole_with_its_mode(root):
    host = Host(str(root), read_only=False)
    (root / "etc/.left").write_text("")
    (root / "etc/plain.gpuwright-new").write_text("left by a kill")
    host.write_file("/etc/plain", b"new", mode=0o640)
    assert (root / "etc/plain").read_bytes() == b"new" and host.mode("/etc/plain") == 0o640
    assert not (root / "etc/plain.gpuwright-new").exists()


def test_a_value_is_never_written_to_a_file_that_is_not_there(root):
    with pytest.raises(FileNotFoundError):
        Host(str(root), read_only=False).write_value("/etc/none", "1")
    assert not (root / "etc/none").exists()


def test_folders_are_made_with_their_parents_and_named(root):
    host = Host(str(root), read_only=False)
    assert host.make_folder("/etc/a/b") == ["/etc/a", "/etc/a/b"]
    host.remove_folder("/etc/a")
    assert host.is_folder("/etc/a/b")


@pytest.mark.parametrize("umask", [0, 0o022, 0o027, 0o077])
def test_folders_and_files_have_the_mode_that_was_asked_for(root, umask):
    host = Host(str(root), read_only=False)
    old = os.umask(umask)
    try:
        host.make_folder("/etc/a/b")
        host.make_folder("/etc/closed", 0o700)
        host.write_file("/etc/a/secret", b"x", 0o600)
        host.write_file("/etc/a/open", b"x")
        assert os.umask(umask) == umask  # What it starts has the one that it was given.
    finally:
        os.umask(old)
    assert [oct((root / "etc" / name).stat().st_mode & 0o7777) for name in (
        "a", "a/b", "closed", "a/secret", "a/open")] == ["0o755", "0o755", "0o700", "0o600", "0o644"]


def test_no_command_is_started_for_another_root(root):
    with pytest.raises(CommandNotRun, match="is not the running system"):
        Host(str(root)).run(["true"], changes=False)


def test_a_command_answers_in_the_c_locale():
    assert Host().run(["sh", "-c", "echo $LC_ALL; exit 3"], changes=False) == (3, "C\n", "")


def test_a_command_that_is_not_there_says_so():
    with pytest.raises(CommandNotRun, match="no-such-command: No such file"):
        Host().run(["no-such-command"], changes=False)


def test_a_command_that_hangs_is_given_up_with_all_its_children():
    with pytest.raises(CommandNotRun, match="no answer after 1 s"):
        Host().run(["sh", "-c", "sleep 1000 & sleep 1000"], seconds=1, changes=False)


def _hold(root, ready, done):
    with Host(root, read_only=False).only_one("/lock", {"what": "role vm"}):
        ready.set()
        done.wait(300)


def test_two_runs_exclude_each_other_and_the_owner_is_named(root):
    ready, done = multiprocessing.Event(), multiprocessing.Event()
    holder = multiprocessing.Process(target=_hold, args=(str(root), ready, done))
    holder.start()
    assert ready.wait(300)
    host = Host(str(root), read_only=False)
    with pytest.raises(Locked) as error:
        with host.only_one("/lock", {"what": "role thp"}):
            pass
    assert json.loads(str(error.value)) == {"what": "role vm", "pid": holder.pid}
    done.set()
    holder.join()
    with host.only_one("/lock", {"what": "role thp"}):
        assert (root / "lock").exists()
    assert not (root / "lock").exists()


def test_neither_a_closed_connection_nor_an_interruption_ends_a_change_or_its_commands(root):
    heard, before = [], {}
    for number in (signal.SIGHUP, signal.SIGINT):
        before[number] = signal.signal(number, lambda number, _frame: heard.append(number))
    try:
        with contextlib.suppress(RuntimeError), Host(str(root), read_only=False).to_the_end():
            for number in before:
                signal.raise_signal(number)
            assert heard == []
            assert subprocess.run(["sh", "-c", "kill -HUP $$; kill -INT $$; echo on"], capture_output=True, text=True,
                                  check=True).stdout == "on\n"
            raise RuntimeError
        for number in before:
            signal.raise_signal(number)
        assert heard == list(before)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_beside_it(root, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device", "/etc/plain")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        Host(str(root), read_only=False).write_file("/etc/plain", b"new")
    assert os.listdir(root / "etc") == ["plain"] and (root / "etc/plain").read_text() == "text\n\0"


def test_a_running_process_gets_a_limit_from_the_real_kernel():
    child = subprocess.Popen(["sleep", "600"])
    try:
        host = Host(read_only=False)
        host.set_limit(child.pid, "CORE", (4096, 8192))
        assert [line.split()[4:6] for line in host.read("/proc/%d/limits" % child.pid).splitlines()
                if line.startswith("Max core file size")] == [["4096", "8192"]]
        with pytest.raises(ReadOnlyHost):
            Host().set_limit(child.pid, "CORE", (0, 0))
    finally:
        child.kill()
        child.wait()
    with pytest.raises(ProcessLookupError):
        Host(read_only=False).set_limit(child.pid, "CORE", (4096, 8192))


def test_a_process_of_another_root_is_none_of_ours(root):
    with pytest.raises(OSError, match="not the running system"):
        Host(str(root), read_only=False).set_limit(1, "CORE", (4096, 8192))


def test_some_bytes_of_a_file_change_and_no_others(root):
    host = Host(str(root), read_only=False)
    host.write_bytes_at("/etc/plain", 1, b"ax")
    assert (root / "etc/plain").read_bytes() == b"taxt\n\0"
    live = Host("/", read_only=False)
    live.write_bytes_at(str(root / "etc/plain"), 2, b"u")
    assert (root / "etc/plain").read_bytes() == b"taut\n\0"
    with pytest.raises(FileNotFoundError):
        live.write_bytes_at(str(root / "etc/none"), 0, b"u")
    assert not (root / "etc/none").exists()
