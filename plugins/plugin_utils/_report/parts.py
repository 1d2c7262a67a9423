# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what each host answered, in small files on the controller, until the report of the same run is built.

PRIVATE to the collection. Action plugins run in forked workers, so files are what they can share without a callback:
`<report folder>/.parts/<run>/<host>/<part>.json`. A run is one ansible-playbook process; parts of two runs never mix.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import urllib.parse

from ansible.utils.display import Display

_LONGEST_NAME = 150
_HOSTS = "hosts.json"


def folder(task_vars, templar=None):
    """The report folder: `gpuwright_report_dir`, or `report` where ansible-playbook was started."""
    value = task_vars.get("gpuwright_report_dir") or "report"
    if templar is not None:
        value = templar.template(value)
    return os.path.abspath(os.path.expanduser(str(value)))


def keep(host, name, data, report_folder, run=None):
    """Keep one host's answer `data` of one role or of the topology. A folder that cannot be written is a warning."""
    place = os.path.join(_run_folder(report_folder, run), _file_name(host))
    try:
        os.makedirs(place, exist_ok=True)
        _write(os.path.join(place, _file_name(name) + ".json"), {"host": host, "part": name, "data": data})
    except OSError as error:
        warn(report_folder, error)


def warn(report_folder, error):
    """Say once that the report folder cannot be used, and what to do about it."""
    Display().warning("The report will be incomplete: %s: %s. Set gpuwright_report_dir to a folder that you may write."
                      % (error.filename or report_folder, error.strerror or error))


def expect(hosts, report_folder, run=None):
    """Remember hosts that this run is to visit, so that one that never answers is reported too."""
    place = _run_folder(report_folder, run)
    os.makedirs(place, exist_ok=True)
    _write(os.path.join(place, _HOSTS), list(dict.fromkeys(expected(report_folder, run) + list(hosts))))


def expected(report_folder, run=None):
    """The hosts that were expected so far, in the order of the inventory."""
    return _read(os.path.join(_run_folder(report_folder, run), _HOSTS)) or []


def of_host(host, report_folder, run=None):
    """What one host answered: `{part: data}` in the order in which it did, empty if it never did."""
    place = os.path.join(_run_folder(report_folder, run), _file_name(host))
    found = {}
    for name in sorted(_names(place), key=lambda name: (os.stat(os.path.join(place, name)).st_mtime_ns, name)):
        part = _read(os.path.join(place, name)) if name.endswith(".json") else None
        if part:
            found[part["part"]] = part["data"]
    return found


def one(host, name, report_folder, run=None):
    """What one host answered for one part, or None."""
    part = _read(os.path.join(_run_folder(report_folder, run), _file_name(host), _file_name(name) + ".json"))
    return part["data"] if part else None


def prune(report_folder, run=None):
    """Remove the parts of runs that are over. Another run that is still going keeps its own."""
    parts = os.path.join(report_folder, ".parts")
    mine = run or current_run()
    for name in _names(parts):
        if name != mine and not _is_going(name):
            shutil.rmtree(os.path.join(parts, name), ignore_errors=True)


def current_run():
    """A name for this run: the process id and the start of ansible-playbook, the parent of every worker."""
    return _run_of(os.getppid())


def _run_of(pid):
    return "%d-%s" % (pid, _started(pid))


def _is_going(run):
    pid = run.partition("-")[0]
    return pid.isdigit() and _run_of(int(pid)) == run


def _started(pid):
    """When a process began, in a form that no other process with the same id shares; empty if there is none."""
    with contextlib.suppress(OSError):
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as file:
            ticks = file.read().rpartition(")")[2].split()[19]
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return "%s-%s" % (ticks, file.read(8))
    with contextlib.suppress(OSError):  # A controller without /proc, such as macOS.
        answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, timeout=10, check=False)
        return hashlib.sha256(answer.stdout).hexdigest()[:16] if answer.stdout.strip() else ""
    return ""


def _run_folder(report_folder, run):
    return os.path.join(report_folder, ".parts", run or current_run())


def _file_name(name):
    """`name` as one path component that cannot leave its folder, and cannot be mistaken for another's."""
    quoted = urllib.parse.quote(name, safe="")
    if quoted.startswith("."):
        quoted = "%2E" + quoted[1:]
    if len(quoted) > _LONGEST_NAME:
        quoted = "%s~%s" % (quoted[:60], hashlib.sha256(name.encode()).hexdigest())
    return quoted


def _names(place):
    try:
        return sorted(os.listdir(place))
    except OSError:
        return []


def _read(path):
    """The content of a part, or None if it is not there or was cut off by a kill."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def _write(path, content):
    """Put a whole file in place at once, so that a reader never sees half of it."""
    temporary = "%s.new-%d" % (path, os.getpid())
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(content, file, default=str)
    os.replace(temporary, path)
