# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of staged files: where they came from, and the size and checksum of each.

PRIVATE to the collection.
"""

from __future__ import annotations

import hashlib
import json

NAME = ".gpuwright.json"
SCHEMA = 1


def begin(one):
    """The running checksum of a file of the list: sha256, or git's own, which the hub has for small files."""
    if "git" in one:
        return hashlib.new("sha1", b"blob %d\0" % one["size"], usedforsecurity=False)
    return hashlib.sha256()


def checked(one):
    """The checksum that a file must have, or None where nobody said it."""
    return one.get("git") or one.get("sha256")


def of_file(host, path, one):
    """The checksum that a file has."""
    digest = begin(one)
    for data in host.pieces(path):
        digest.update(data)
    return digest.hexdigest()


def identity(instance):
    """What makes two sets of model files the same: not the mirror they came by."""
    source = instance["source"] or {}
    if "hub" in source:
        return {"model": instance["model"], "revision": instance["revision"]}
    if "url" in source:
        return {"sha256": source["sha256"]}
    return {"path": source["path"]} if "path" in source else {}


def named(identity_of):
    """An identity in words."""
    if "model" in identity_of:
        return "%s at %s" % (identity_of["model"], identity_of.get("revision"))
    return ", ".join("%s %s" % pair for pair in sorted(identity_of.items())) or "nothing known"


def read(host, folder):
    """What a folder's manifest says, or None where there is none. Raises ValueError for one that is none of ours."""
    place = "%s/%s" % (folder, NAME)
    if not host.exists(place):
        return None
    said = json.loads(host.read(place))
    good = isinstance(said, dict) and said.get("schema") == SCHEMA and isinstance(said.get("files"), dict)
    if not good or any(not isinstance(one, dict) or not isinstance(one.get("size"), int)
                       for one in said["files"].values()):
        raise ValueError("%s is none of this version of the collection" % place)
    return said


def write(host, folder, identity_of, source, patterns, files):
    """Put the manifest into a folder. It goes in last: what has one was whole."""
    listed = {one["path"]: {key: one[key] for key in ("size", "sha256", "git") if key in one} for one in files}
    said = {"schema": SCHEMA, "identity": identity_of, "source": source, "patterns": list(patterns), "files": listed}
    host.write_file("%s/%s" % (folder, NAME), (json.dumps(said, indent=1, sort_keys=True) + "\n").encode())


def differing(host, folder, files, sums):
    """{path: words} of the files that are not as they were; with `sums` they are read, else only measured."""
    found = {}
    for path, one in sorted(files.items()):
        place = "%s/%s" % (folder, path)
        size = host.size(place)
        if size != one["size"]:
            found[path] = "%s %s, it had %d bytes" % (
                place, "is gone" if size is None else "has %d bytes" % size, one["size"])
        elif sums and checked(one) and of_file(host, place, one) != checked(one):
            found[path] = "%s has another checksum than it had" % place
    return found
