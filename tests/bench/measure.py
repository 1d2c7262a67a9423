# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the benches measure and what they print: medians of interleaved runs, and a ratio in one process."""

from __future__ import annotations

import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / ".cache" / "collections"), str(CHECKOUT)]


def interleaved(first, second, rounds):
    """The medians of two measurements, taken in turns so that a noisy neighbour hits both."""
    taken = [(first(), second()) for _round in range(rounds)]
    return statistics.median(one for one, _two in taken), statistics.median(two for _one, two in taken)


def wall(work):
    """The seconds that a function takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def processor(argv, **environment):
    """The processor seconds, user and system, of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command(argv, **environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def command(argv, **environment):
    """Run a command; if it fails, show what it said and end."""
    done = subprocess.run([str(word) for word in argv], env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit("%s failed:\n%s%s" % (argv[0], done.stdout[-4000:], done.stderr[-4000:]))
    return done.stdout


def report(what, ours, theirs, aim):
    """One bench, three lines."""
    sys.stdout.write("%s\n  %-58s %9.3f s\n  %-58s %9.3f s\n  %s\n" % (what, *ours, *theirs, aim))
    sys.stdout.flush()
