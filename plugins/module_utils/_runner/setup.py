# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the command gpuwright on a node, with an audit on a timer where metrics are wanted, and removes it again.

PRIVATE to the collection. Used by module `runner`. What roles need to have put back at boot is theirs: they install
and remove it by themselves, and a removed command leaves it where they do.
"""

from __future__ import annotations

import re

from .. import _journal
from .._apply import RUNNER, forget_unused, locked, remember_file, remove_runner, runner_needed_by, runner_paths
from .._host import CommandNotRun
from . import install, metrics

_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_SHORTEST, _LONGEST = 60, 7 * 86400


class BadWish(Exception):
    """What was asked for cannot be; the text says why and what is legal."""


class Setup:
    """What is to be written, and given back; `kept_for` names the roles that go on needing the rest."""

    def __init__(self, host, journal):
        self.host = host
        self.journal = journal
        self.write = []
        self.give_back = []
        self.kept_for = []
        self.leftover = False
        self.errors = []

    @property
    def due(self):
        """Whether anything is to be done; a kill may have left nothing but the journal's folder behind."""
        return bool(self.write or self.give_back) or self.leftover

    def result(self):
        """The result of module `runner`, alike in check mode and afterwards."""
        written = [path for path, _content, _mode in self.write]
        return {"changed": self.due, "files": written, "given_back": self.give_back, "kept_for": self.kept_for,
                "diff": self.diff()}

    def diff(self):
        """One before and after text, a line for each file."""
        before = ["# %s: as it is\n" % path for path, _content, _mode in self.write]
        after = ["# %s: %d bytes\n" % (path, len(content)) for path, content, _mode in self.write]
        before += ["# %s: written by us\n" % path for path in self.give_back]
        after += ["# %s: as it was before us\n" % path for path in self.give_back]
        return {"before": "".join(before), "after": "".join(after), "before_header": "runner", "after_header": "runner"}


def seconds(text):
    """An interval such as 30min, 1h or 86400, in seconds. Raises BadWish."""
    match = re.match(r"^\s*(\d{1,7})\s*(s|m|min|h|d|)\s*$", str(text))
    number = int(match.group(1)) * _UNITS[match.group(2)] if match else 0
    if not _SHORTEST <= number <= _LONGEST:
        raise BadWish("audit_interval: %r is no interval from 1min to 7d, such as 30min or 1h" % text)
    return number


def metrics_file(host, folder):
    """The file for metrics in a folder of the node, None for none. Raises BadWish."""
    if not folder:
        return None
    if not re.match(r"^(/[\w.+-]+)+/?$", folder) or "/../" in folder + "/":
        raise BadWish("metrics_dir: %r is no absolute path of letters, digits, '.', '_', '+' and '-'" % folder)
    if not host.is_folder(folder):
        raise BadWish("metrics_dir: %s is no folder on this node: it is the one that node_exporter was given with "
                      "--collector.textfile.directory" % folder)
    return "%s/%s" % (folder.rstrip("/"), install.METRICS)


def plan(host, present, folder, interval):
    """What is to be done. Raises BadWish or ForeignJournal before anything is written."""
    every, target = seconds(interval), metrics_file(host, folder) if present else None
    made = Setup(host, _journal.load(host))
    ours = runner_paths(made.journal)
    needed = runner_needed_by(host, made.journal)
    wanted = install.files(host) if present or needed else {}
    if present:
        wanted.update(install.command_files(host, target, every))
        due = set(install.due(host, wanted))
        made.write = [(path, content, mode) for path, (content, mode) in sorted(wanted.items()) if path in due]
        if target and not (target in ours and host.exists(target)):
            made.write.append((target, metrics.none().encode(), 0o644))
    else:
        made.kept_for = needed
        held = any(made.journal[part] for part in ("entries", "files", "folders", "owners"))
        made.leftover = not held and host.is_folder(_journal.FOLDER) and not host.names(_journal.FOLDER)
    made.give_back = sorted(path for path in ours if path not in wanted and path != target)
    return made


def carry_out(make_plan):
    """Write, give back and put in force; returns the plan with its `errors`. Raises Locked or OSError.

    The journal knows of a file before it is written and until all is done: a kill at any moment leaves the rest to the
    next run.
    """
    made = make_plan()
    if made.due:
        with locked(made.host, {"what": "module runner"}):
            made = make_plan()
            _carry_out(made)
    return made


def _carry_out(made):
    host, journal = made.host, made.journal
    fresh = install.ZIPAPP not in journal["files"]
    for path, _content, _mode in made.write:
        remember_file(host, journal, path, RUNNER)
    if fresh and install.ZIPAPP in journal["files"]:
        journal["files"][install.ZIPAPP]["needed_by"] = []
    _journal.save(host, journal)
    for folder in journal["folders"]:
        host.make_folder(folder)
    remove_runner(host, journal, made.give_back, made.errors)
    try:
        if made.write:
            install.write(host, made.write)
    except CommandNotRun as error:
        made.errors.append(str(error))
    except OSError as error:
        made.errors.append("%s: %s" % (error.filename, error.strerror))
    forget_unused(host, journal, made.errors)
    _journal.save(host, journal)
