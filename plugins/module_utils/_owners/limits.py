# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource limits of services: what their processes have, what their next start gets, and who says so.

PRIVATE to the collection. Source: systemd.exec(5), proc_pid_limits(5). A pair is written SOFT:HARD.
"""

from __future__ import annotations

import re

from .._host import CommandNotRun
from . import systemd_conf, unit_environment, unit_files

# The row of /proc/PID/limits; the kernel's own name is RLIMIT_ and what follows "Limit".
NAMES = {"LimitNOFILE": "Max open files", "LimitMEMLOCK": "Max locked memory", "LimitSTACK": "Max stack size",
         "LimitNPROC": "Max processes", "LimitCORE": "Max core file size", "LimitAS": "Max address space"}


def canonical(host, unit):
    """The name of the unit that a name or an alias leads to, or None where it is not installed, or masked."""
    unit = unit if unit.endswith(".service") else unit + ".service"
    path = unit_file(host, unit)
    if path is None or host.real(path) == "/dev/null":
        return None
    name = host.real(path).rpartition("/")[2]
    return name if name.endswith(".service") and "@" not in unit else unit


def unit_file(host, unit):
    """The path of a service's unit file, or None."""
    return next((path for path in unit_files.files(host, unit) if not path.endswith(".conf")), None)


def main_process(host, unit):
    """The number of a service's main process, or None where it does not run."""
    shown = _shown(host, unit, "MainPID")
    if shown.get("MainPID", "").isdigit():
        return int(shown["MainPID"]) or None
    found = unit_environment.pids(host, unit)
    return found[0] if found else None


def of_process(host, pid, name):
    """The pair that a process has. Raises OSError where it is gone, or not for us to see."""
    text = host.read("/proc/%s/limits" % pid)
    found = re.search(r"^%s\s+(\S+)\s+(\S+)" % NAMES[name], text, re.M)
    return "%s:%s" % found.groups() if found else ""


def next_start(host, unit, name):
    """The pair that the next start of a service gets, "" where only systemd knows and does not answer."""
    shown = _shown(host, unit, name, name + "Soft")
    if shown.get(name) and shown.get(name + "Soft"):
        return "%s:%s" % (shown[name + "Soft"], shown[name])
    given = unit_files.assignments(host, unit, (name,)) or [
        item for item in defaults(host) if item["key"] == "Default" + name]
    return given[-1]["value"] if given else ""


def assignments(host):
    """What every unit file and drop-in sets, unit after unit, in the order in which systemd reads them."""
    return [item for unit in unit_files.that_set(host, NAMES) for item in unit_files.assignments(host, unit, NAMES)]


def defaults(host):
    """What system.conf and its drop-ins give to the services that say nothing themselves."""
    return [dict(item, unit="") for item in systemd_conf.assignments(
        host, "system.conf", ["Default" + name for name in NAMES])]


def _shown(host, unit, *names):
    """What systemd says of a unit; {} where it cannot be asked."""
    try:
        status, output, _errors = host.run(
            ["systemctl", "show", "--property=" + ",".join(names), unit], changes=False)
    except (CommandNotRun, OSError):
        return {}
    return dict(line.partition("=")[::2] for line in output.splitlines()) if status == 0 else {}
