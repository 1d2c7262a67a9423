# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what was found at first touch, so that rollback needs neither roles nor facts.

PRIVATE to the collection. /var/lib/gpuwright/journal.json holds a schema number, the machine it belongs to, and
  entries  {identity: {role, kind, name, target, path, original, since}}  the value to write to get the old state back
  files    {path: {role, original: text or null, mode, link}}  whole files of ours, and what was there before
  folders  [path]                                                           folders that we made, outermost first
  owners   {name: entry}                                                    what was taken over from another tool
An original is written once and never again by later runs: it goes when it has been given back.
"""

from __future__ import annotations

import json

FOLDER = "/var/lib/gpuwright"
PATH = FOLDER + "/journal.json"
SCHEMA = 1
HEAD = "# Written by gpuwright.node, "
_OURS = ("/etc/gpuwright/", "/usr/local/lib/gpuwright/")


class ForeignJournal(Exception):
    """The journal belongs to another machine, or to a newer version, or cannot be read; the text says which."""


def identity(host):
    """What tells this machine from a clone of its disk: the machine-id and the board's UUID, None where unreadable."""
    return {"machine_id": _once(host, "/etc/machine-id"), "product_uuid": _once(host, "/sys/class/dmi/id/product_uuid")}


def _once(host, path):
    try:
        return host.read(path) or None
    except OSError:
        return None


def load(host):
    """The journal of this machine; an empty one where there is none yet. Raises ForeignJournal."""
    try:
        text = host.read(PATH)
    except FileNotFoundError:
        return {"schema": SCHEMA, "machine": identity(host), "entries": {}, "files": {}, "folders": [], "owners": {}}
    except OSError as error:
        raise ForeignJournal("%s cannot be read: %s" % (PATH, error.strerror))
    try:
        journal = json.loads(text)
        schema, machine = journal["schema"], journal["machine"]
        machine = {key: machine.get(key) for key in ("machine_id", "product_uuid")}
        if schema == SCHEMA and not (isinstance(journal["folders"], list) and all(
                isinstance(journal[part], dict) for part in ("entries", "files", "owners"))):
            raise ValueError("a part of it has another shape")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ForeignJournal("%s is damaged (%s); nothing was changed. Restore it from a backup, or move it away to "
                             "give up the originals that it holds." % (PATH, error))
    if schema != SCHEMA:
        raise ForeignJournal("%s has schema %s, this version knows %s: it was written by another version of "
                             "gpuwright.node; nothing was changed." % (PATH, schema, SCHEMA))
    for key, value in identity(host).items():
        if value and machine.get(key) and machine[key] != value:
            raise ForeignJournal("%s belongs to another machine (its %s is %s, this machine's is %s), as when a disk "
                                 "image was cloned; nothing was changed. Move it away to start a new one here."
                                 % (PATH, key, machine[key], value))
    return journal


def save(host, journal):
    """Write the journal at once, or remove it with its folder when nothing is left to give back."""
    if any(journal[part] for part in ("entries", "files", "folders", "owners")):
        if not host.is_folder(FOLDER):
            host.make_folder(FOLDER)
        # An original that was not for all to read is not for all to read in here either.
        private = any(kept["original"] is not None and not kept["mode"] & 0o004 for kept in journal["files"].values())
        host.write_file(PATH, json.dumps(journal, indent=1, sort_keys=True).encode(), 0o600 if private else 0o644)
    else:
        host.remove_file(PATH)
        host.remove_folder(FOLDER)


def remember_value(journal, key, entry):
    """Keep the original of a setting, unless one is kept already."""
    journal["entries"].setdefault(key, entry)


def remember_file(host, journal, path, role):
    """Keep what is in the place of a file of ours, unless that is known already."""
    if path in journal["files"]:
        return
    kept = journal["files"][path] = {"role": role, "original": None, "mode": 0o644, "link": host.link(path)}
    if kept["link"] is None and host.exists(path):
        text = host.read_bytes(path).decode("utf-8", "surrogateescape")
        # Without its journal ours is no original; a script of ours has its interpreter in the line before.
        if not text.startswith((HEAD, "#!/bin/sh\n" + HEAD)) and not path.startswith(_OURS):
            kept.update(original=text, mode=host.mode(path))


def give_back_file(host, journal, path):
    """Put back what was in the place of a file of ours, and forget it."""
    kept = journal["files"].get(path, {"original": None, "link": None})
    if kept["link"] is not None:
        host.write_link(path, kept["link"])
    elif kept["original"] is None:
        host.remove_file(path)
    else:
        host.write_file(path, kept["original"].encode("utf-8", "surrogateescape"), mode=kept["mode"])
    journal["files"].pop(path, None)


def missing_folders(host, path):
    """The folders above a file that are not there yet, outermost first."""
    missing = []
    folder = path.rpartition("/")[0]
    while folder and not host.is_folder(folder):
        missing.insert(0, folder)
        folder = folder.rpartition("/")[0]
    return missing


def our_folders(path):
    """The folders around a file that nobody but us fills, outermost first: ours too where a lost journal named them."""
    return [path[:end] for start in _OURS if path.startswith(start)
            for end in range(len(start) - 1, len(path)) if path[end] == "/"]
