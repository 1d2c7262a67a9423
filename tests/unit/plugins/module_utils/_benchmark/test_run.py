# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node, with real processes of a stand-in of nccl-tests: what they print, and that nothing stays behind."""

from __future__ import annotations

import errno
import os
import pathlib
import signal
import subprocess
import time
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _supervise
from ansible_collections.gpuwright.node.plugins.module_utils._benchmark import run
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host

from tests.sysroots import nccl_tests_tool

LONG = 100000
JOB = {"pid": 4711, "comm": "vllm", "holds": "/dev/nvidia0"}
LAUNCH = {"launcher": "mpirun", "operation": "all_reduce", "operations": ["all_reduce"], "begin": 8, "end": 1024,
          "factor": 2, "gpus": 2, "hosts": ["a", "b"], "iterations": 20, "warmup": 5, "check": True, "library_path": "",
          "command_prefix": [], "launcher_options": []}


@pytest.fixture
def node(tmp_path, monkeypatch):
    """(host, launch, folder of the runs) of a node that is this machine."""
    tools = nccl_tests_tool.install(tmp_path / "tools", {})
    (tmp_path / "runs").mkdir()
    monkeypatch.setattr(run, "PLACE", str(tmp_path / "runs"))
    monkeypatch.setattr(run.jobs, "live_jobs", lambda _host: ([], True))
    path = "%s:%s" % (tools, os.environ["PATH"])
    return Host(read_only=False), dict(LAUNCH, path=str(tools), environment={"PATH": path}), tmp_path / "runs"


@pytest.fixture
def an_hour_passes(monkeypatch):
    """A function: whoever holds a command sees an hour pass at once when something has come about."""
    def when(come):
        passed = []

        def monotonic():
            if not passed and come():
                passed.append(3600)
            return time.monotonic() + sum(passed)
        monkeypatch.setattr(_supervise, "time", types.SimpleNamespace(
            monotonic=monotonic, sleep=time.sleep, time=time.time))
    return when


def to_the_end(host, name):
    """All output of a run, and its last answer."""
    text, offset = "", 0
    while True:
        said = run.poll(host, name, offset, 1)
        text, offset = text + said["output"], said["offset"]
        if said["ended"]:
            return text, said


def until(come):
    """Wait until something has come about."""
    end = time.monotonic() + 300
    while not come():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(tools):
    """The ranks that are there still."""
    return nccl_tests_tool.alive(tools)


def test_a_run_from_its_start_to_its_end(node):
    host, launch, runs = node
    begun = run.start(host, launch, [], LONG, LONG)
    assert oct(os.stat(begun["id"]).st_mode)[-3:] == "700"
    assert begun["command"][0] == "mpirun"
    text, said = to_the_end(host, begun["id"])
    assert (said["status"], said["timed_out"]) == (0, False)
    assert text.startswith("# nccl-tests version")
    assert text.endswith("# Collective test concluded: all_reduce_perf\n")
    assert text.count(" Rank ") == 4
    assert run.stop(host, begun["id"]) is False
    assert list(runs.iterdir()) == []


def test_half_a_line_is_not_handed_out_before_the_end(node, tmp_path):
    host, launch, _runs = node
    (tmp_path / "tools" / "all_reduce_perf").write_text("#!/bin/sh\nprintf 'one\\ntw'\nexec sleep 600\n")
    begun = run.start(host, dict(launch, launcher="single", hosts=["a"]), [], LONG, LONG)
    until(lambda: host.exists(begun["id"] + "/output") and host.read(begun["id"] + "/output") == "one\ntw")
    assert run.poll(host, begun["id"], 0, 0)["output"] == "one\n"
    assert run.stop(host, begun["id"]) is True


def test_what_hangs_ends_at_its_time_limit(node, tmp_path, an_hour_passes):
    host, launch, runs = node
    nccl_tests_tool.put(tmp_path / "tools", {"fault": "hang"})
    an_hour_passes(lambda: len(nccl_tests_tool.started(tmp_path / "tools")) == 4 and any(
        "Using devices" in path.read_text() for path in runs.glob("*/output")))
    begun = run.start(host, launch, [], 3000, LONG)
    text, said = to_the_end(host, begun["id"])
    assert (said["status"], said["timed_out"]) == (None, True)
    assert "Using devices" in text
    assert alive(tmp_path / "tools") == []
    run.stop(host, begun["id"])
    assert list(runs.iterdir()) == []


def test_what_nobody_asks_after_ends_and_goes(node, tmp_path, an_hour_passes):
    host, launch, runs = node
    nccl_tests_tool.put(tmp_path / "tools", {"fault": "hang"})
    an_hour_passes(lambda: len(nccl_tests_tool.started(tmp_path / "tools")) == 4)
    run.start(host, launch, [], LONG, 3000)
    until(lambda: alive(tmp_path / "tools") == [] and list(runs.iterdir()) == [])


def test_stop_ends_all_ranks_though_the_supervisor_was_killed(node, tmp_path):
    host, launch, runs = node
    nccl_tests_tool.put(tmp_path / "tools", {"fault": "hang"})
    begun = run.start(host, launch, [], LONG, LONG)
    until(lambda: len(nccl_tests_tool.started(tmp_path / "tools")) == 4)
    os.kill(supervisor(host, begun["id"]), signal.SIGKILL)
    assert run.stop(host, begun["id"]) is True
    assert alive(tmp_path / "tools") == []
    assert list(runs.iterdir()) == []


def test_a_crash_has_its_status(node, tmp_path):
    host, launch, _runs = node
    nccl_tests_tool.put(tmp_path / "tools", {"fault": "crash"})
    begun = run.start(host, launch, [], LONG, LONG)
    text, said = to_the_end(host, begun["id"])
    assert said["status"] == 3
    assert "unhandled cuda error" in text
    run.stop(host, begun["id"])


@pytest.mark.parametrize(("changed", "words"), [
    ({}, "mpirun is no program in /nowhere: install it, or set PATH in nccl_benchmark_environment"),
    ({"launcher": "single", "command_prefix": ["/opt/apptainer"]}, "/opt/apptainer is no program$")])
def test_a_first_word_that_is_no_program_is_refused(node, changed, words):
    host, launch, runs = node
    for one in (host, Host(read_only=True)):
        with pytest.raises(run.Refused, match=words):
            run.start(one, dict(launch, environment={"PATH": "/nowhere"}, **changed), [], LONG, LONG)
    assert list(runs.iterdir()) == []


def test_what_the_kernel_will_not_start_says_so(node, tmp_path):
    host, launch, _runs = node
    (tmp_path / "tools" / "mpirun").write_text("#!/no/such/interpreter\n")
    begun = run.start(host, launch, [], LONG, LONG)
    text, said = to_the_end(host, begun["id"])
    assert said["status"] == 127
    assert text == "mpirun: No such file or directory\n"
    run.stop(host, begun["id"])


def test_a_busy_node_is_refused_unless_that_is_allowed(node, monkeypatch):
    host, launch, runs = node
    monkeypatch.setattr(run.jobs, "live_jobs", lambda _host: ([JOB] * 7, True))
    for begin in (lambda: run.start(host, launch, [], LONG, LONG), lambda: run.look(host, launch, [])):
        with pytest.raises(run.Refused, match=r"vllm \(process 4711, /dev/nvidia0\).* and 2 more") as refused:
            begin()
        assert "nccl_benchmark_allow" in str(refused.value)
    assert list(runs.iterdir()) == []
    assert run.look(host, launch, ["busy"])["jobs"] == [JOB] * 7


def test_a_missing_program_is_refused_with_the_places(node):
    host, launch, _runs = node
    for begin in (lambda: run.start(host, dict(launch, path="/nowhere/at/all"), [], LONG, LONG),
                  lambda: run.look(host, dict(launch, path="/nowhere/at/all"), [])):
        with pytest.raises(run.Refused, match="/nowhere/at/all"):
            begin()


def test_a_program_without_mpi_is_refused_for_several_processes(node, tmp_path):
    host, launch, _runs = node
    (tmp_path / "tools" / "all_reduce_perf").write_bytes(b"\x7fELF no such symbol")
    with pytest.raises(run.Refused, match="built without MPI"):
        run.look(host, launch, [])
    assert run.look(host, dict(launch, launcher="single"), [])["for_mpi"] == {"all_reduce": False}


def test_what_lies_in_a_container_is_not_looked_for(node):
    host, launch, _runs = node
    contained = dict(launch, command_prefix=["apptainer", "exec", "x.sif"], path="")
    assert run.look(host, contained, [])["programs"] == {"all_reduce": "all_reduce_perf"}
    assert run.look(host, dict(contained, path="/b/"), [])["programs"] == {"all_reduce": "/b/all_reduce_perf"}


def test_reading_only_starts_nothing_and_says_the_command(node):
    _host, launch, runs = node
    said = run.start(Host(read_only=True), launch, [], LONG, LONG)
    assert said["id"] is None
    assert said["command"][:2] == ["mpirun", "--allow-run-as-root"] or said["command"][0] == "mpirun"
    assert list(runs.iterdir()) == []


def supervisor(host, name):
    """The process that holds a run."""
    session = host.read(name + "/pid").split()[0]
    return int(host.read("/proc/%s/stat" % session).rpartition(")")[2].split()[1])


