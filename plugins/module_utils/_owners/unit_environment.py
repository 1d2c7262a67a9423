# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a systemd service: what its unit files give it, in systemd's order, and what its processes have.

PRIVATE to the collection. Source: systemd.exec(5). Variables of EnvironmentFile= win over those of Environment=, later
files over earlier ones; an empty assignment drops the earlier ones; UnsetEnvironment= comes last.
"""

from __future__ import annotations

import re
import shlex

from . import unit_files

CGROUPS = ("/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/systemd/system.slice")
_KEYS = ("Environment", "EnvironmentFile", "UnsetEnvironment")


def is_installed(host, unit):
    """Whether there is such a unit, and not one that a link to /dev/null hides."""
    found = [path for path in unit_files.files(host, unit) if path.endswith("/" + unit)]
    return bool(found) and host.real(found[0]) != "/dev/null"


def pids(host, unit):
    """The processes of a service, lowest first; none where it does not run."""
    for folder in CGROUPS:
        text = _text(host, "%s/%s/cgroup.procs" % (folder, unit))
        if text:
            return sorted(int(word) for word in text.split())
    return []


def of_process(host, pid):
    """The environment that a process was started with. Raises OSError where it may not be seen."""
    text = host.read("/proc/%d/environ" % pid)
    return dict(pair.partition("=")[::2] for pair in text.split("\0") if "=" in pair)


def running(host, unit):
    """The environment of a service: that of its first process, or without one that of its next start."""
    found = pids(host, unit)
    return of_process(host, found[0]) if found else next_start(host, unit)


def next_start(host, unit):
    """{name: value} that the unit's files give the service."""
    values = {}
    for item in settings(host, unit):
        if item["value"] is None:
            values.pop(item["key"], None)
        else:
            values[item["key"]] = item["value"]
    return values


def settings(host, unit):
    """[{"unit", "key", "value", "from", "file", "line", "name"}] in the order in which each beats those before it.

    "from" is the assignment in the unit file or drop-in of the name "name" that says or reads it, "file" and "line"
    are where the variable itself stands; "value" is None where it is unset.
    """
    kept = {key: [] for key in _KEYS}
    for item in unit_files.assignments(host, unit, _KEYS):
        if item["value"]:
            kept[item["key"]].append(dict(item, **{"from": item["key"]}))
        else:
            kept[item["key"]] = []
    found = [dict(item, key=key, value=value) for item in kept["Environment"] for key, value in _pairs(item["value"])]
    for item in kept["EnvironmentFile"]:
        found += _of_file(host, item)
    found += [dict(item, key=word.partition("=")[0], value=None) for item in kept["UnsetEnvironment"]
              for word in _words(item["value"])]
    return found


def drops_files(host, unit):
    """The drop-ins that drop the environment files named before them."""
    return [item for item in unit_files.assignments(host, unit, ("EnvironmentFile",)) if not item["value"]]


def _of_file(host, item):
    """What an environment file sets; a pattern or one that is not there sets nothing that we could tell."""
    path = item["value"].lstrip("-")
    lines = re.sub(r"\\\n", "", _text(host, path) or "").splitlines()
    return [dict(item, key=match.group(1), value=_unquoted(match.group(2)), file=path, line=number)
            for number, match in ((number, re.match(r"\s*(\w+)\s*=(.*)", line)) for number, line in enumerate(lines, 1))
            if match]


def _unquoted(text):
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _pairs(text):
    return [word.partition("=")[::2] for word in _words(text) if "=" in word]


def _words(text):
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _text(host, path):
    try:
        return host.read(path)
    except OSError:
        return None
