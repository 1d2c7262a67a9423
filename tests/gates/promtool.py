# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real promtool: unpacked once from the distribution's own package, which is not installed."""

from __future__ import annotations

import contextlib
import fcntl
import pathlib
import shutil
import subprocess
import tempfile

PACKAGE = "prometheus"
CACHE = pathlib.Path.home() / ".cache" / "gpuwright" / "promtool"


class NotHere(Exception):
    """It cannot be had on this machine; the text says why."""


def place():
    """Where promtool is, or will be: the machine's own if it has one."""
    return pathlib.Path(shutil.which("promtool") or CACHE / "promtool")


def check():
    """See to it that it is there. Raises NotHere."""
    if place().exists():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    with _only_one():
        if not place().exists():
            _unpack(place())


def _unpack(kept):
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        for argv in (["apt-get", "download", PACKAGE], ["sh", "-c", "dpkg-deb -x %s_*.deb unpacked" % PACKAGE]):
            try:
                done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
            except (OSError, subprocess.TimeoutExpired) as error:
                raise NotHere("%s: %s" % (argv[0], error)) from error
            if done.returncode:
                raise NotHere("%s: %s" % (" ".join(argv[:2]), (done.stderr.strip().splitlines() or ["failed"])[-1]))
        (pathlib.Path(folder) / "unpacked/usr/bin/promtool").rename(kept)


@contextlib.contextmanager
def _only_one():
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*argv, cwd):
    """(exit status, what it said)."""
    done = subprocess.run([str(place()), *argv], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr
