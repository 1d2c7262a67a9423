# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of ours that persist settings: which there are, and the text that each of them shall have.

PRIVATE to the collection.
"""

from __future__ import annotations

import fnmatch

from . import _desired, _journal
from ._input import KINDS


def our_files(host, role):
    """The text of each of our files for a role, None for one that is not there."""
    paths = [path for kind in KINDS.values() for one in kind.files(role) for path in _matching(host, one)]
    paths.append(_desired.path(role))
    return {path: _file_text(host, path) for path in paths}


def _matching(host, pattern):
    """The path itself; of one with a * in it, for as many files as there are devices, those that are there."""
    if "*" not in pattern:
        return [pattern]
    found = [""]
    for part in pattern.strip("/").split("/"):
        names = {folder: fnmatch.filter(host.names(folder), part) if "*" in part else [part] for folder in found}
        found = ["%s/%s" % (folder, name) for folder in found for name in names[folder]]
    return [path for path in found if host.exists(path)]


def owns(kind, role, path):
    """Whether a path is that of a file of ours of this kind."""
    return path is not None and any(fnmatch.fnmatchcase(path, pattern) for pattern in kind.files(role))


def _file_text(host, path):
    try:
        return host.read_bytes(path).decode("utf-8", "replace")
    except OSError:
        return None


def notice_edits(plan):
    """A file of ours that somebody else changed makes its settings drift, though each of its lines may be right.

    What was asked for changes with every request: there each value counts, which _desired.mark has compared.
    """
    for path, text in plan.wanted_files.items():
        if path == _desired.path(plan.role) and plan.files[path] is not None:
            continue
        if text != plan.files[path] and not any(step["file"] == path for step in plan.changing):
            for step in plan.steps:
                if step["file"] == path and step["status"] == "ok":
                    step.update(status="drift", reason="%s is not as we wrote it" % path)


def wanted_files(plan):
    """The text that each of our files shall have, None for none: what conflicts or is refused keeps the line it has."""
    head = (_journal.HEAD + "role %s. Changes made here are overwritten: set the role's variables,\n"
            "# or give everything back with the playbook gpuwright.node.rollback.\n" % plan.role)
    texts = {}
    for name, kind in KINDS.items():
        entries = {path: [] for path in plan.files if owns(kind, plan.role, path)}
        for step in plan.steps:
            keep = step["_line"] if step["status"] in ("ok", "drift", "pending_reboot") else step["configured"]
            if step["kind"] == name and step["status"] != "not_applicable" and keep is not None:
                if owns(kind, plan.role, step["file"]):
                    named = kind.key(step) if hasattr(kind, "key") else step["target"]
                    entries.setdefault(step["file"], []).append((named, step["_path"], keep))
        made = {path: _composed(plan, kind, head, path, sorted(lines)) for path, lines in entries.items()}
        if hasattr(kind, "companions"):
            made.update(kind.companions(plan.role, made))
        texts.update(made)
    return texts


def _composed(plan, kind, head, path, lines):
    """The text of one file, or None. What somebody else wrote in its place stays while nothing of ours goes there."""
    if not lines:
        now = plan.files[path]
        return now if hasattr(kind, "is_foreign") and kind.is_foreign(now) else None
    if hasattr(kind, "remark"):
        return kind.compose(head, lines, {name: kind.remark(plan.options, name, value) for name, _path, value in lines})
    return kind.compose(head, lines)
