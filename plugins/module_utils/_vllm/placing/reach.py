# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of an engine and of model files that are there already the user of an instance cannot reach, by their modes.

PRIVATE to the collection. Access control lists are not looked at, so that it is a warning and no more. Containers are
started by root.
"""

from __future__ import annotations

from . import resolved

_READ, _ENTER = 4, 1
_MOST = 500  # Files of a model that are looked at.


def beyond(host, instance):
    """A sentence for the program and one for the model, if its user cannot reach it."""
    if instance["engine"]["kind"] not in ("venv", "existing") or instance["user"] == "root":
        return []
    who = _who(host, instance["user"])
    found = []
    program = resolved.program(host, instance["engine"]) or ""
    # The interpreter of an environment may be somewhere else: in the home of whoever made it.
    for path in (program, program.rpartition("/")[0] + "/python"):
        if program and host.exists(path) and not found:
            found += _barrier(host, host.real(path), who, _ENTER, instance["user"], "start the engine")
    folder = instance["model_path"]
    if folder and not instance["source"] and host.exists(folder):
        found += _model(host, host.real(folder), who, instance["user"])
    return found


def _model(host, path, who, user):
    """The first that is in the way to a model's files."""
    if not host.is_folder(path):
        return _barrier(host, path, who, _READ, user, "read the model")
    found = _barrier(host, path, who, _READ | _ENTER, user, "read the model")
    for name in sorted(host.names(path))[:_MOST]:
        if found:
            break
        file = host.real("%s/%s" % (path, name))
        if host.exists(file) and not host.is_folder(file):
            found = _barrier(host, file, who, _READ, user, "read the model")
    return found


def _barrier(host, path, who, bits, user, purpose):
    """The first part of a path that does not let somebody through, as a list of one sentence or none."""
    parts = path.strip("/").split("/")
    folders = ["/" + "/".join(parts[:number]) for number in range(1, len(parts))]
    for here, wanted in [(folder, _ENTER) for folder in folders] + [(path, bits)]:
        try:
            mode, (uid, gid) = host.mode(here), host.owner(here)
        except OSError:
            return []
        shift = 6 if uid == who[0] else 3 if gid in who[1] else 0
        if (mode >> shift) & wanted != wanted:
            return ["user %s cannot %s: %s has mode %04o and is of user %d and group %d" % (
                user, purpose, here, mode, uid, gid)]
    return []


def _who(host, user):
    """(number, groups' numbers) of a user, as /etc has them: who is not there yet is nobody in particular."""
    uid, groups = None, set()
    for line in (host.text("/etc/passwd") or "").splitlines():
        words = line.split(":")
        if words[0] == user and len(words) > 3 and words[2].isdigit() and words[3].isdigit():
            uid, groups = int(words[2]), {int(words[3])}
    for line in (host.text("/etc/group") or "").splitlines():
        words = line.split(":")
        if len(words) > 3 and words[2].isdigit() and user in words[3].split(","):
            groups.add(int(words[2]))
    return uid, groups
