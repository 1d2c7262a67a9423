# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind vllm_instance: a unit of role vllm_service, such as vllm@llama.service, and what systemd has of it.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. No role has rows of it: _vllm/change/plan.py
compares the files of an instance and _vllm/change/switch.py writes them. The journal keeps the state in which a unit
was found, and a rollback stops and disables ours before its files go: without them systemd could do neither.
"""

from __future__ import annotations

import errno
import re

from .._host import CommandNotRun
from .._owners import unit_environment, unit_files

KEYED_BY = "target"
VOLATILE = False
OWNER = None
LAST_BACK = True  # What was taken over is started again when all that it needs is as it was.
ABSENT = "absent"
# What we keep on the node beside the files: no original is in it.
FOLDER = "/var/lib/gpuwright/vllm"
_MADE_BY_SYSTEMD = ("/var/cache/vllm", "/var/lib/vllm/home")
_RUNS = ("active", "activating", "reloading", "deactivating")
_AT_BOOT = ("enabled", "enabled-runtime")
_PROPERTIES = ("LoadState", "UnitFileState", "ActiveState", "SubState", "Result", "MainPID", "InvocationID",
               "TimeoutStopUSec", "Job")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400}
_DAY = 86400
_STOP = 300
_ASKED = 180  # A reload took 40 s on a host of which all CPUs were busy.
_START = 90  # The process is started within it, its model is not loaded: see _vllm/verification/verify.py.


def show(host, unit):
    """What systemd has of a unit, {property: text}. Raises OSError where it does not say."""
    if not host.runs_commands:
        return _from_files(host, unit)
    try:
        status, output, errors = host.run(
            ["systemctl", "show", "--property=" + ",".join(_PROPERTIES), unit], changes=False)
    except CommandNotRun as error:
        raise OSError(errno.ENOSYS, str(error)) from error
    shown = dict(line.partition("=")[::2] for line in output.splitlines())
    if status or not shown.get("ActiveState"):
        if not host.exists("/run/systemd/system"):
            raise OSError(errno.ENOSYS, "systemd does not run this node (no /run/systemd/system), and an instance is "
                          "one of its units")
        raise OSError(errno.EIO, "systemctl show %s: %s" % (unit, errors.strip() or "no answer"))
    return shown


def _from_files(host, unit):
    """The same of a capture or an image: by the unit's files, the links that start it and the processes it has."""
    found = [path for path in unit_files.files(host, unit) if path.endswith(".service")]
    wanted = any(host.link("%s/%s/%s" % (folder, name, unit)) for folder in unit_files.FOLDERS
                 for name in host.names(folder) if name.endswith((".wants", ".requires")))
    pids = unit_environment.pids(host, unit)
    return {"LoadState": "loaded" if found else "not-found", "UnitFileState": "enabled" if wanted else "disabled",
            "ActiveState": "active" if pids else "inactive", "MainPID": str(pids[0] if pids else 0)}


def runs(shown):
    """Whether a unit has, or is about to have, processes."""
    return shown["ActiveState"] in _RUNS


def at_boot(shown):
    """Whether the next boot starts a unit; the generator of a Quadlet sees to that by itself."""
    return shown.get("UnitFileState") in _AT_BOOT + ("generated",)


def state(shown):
    """Both in words that `write` understands."""
    if shown.get("LoadState") == "not-found" and not runs(shown):
        return ABSENT
    return "%s %s" % (shown.get("UnitFileState") or "disabled", "active" if runs(shown) else "inactive")


def systemctl(host, *words, seconds=_ASKED):
    """Raises OSError with what systemctl says."""
    try:
        status, _output, errors = host.run(["systemctl"] + list(words), seconds=seconds)
    except CommandNotRun as error:
        raise OSError(errno.ENOSYS, str(error)) from error
    if status:
        said = (errors.strip().splitlines() or ["exit status %d" % status])[0]
        raise OSError(errno.EIO, "systemctl %s: %s" % (" ".join(words), said))


def stop(host, unit):
    """Stop a unit and wait until it has no process; its start limit and its failures are forgotten."""
    shown = show(host, unit)
    if runs(shown):
        systemctl(host, "stop", unit, seconds=_stop_seconds(shown.get("TimeoutStopUSec", "")))
        shown = show(host, unit)
        if runs(shown):
            raise OSError(errno.EBUSY, "%s is %s after systemctl stop" % (unit, shown["ActiveState"]))
    if shown["ActiveState"] == "failed":
        systemctl(host, "reset-failed", unit)


def _stop_seconds(text):
    """systemd ends a unit by itself: once with SIGTERM, then with SIGKILL, each within its TimeoutStopSec."""
    if text == "infinity":
        return _DAY
    parts = re.findall(r"([\d.]+)(us|ms|s|min|h|d)\b", text)
    return int(2 * sum(float(number) * _SECONDS[unit] for number, unit in parts)) + 30 if parts else _STOP


