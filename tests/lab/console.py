# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line a step for the person who waits; what commands say goes to a log that is shown when one fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LabError(Exception):
    """The lab cannot go on; the text says why."""


class NoLab(LabError):
    """This machine cannot have a lab at all."""


def say(text: str) -> None:
    """One line to the person, at once."""
    sys.stderr.write(f"lab: {text}\n")
    sys.stderr.flush()


@contextmanager
def step(text: str) -> Iterator[None]:
    """Says what begins, and how long it took."""
    say(f"{text} ...")
    begin = time.monotonic()
    yield
    say(f"{text}: {time.monotonic() - begin:.0f} s")


def as_root(argv: list[str]) -> list[str]:
    """The command with the rights to change this machine."""
    return argv if os.geteuid() == 0 else ["sudo", *argv]


def run(argv: list[str], log: Path, *, limit: int, env: dict[str, str] | None = None) -> None:
    """Runs a command to its end with its words in the log; shows the log's end where it fails."""
    with log.open("ab") as out:
        out.write(("$ " + " ".join(argv) + "\n").encode())
        out.flush()
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        except FileNotFoundError as error:
            raise LabError(f"no such command: {argv[0]}") from error
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{argv[0]} did not end within {limit} s; the end of {log}:\n{tail(log)}") from error
    finally:
        if process.poll() is None:  # Out of time, or somebody stopped us: it ends in its own orderly way.
            process.terminate()
            process.wait()
    if code:
        raise LabError(f"{' '.join(argv[:4])} ... ended with {code}; the end of {log}:\n{tail(log)}")


def tail(log: Path, lines: int = 40) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"
