# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind unit_state: whether a unit is started at boot and runs now.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. systemctl keeps what is enabled in links of its
own, so there is no file of ours, and rollback gives back both words that were found: FILE-STATE RUN-STATE.
"""

from __future__ import annotations

import errno

from .._host import CommandNotRun
from .._owners import limits, unit_environment, unit_files

KEYED_BY = "target"
VOLATILE = False
OWNER = None
ABSENT = "there is no such unit here, or it is masked"
ENABLED, DISABLED = "enabled", "disabled"
_KEPT = "in systemd's own links"
_ON = ("active", "activating", "reloading")
# What has no links of its own: another unit, a udev rule or a generator starts it.
_STARTED_BY_OTHERS = ("static", "generated", "alias", "transient")
_OFF = (DISABLED, "indirect", "linked")
_SECONDS = 90  # A daemon of a driver may first have to bring up its devices.


def files(role):
    """There is no file for it."""
    return []


def file(role, target, taken=False):
    """There is no file for it."""
    return None


def places(host, row, options):
    """[(target, path, fields)]; empty where the unit is not installed, or masked, which is somebody's clear word."""
    path = limits.unit_file(host, row.name)
    return [(row.name, path, {})] if path and host.real(path) != "/dev/null" else []


def read(host, target, path):
    """"enabled" or "disabled" where file and process agree, else both states in systemd's words."""
    if not host.exists(path):
        raise FileNotFoundError(errno.ENOENT, "the unit is no longer installed", path)
    at_boot, now = _states(host, target)
    return _in_a_word(at_boot, now)


def _in_a_word(at_boot, now):
    if now in _ON and at_boot in (ENABLED,) + _STARTED_BY_OTHERS:
        return ENABLED
    if now == "inactive" and at_boot in _OFF + _STARTED_BY_OTHERS:
        return DISABLED
    return "%s %s" % (at_boot, now)


def _states(host, target):
    """(UnitFileState, ActiveState) as systemd has them. Raises OSError where it does not say."""
    if not host.runs_commands:
        return _from_files(host, target)
    try:
        status, output, errors = host.run(
            ["systemctl", "show", "--property=UnitFileState,ActiveState", target], changes=False)
    except CommandNotRun as error:
        raise OSError(errno.ENOSYS, str(error)) from error
    shown = dict(line.partition("=")[::2] for line in output.splitlines())
    if status or not shown.get("ActiveState"):
        raise OSError(errno.EIO, "systemctl show %s: %s" % (target, errors.strip() or "no answer"))
    return shown.get("UnitFileState") or "static", shown["ActiveState"]


def _from_files(host, target):
    """The same of a capture or an image: by the links that start it, and the processes that it has."""
    wanted = any(host.exists("%s/%s/%s" % (folder, name, target)) for folder in unit_files.FOLDERS
                 for name in host.names(folder) if name.endswith((".wants", ".requires")))
    installable = "[Install]" in (host.text(limits.unit_file(host, target)) or "")
    at_boot = ENABLED if wanted else DISABLED if installable else "static"
    return at_boot, "active" if unit_environment.pids(host, target) else "inactive"


def satisfied(running, desired):
    """Equal; an original, of two words, is as good where both come to the same."""
    return running == desired or (" " in desired and _in_a_word(*desired.split()) == running)


def write(host, target, path, text):
    """Enable and start it, disable and stop it, or give back each of the two states that were found."""
    at_boot, now = _states(host, target)
    wanted = text.split() if " " in text else [text, "active" if text == ENABLED else "inactive"]
    if at_boot not in (wanted[0],) + _STARTED_BY_OTHERS:
        _to_state(host, target, path, at_boot, wanted[0])
    if (wanted[1] in _ON) != (now in _ON):
        _systemctl(host, "start" if wanted[1] in _ON else "stop", target)
    elif now == "failed":
        _systemctl(host, "reset-failed", target)


def _to_state(host, target, path, at_boot, wanted):
    """Bring the unit file into a state. Links of this boot only, under /run, are made and removed by themselves."""
    place = host.real(path)
    if wanted == ENABLED:
        _systemctl(host, "enable", target)
        return
    if at_boot == ENABLED:
        _systemctl(host, "disable", target)
    if wanted in _OFF and _states(host, target)[0] == ENABLED + "-runtime":
        _systemctl(host, "disable", "--runtime", target)
    if wanted == "linked":
        _systemctl(host, "link", place)
    elif wanted == ENABLED + "-runtime" and _states(host, target)[0] != wanted:
        _systemctl(host, "enable", "--runtime", target)


def _systemctl(host, *words):
    """Raises OSError with what systemctl says, and for a start with what the unit ended with."""
    try:
        status, _output, errors = host.run(["systemctl"] + list(words), seconds=_SECONDS)
    except CommandNotRun as error:
        raise OSError(errno.ENOSYS, str(error)) from error
    if status:
        said = (errors.strip().splitlines() or ["exit status %d" % status])[0]
        raise OSError(errno.EIO, "systemctl %s: %s" % (" ".join(words), said))


def persisted(host, row, target):
    """What systemd's links say of the next boot: {configured, file}."""
    if row is None:
        return {"configured": None, "file": None}
    try:
        at_boot, now = _states(host, target)
    except OSError:
        return {"configured": None, "file": _KEPT}
    if at_boot in _OFF:
        at_boot = DISABLED
    return {"configured": _in_a_word(at_boot, now) if at_boot in _STARTED_BY_OTHERS else at_boot, "file": _KEPT}


def identity(row, target, path):
    """What names the original in the journal."""
    return "unit_state:" + target


def in_force(host, row, target, path):
    """(path, text) to write to get today's state back, both halves of it; nobody wants a failure back."""
    at_boot, now = _states(host, target)
    return path, "%s %s" % (at_boot, "active" if now in _ON else "inactive")


def others(host):
    """There are no files in which a line would win."""
    return []


def rival(settled, row, target, path, ours, value):
    """See `others`."""
    return None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
