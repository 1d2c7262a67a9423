# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates are whole tools that must be content: each is one test, with its log in report/test/."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SECOND = CHECKOUT / ".cache" / "venv-3.13" / "bin" / "python"
HERE = "%d.%d" % sys.version_info[:2]


def pytest_configure(config):
    """Leave out what this machine has no Python for, and say so."""
    if HERE != "3.11":
        config.left_out.append("unit tests with ansible-core 2.19: there is no Python 3.11 here")
    elif not SECOND.exists():
        config.left_out.append("unit tests again with ansible-core 2.21: there is no Python 3.13 here")


def pytest_ignore_collect(collection_path):
    """The second run of the unit tests needs a second Python."""
    if collection_path.name == "test_second_python.py" and (HERE != "3.11" or not SECOND.exists()):
        return True
    return None


@pytest.fixture
def gate(request, pytestconfig):
    """Run a tool, one line when it starts and one when it ends; fail with the end of its log."""
    log = CHECKOUT / "report" / "test" / (request.node.path.stem.removeprefix("test_") + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(text):
        with capture.global_and_fixture_disabled():
            print(text, flush=True)

    def run(argv, **environment):
        say("\n    %s ..." % " ".join(str(word) for word in argv))
        start = time.monotonic()
        with log.open("w") as stream:
            status = subprocess.run(
                [str(word) for word in argv], cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.STDOUT, env={**os.environ, **environment}, check=False).returncode
        say("    ... %s after %d s" % ("ok" if status == 0 else "FAILED", time.monotonic() - start))
        ending = "\n".join(log.read_text(errors="replace").splitlines()[-80:])
        assert status == 0, "exit status %d; the end of %s:\n%s" % (status, log.relative_to(CHECKOUT), ending)

    return run
