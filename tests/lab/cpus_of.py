# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: on which CPUs the running threads of a unit are seen, and which ones its control group allows.

cpus_of.py UNIT SAMPLES [CPUS]: ends early once threads were seen on so many CPUs in one sample.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import time

# Fields of /proc/PID/stat after the command's name: the third and the thirty-ninth of all.
STATE, PROCESSOR = 0, 36


def group(unit: str) -> pathlib.Path:
    """The unit's control group."""
    argv = ["systemctl", "show", "--value", "-p", "ControlGroup", unit]
    told = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    return pathlib.Path("/sys/fs/cgroup" + told)


def sample(tasks: list[str]) -> set[int]:
    """Where those threads are that run or wait for their turn; one that sleeps is nowhere."""
    found = set()
    for task in tasks:
        try:
            fields = pathlib.Path(f"/proc/{task}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[STATE] == "R":
            found.add(int(fields[PROCESSOR]))
    return found


def main() -> None:
    """Sample, and tell."""
    unit, samples = sys.argv[1], int(sys.argv[2])
    enough = int(sys.argv[3]) if len(sys.argv) > 3 else 1 << 20
    place = group(unit)
    seen: set[int] = set()
    at_once = 0
    for _number in range(samples):
        now = sample((place / "cgroup.threads").read_text().split())
        seen |= now
        at_once = max(at_once, len(now))
        if at_once >= enough:
            break
        time.sleep(0.02)
    sets = [path / "cpuset.cpus.effective" for path in (place, *place.parents)]
    effective = next(path.read_text().strip() for path in sets if path.exists())
    json.dump({"seen": sorted(seen), "at_once": at_once, "effective": effective}, sys.stdout)


if __name__ == "__main__":
    main()
