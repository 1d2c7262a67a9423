# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in of Nsight Systems' nsys: the documented options of `profile` and `stats` that we use, and no recording.

`profile` starts the program, and once delay and duration are over it writes a report; with --kill=none the program
goes on. `stats` says a table of it. An option that is not documented is refused as the real one does.
"""

from __future__ import annotations

import sys

REPORT = b"stand-in of a report\n" * 1000
TABLE = "** CUDA GPU Kernel Summary (cuda_gpu_kern_sum):\n"
_PROGRAM = r"""#!%(python)s -S
import os, subprocess, sys, time
words = sys.argv[1:]
if words[0] == "stats":
    assert words[1] == "--force-export=true" and os.path.exists(words[2])
    open(words[2].replace(".nsys-rep", ".sqlite"), "w").close()
    sys.stdout.write(%(table)r)
    sys.exit(0)
known = {"--trace-fork-before-exec": ("true", "false"), "--cuda-graph-trace": ("graph", "node"), "--delay": None,
         "--duration": None, "--kill": ("none", "sigkill", "sigterm")}
said, rest = {}, words[1:]
while rest[0].startswith("-"):
    if rest[0] == "-o":
        said["-o"], rest = rest[1], rest[2:]
        continue
    name, _sign, value = rest[0].partition("=")
    if name not in known or (known[name] and value not in known[name]):
        sys.exit("unrecognised option '%%s'" %% rest[0])
    said[name], rest = value, rest[1:]
program = subprocess.Popen(rest)
time.sleep(int(said["--delay"]) + int(said["--duration"]))
if said.get("--kill", "sigterm") != "none":
    program.terminate()
with open(said["-o"] + ".nsys-rep", "wb") as report:
    report.write(%(report)r)
program.wait()
"""


def install(folder):
    """Write the program into a folder; returns its path."""
    program = folder / "nsys"
    program.write_text(_PROGRAM % {"python": sys.executable, "report": REPORT, "table": TABLE})
    program.chmod(0o755)
    return program
