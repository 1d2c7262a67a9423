# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes this checkout importable as `ansible_collections.gpuwright.node`, and closes a run with what each stage did.

A stage is a folder below tests/, or one file of tests/gates. What cannot run on this machine is never skipped: its
conftest.py leaves it out of the collection and says why: `config.left_out.append("what: why")`.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent
COLLECTIONS = CHECKOUT / ".cache" / "collections"


def _link():
    place = COLLECTIONS / "ansible_collections" / "gpuwright" / "node"
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        place.unlink(missing_ok=True)
        place.symlink_to(pathlib.Path("../../../.."))


_link()
sys.path[:0] = [str(COLLECTIONS), str(CHECKOUT)]


@pytest.fixture(scope="session")
def checkout():
    """The folder of this checkout."""
    return CHECKOUT


@pytest.fixture(scope="session")
def show(pytestconfig):
    """Run a command with a line when it starts and one when it ends; what it says goes to a log, whose end is shown."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(text):
        with capture.global_and_fixture_disabled():
            print(text, flush=True)

    def run(name, argv, **environment):
        log = CHECKOUT / "report" / "test" / (name + ".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        say("\n    %s ..." % " ".join(str(word) for word in argv[:12]))
        start = time.monotonic()
        with log.open("w") as stream:
            status = subprocess.run(
                [str(word) for word in argv], cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1", **environment}, check=False).returncode
        say("    ... %s after %d s" % ("ok" if status == 0 else "FAILED", time.monotonic() - start))
        assert status == 0, "exit status %d; from %s:\n%s" % (status, log.relative_to(CHECKOUT), _telling(log))

    return run


def _telling(log):
    """The lines of a log that name an error, and its end."""
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines[:-60] if line.startswith(("ERROR", "FATAL", "E  ", "FAILED"))]
    return "\n".join(errors[-60:] + ["..."] + lines[-60:])


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """One list for all conftest.py files: what this machine cannot run."""
    config.left_out = []


def _stage(nodeid):
    parts = pathlib.PurePosixPath(nodeid.split("::")[0]).parts
    parts = parts[1:] if parts[:1] == ("tests",) else parts
    return "/".join(parts[:2]) if parts[0] == "gates" else parts[0]


def pytest_terminal_summary(terminalreporter, config):
    """The stages with their seconds, then what was left out; pytest's own line with the sums comes after."""
    stages = {}
    for outcome, reports in terminalreporter.stats.items():
        for report in reports:
            if not hasattr(report, "duration"):
                continue
            stage = stages.setdefault(_stage(report.nodeid), {"seconds": 0.0, "passed": 0, "failed": 0})
            stage["seconds"] += report.duration
            stage["passed"] += outcome == "passed"
            stage["failed"] += outcome in ("failed", "error")
    lines = [_line(name, stage) for name, stage in stages.items()]
    lines += ["left out: %s" % line for line in config.left_out]
    if os.environ.get("STAGES_TO"):  # See tests/setup/test.sh: a run before this one, and its part of one table.
        pathlib.Path(os.environ["STAGES_TO"]).write_text("".join(line + "\n" for line in lines))
    if os.environ.get("STAGES_FROM"):
        lines = pathlib.Path(os.environ["STAGES_FROM"]).read_text().splitlines() + lines
    terminalreporter.ensure_newline()
    terminalreporter.section("stages")
    for line in lines:
        terminalreporter.write_line(line)


def _line(name, stage):
    words = "%d FAILED" % stage["failed"] if stage["failed"] else "ok"
    return "%-28s %5d passed %7.1f s  %s" % (name, stage["passed"], stage["seconds"], words)
