# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Appended to _kinds/vllm_instance.py: one unit that is a process of this machine, with the drop-in of a profile."""

from __future__ import annotations

import os as _os
import pathlib as _pathlib
import shlex as _shlex
import signal as _signal
import subprocess as _subprocess
import time as _time

from .. import _supervise

_NODE = _pathlib.Path(_os.environ["GPUWRIGHT_TEST_NODE"])


def show(host, unit):
    """What is asked for of it."""
    pid = int((_NODE / "pid").read_text())
    status = _pathlib.Path("/proc/%d/status" % pid)
    alive = status.exists() and "\nState:\tZ" not in status.read_text()
    return {"LoadState": "loaded", "ActiveState": "active" if alive else "inactive", "MainPID": str(pid)}


def systemctl(host, *words, seconds=60):
    """A record of it."""
    with open(_NODE / "systemctl.log", "a", encoding="utf-8") as log:
        log.write(" ".join(words) + "\n")


def stop(host, unit):
    """All processes of the unit."""
    systemctl(host, "stop", unit)
    pid = int((_NODE / "pid").read_text())
    try:
        _os.killpg(pid, _signal.SIGKILL)
    except OSError:
        return
    while _supervise._members(pid):  # A port is free again once all of them are gone.
        _time.sleep(0.05)


def start(host, unit):
    """What the drop-in says, else the plain engine."""
    systemctl(host, "start", unit)
    drop_in = _NODE / "units" / (unit + ".d") / "90-gpuwright-profile.conf"
    lines = drop_in.read_text().splitlines() if drop_in.exists() else []
    told = [line.partition("=")[2] for line in lines if line.startswith("ExecStart=")]
    words = _shlex.split(told[-1] if told else (_NODE / "plain").read_text())
    with open(_os.devnull, "r+b") as empty:
        process = _subprocess.Popen(words, start_new_session=True, stdin=empty, stdout=empty, stderr=empty)
    (_NODE / "pid").write_text(str(process.pid))