def start(host, unit):
    """Start a unit, whatever its start limit says; a start that takes longer goes on by itself."""
    if show(host, unit)["ActiveState"] == "failed":
        systemctl(host, "reset-failed", unit)
    try:
        systemctl(host, "start", unit, seconds=_START)
    except OSError as error:
        shown = show(host, unit)
        waits = shown["ActiveState"] == "activating" or shown.get("Job", "0") not in ("", "0")
        if error.errno != errno.ENOSYS or not waits:
            raise


def set_at_boot(host, unit, wanted):
    """Have the next boot start a unit, or not; `wanted` is a bool, or UnitFileState as it was found.

    What no link starts, such as a generated unit, is left to whoever starts it.
    """
    now = show(host, unit).get("UnitFileState")
    if now in ("generated", "static"):
        return
    if wanted is True or wanted in _AT_BOOT:
        if now != "enabled" and wanted != "enabled-runtime":
            systemctl(host, "enable", unit)
        elif wanted == "enabled-runtime" and now != wanted:
            systemctl(host, "enable", "--runtime", unit)
    elif now in _AT_BOOT:
        systemctl(host, *["disable"] + (["--runtime"] if now == "enabled-runtime" else []) + [unit])


def folders(host, unit):
    """The folders that systemd will make for a unit, its cache and its home; one that is there already is not ours."""
    name = unit.partition("@")[2].rpartition(".")[0]
    return [path for path in ("%s/%s" % (folder, name) for folder in _MADE_BY_SYSTEMD) if not host.exists(path)]


def clean(host, entry):
    """Remove what the engine has written into the folders that were made for it, by the unit's entry in the journal."""
    for folder in entry.get("folders", ()):
        _clear(host, folder)


def leave(host, steps, journal):
    """Stop and disable units while their files are still there; what goes wrong marks its step."""
    for step in steps:
        try:
            if show(host, step["target"]).get("LoadState") == "not-found" and not step["running"]:
                continue
            stop(host, step["target"])
            set_at_boot(host, step["target"], False)
            clean(host, journal["entries"][step["_restore"]])
        except OSError as error:
            step["error"] = error.strerror


def commit(host, steps, changed):
    """Have systemd read what is there by now."""
    status, _output, errors = host.run(["systemctl", "daemon-reload"], seconds=_ASKED)
    if status:
        raise CommandNotRun("systemctl daemon-reload: %s" % (errors.strip() or "exit status %d" % status))


def forget(host):
    """Remove what we keep on the node of instances, once the journal has none, and systemd's empty folders for them."""
    _clear(host, FOLDER)
    for folder in _MADE_BY_SYSTEMD:
        host.remove_folder(folder)


def _clear(host, folder):
    for name in host.names(folder):
        path = "%s/%s" % (folder, name)
        if host.is_folder(path) and host.link(path) is None:
            _clear(host, path)
        else:
            host.remove_file(path)
    host.remove_folder(folder)


def read(host, target, path):
    """What is in force: "absent", or UnitFileState and whether it runs."""
    return state(show(host, target))


def _idle(text):
    return text == ABSENT or (text.endswith(" inactive") and text.split()[0] not in _AT_BOOT)


def satisfied(running, desired):
    """Equal; a unit that nothing starts is as good as none."""
    return running == desired or (_idle(running) and _idle(desired)) or (
        running.partition(" ")[2] == desired.partition(" ")[2] and {running.split()[0], desired.split()[0]} <= {
            "static", "generated"})


def write(host, target, path, text):
    """Give back a state that was found."""
    if _idle(text):
        stop(host, target)
        set_at_boot(host, target, False)
        return
    at_the_boot, now = text.split()
    set_at_boot(host, target, at_the_boot)
    if now == "active" and not runs(show(host, target)):
        start(host, target)
    elif now == "inactive":
        stop(host, target)


def files(role):
    """The journal names the files of an instance: a pattern of theirs would take in somebody else's."""
    return []


def file(role, target, taken=False):
    """See `files`."""
    return None


def places(host, row, options):
    """No row has it."""
    return []


def persisted(host, row, target):
    """What the next boot brings: {configured, file}."""
    found = [path for path in unit_files.files(host, target) if path.endswith(".service")]
    return {"configured": None, "file": found[0] if found else None}


def identity(row, target, path):
    """What names the original in the journal."""
    return "vllm_instance:" + target


def in_force(host, row, target, path):
    """(path, text) to write to get today's state back."""
    return path, read(host, target, path)


def others(host):
    """There are no files in which a line would win."""
    return []


def rival(settled, row, target, path, ours, value):
    """See `others`."""
    return None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
