# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps on the controller how far each node came, so that a second run takes up where the first one ended.

PRIVATE to the collection. `<report folder>/reboot/<host>.json` outlives the runs; a node is `open` from its drain until
it is back in service. `<report folder>/reboot/.asked/<host>.json` is what a node answered in this run.
"""

from __future__ import annotations

import hashlib
import json
import os
import urllib.parse

SCHEMA = 1
_LONGEST_NAME = 150


class DamagedState(Exception):
    """The file of a node is not as we write it; the text names it."""


def load(place, host):
    """What is kept of a host, `{}` where nothing is. Raises DamagedState: what it held must not be guessed."""
    path = _path(place, host)
    try:
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DamagedState("%s cannot be read (%s): see whether %s is in service, then remove the file"
                           % (path, error, host)) from error
    if not isinstance(state, dict) or state.get("schema") != SCHEMA:
        raise DamagedState("%s was written by another version of gpuwright.node" % path)
    return state


def update(place, host, **changed):
    """Change some of what is kept of a host; returns all of it."""
    state = dict(load(place, host), schema=SCHEMA, host=host, **changed)
    _write(_path(place, host), state)
    return state


def keep_answer(place, host, run, data):
    """Keep what a node answered in this run."""
    _write(_path(os.path.join(place, "reboot", ".asked"), host, ""), {"run": run, "data": data})


def answer(place, host, run):
    """What a node answered in this run, or None."""
    try:
        with open(_path(os.path.join(place, "reboot", ".asked"), host, ""), encoding="utf-8") as file:
            kept = json.load(file)
    except (OSError, ValueError):
        return None
    return kept["data"] if kept.get("run") == run else None


def write_plan(place, plan):
    """Write report/reboot.json."""
    _write(os.path.join(place, "reboot.json"), plan)


def read_plan(place, run):
    """The plan that this run made. Raises DamagedState where it made none: an older one must not be carried out."""
    path = os.path.join(place, "reboot.json")
    try:
        with open(path, encoding="utf-8") as file:
            plan = json.load(file)
    except (OSError, ValueError) as error:
        raise DamagedState("%s cannot be read: %s" % (path, error)) from error
    if plan["run"] != run:
        raise DamagedState("%s is not of this run: play gpuwright.node.reboot from its beginning" % path)
    return plan


def _path(place, host, folder="reboot"):
    quoted = urllib.parse.quote(host, safe="")
    if quoted.startswith("."):
        quoted = "%2E" + quoted[1:]
    if len(quoted) > _LONGEST_NAME:
        quoted = "%s~%s" % (quoted[:60], hashlib.sha256(host.encode()).hexdigest())
    return os.path.join(place, folder, quoted + ".json")


def _write(path, content):
    """Put a whole file in place at once, so that a kill leaves the old one or the new one."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = "%s.new-%d" % (path, os.getpid())
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, default=str)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