def test_what_a_power_cut_left_goes_and_a_run_that_goes_on_stays(node, tmp_path):
    host, launch, runs = node
    left = runs / (run.PREFIX + "left")
    left.mkdir(mode=0o700)
    (left / "beat").write_text("")
    begun = run.start(host, launch, [], LONG, LONG)
    assert not left.exists()
    (runs / (run.PREFIX + "beginning")).mkdir(mode=0o700)
    assert run.look(host, launch, [])["left"] == sorted([begun["id"], str(runs / (run.PREFIX + "beginning"))])
    other = run.start(host, launch, [], LONG, LONG)
    to_the_end(host, begun["id"])
    run.stop(host, begun["id"])
    run.stop(host, other["id"])
    assert [path.name for path in runs.iterdir()] == [run.PREFIX + "beginning"]


def test_a_folder_of_a_killed_start_goes_in_the_end(node):
    host, launch, runs = node
    (runs / (run.PREFIX + "old")).mkdir(mode=0o700)
    os.utime(runs / (run.PREFIX + "old"), (1, 1))
    run.stop(host, run.start(host, launch, [], LONG, LONG)["id"])
    assert list(runs.iterdir()) == []


@pytest.fixture
def bystander():
    """A process with a session of its own that no run started."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield process
        process.kill()


def _claim(folder, process, boot):
    """What a folder says of a run that is not there any more: the session of another process."""
    folder.mkdir(mode=0o700)
    (folder / "beat").write_text("")
    began = pathlib.Path("/proc/%d/stat" % process.pid).read_text().rpartition(")")[2].split()[19]
    (folder / "pid").write_text("%d %s %s" % (process.pid, began, boot))


def _this_boot():
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@pytest.mark.parametrize("trick", ["open to others", "of another user", "a link"])
def test_a_folder_that_somebody_else_made_ends_nobody_s_processes(node, tmp_path, bystander, monkeypatch, trick):
    host, launch, runs = node
    planted = runs / (run.PREFIX + "planted")
    where = tmp_path / "elsewhere" if trick == "a link" else planted
    _claim(where, bystander, _this_boot())
    if trick == "a link":
        planted.symlink_to(where)
    if trick == "open to others":
        planted.chmod(0o777)
    if trick == "of another user":
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert run.look(host, launch, [])["left"] == []
    assert run.stop(host, str(planted)) is False
    with pytest.raises(OSError, match="planted"):
        run.poll(host, str(planted), 0, 0)
    monkeypatch.undo()
    assert bystander.poll() is None
    assert (where / "beat").exists()


def test_after_a_reboot_the_number_of_a_session_is_another_s(node, bystander):
    host, _launch, runs = node
    _claim(runs / (run.PREFIX + "before"), bystander, "another-boot")
    assert run.stop(host, str(runs / (run.PREFIX + "before"))) is False
    assert bystander.poll() is None
    _claim(runs / (run.PREFIX + "now"), bystander, _this_boot())
    assert run.stop(host, str(runs / (run.PREFIX + "now"))) is True  # Else the test above tells nothing.
    assert bystander.wait() == -signal.SIGTERM


def test_a_killed_supervisor_is_told_and_not_waited_for(node, tmp_path):
    host, launch, runs = node
    nccl_tests_tool.put(tmp_path / "tools", {"fault": "hang"})
    begun = run.start(host, launch, [], LONG, LONG)
    until(lambda: len(nccl_tests_tool.started(tmp_path / "tools")) == 4)
    os.kill(supervisor(host, begun["id"]), signal.SIGKILL)
    with pytest.raises(OSError, match="ended from outside: out of memory"):
        to_the_end(host, begun["id"])
    assert run.stop(host, begun["id"]) is True
    assert alive(tmp_path / "tools") == []
    assert list(runs.iterdir()) == []


def test_what_cannot_be_written_leaves_no_folder(node, monkeypatch):
    host, launch, runs = node
    monkeypatch.setattr(host, "write_file", _full)
    with pytest.raises(OSError, match="No space left"):
        run.start(host, launch, [], LONG, LONG)
    assert list(runs.iterdir()) == []


def _full(*_arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("name", ["/etc", "", "/var/tmp/gpuwright-benchmark-x/../../../etc"])
def test_only_folders_of_runs_are_removed(node, name):
    for act in (lambda: run.stop(node[0], name), lambda: run.poll(node[0], name, 0, 0)):
        with pytest.raises(run.Refused, match="no run of a benchmark"):
            act()


def test_the_variables_of_nccl_conf_are_told(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "nccl.conf").write_text("# why\nNCCL_IB_HCA==mlx5_0:1\nNCCL_IB_HCA=mlx5_9\n")
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "usr" / "bin" / "all_reduce_perf").write_text("#!/bin/sh\n")
    (tmp_path / "usr" / "bin" / "all_reduce_perf").chmod(0o755)
    assert run.look(Host(str(tmp_path)), dict(LAUNCH, path=""), [])["conf"] == {"NCCL_IB_HCA": "=mlx5_0:1"}
