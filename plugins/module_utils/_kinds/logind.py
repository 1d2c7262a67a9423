# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind logind: a setting of logind.conf(5), kept in a drop-in and taken up by the logind that runs.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. logind is told to read its files again
(SIGHUP) and never restarted: on some versions a restart takes the sessions with it.
"""

from __future__ import annotations

import re

from .._host import CommandNotRun
from .._owners import systemd_conf, unit_environment, unit_files

FOLDER = "/etc/systemd/logind.conf.d"
KEYED_BY = "target"
VOLATILE = False
OWNER = None
ABSENT = "systemd-logind is not installed here"
_UNIT = "systemd-logind.service"
# What logind does where no file says anything: logind.conf(5).
_BUILT_IN = {"RemoveIPC": "yes", "KillUserProcesses": "no", "UserTasksMax": "33%"}
_TAKEN_UP_SECONDS = 5
_BUS = ["busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1",
        "org.freedesktop.login1.Manager"]


def files(role):
    """Our drop-in for a role."""
    return [file(role, "")]


def file(role, target, taken=False):
    """Our drop-in for a setting."""
    return "%s/90-gpuwright-%s.conf" % (FOLDER, role)


def places(host, row, options):
    """[(target, path, fields)]; empty without logind."""
    paths = [path for path in unit_files.files(host, _UNIT) if path.endswith("/" + _UNIT)]
    here = paths and host.real(paths[0]) != "/dev/null"
    return [(row.name, "/etc/systemd/logind.conf", {})] if here else []


def read(host, target, path):
    """What the logind that runs has, or without one what the files give it."""
    try:
        status, output, _errors = host.run(_BUS + [target], changes=False)
    except (CommandNotRun, OSError):
        status, output = 1, ""
    found = re.match(r'(?:b (true|false)|[a-z]+ "?([^"\n]*))', output) if status == 0 else None
    if found:
        return {"true": "yes", "false": "no"}.get(found.group(1)) or found.group(2)
    return _in_files(host, target)


def _in_files(host, target):
    given = systemd_conf.assignments(host, "logind.conf", (target,))
    return _in_a_word(given[-1]["value"] if given else "") or _BUILT_IN.get(target, "")


def _in_a_word(value):
    """A bool in the one form that is written here."""
    return {"1": "yes", "true": "yes", "on": "yes", "0": "no", "false": "no", "off": "no"}.get(value.lower(), value)


def write(host, target, path, text):
    """Wait until logind, which `commit` told, has read its files: it does so in its own time."""
    for _tenth in range(_TAKEN_UP_SECONDS * 10 if host.live else 0):
        if read(host, target, path) == text:
            return
        host.wait(0.1)


def compose(head, entries):
    """The text of our drop-in."""
    return head + "[Login]\n" + "".join(sorted("%s=%s\n" % (target, value) for target, _path, value in entries))


def parse(text):
    """The values in our drop-in, by target."""
    return dict(re.findall(r"^(\w+)=(.+)$", text, re.M))


def identity(row, target, path):
    """What names the original in the journal."""
    return "logind:" + target


def in_force(host, row, target, path):
    """(path, text) to get today's state back: our drop-in goes, and logind reads the others."""
    return path, read(host, target, path)


def others(host):
    """What all files set, in systemd's order, in the words of this kind."""
    return [dict(item, value=_in_a_word(item["value"]))
            for item in systemd_conf.assignments(host, "logind.conf", _BUILT_IN)]


def rival(settled, row, target, path, ours, value):
    """The assignment that systemd reads after ours, or None."""
    later = [item for item in settled if item["key"] == target and item["file"] != ours
             and item["name"] > ours.rpartition("/")[2]]
    return later[-1] if later else None


def given_by_others(host, target, ours):
    """Where the logind that runs has not taken up what the files give it by now: that it will, or None."""
    return "logind has it from its next start on: the files give %s" % _in_files(host, target)


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None


def commit(host, steps, changed):
    """Have the logind that runs read its files again."""
    status, _output, errors = host.run(["systemctl", "kill", "--signal=HUP", _UNIT], seconds=60)
    if status and unit_environment.pids(host, _UNIT):
        raise CommandNotRun("systemctl kill --signal=HUP %s: %s" % (_UNIT, errors.strip() or "exit status %d" % status))
