# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of a model are to come from, and which of them are still missing on the node: a job of staging.

PRIVATE to the collection. It reads only, the node and the hub; staging.py carries the jobs out.
"""

from __future__ import annotations

import hashlib
import json

from . import download, hub, manifest, weights
from .fetch import CannotStage, place_of
from .inside import outside


def job(host, instance, token, asked):
    """What is to be done for the files of one instance: {"state": "there" | "adopt" | "fetch" | "repair", ...}.

    Raises CannotStage, hub.NotOnHub, download.DownloadFailed.
    """
    path, source = instance["model_path"], instance["source"]
    folder = path.rpartition("/")[0] if path.endswith(".gguf") and source else path
    if source is None or source.get("path") == folder:
        return _as_it_is(host, folder, asked)
    key = [manifest.identity(instance), list(asked["files"])]
    made = {"folder": folder, "identity": key[0], "source": _told(source), "patterns": list(asked["files"]),
            "partial": "%s.partial-%s" % (folder, hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]),
            "archive": "url" in source, "name": path.rpartition("/")[2] if path.endswith(".gguf") else None}
    if not host.is_folder(folder):
        if host.exists(folder):
            raise CannotStage("%s is there and is no folder" % folder)
        return _due(host, dict(made, state="fetch", files=_listing(host, instance, token, asked)))
    return _of_folder(host, made, instance, token, asked)


def _told(source):
    """A source as the manifest has it: without the query of a URL, which may be a signature."""
    return {key: download.shown(value) if key in ("url", "hub") else value for key, value in source.items()}


def _as_it_is(host, folder, asked):
    """Files that somebody else brings: they must be whole."""
    found = weights.problems(host, folder)
    known = None if found or folder.endswith(".gguf") else _manifest(host, folder)
    if known:
        found = list(manifest.differing(host, folder, known["files"], asked["verify"]).values())
    if found:
        raise CannotStage("the model is to be there already (source is not set): " + "; ".join(found))
    return {"state": "there", "folder": folder, "partial": None, "files": [], "bytes": 0}


def _manifest(host, folder):
    try:
        return manifest.read(host, folder)
    except ValueError as error:
        raise CannotStage("%s/%s: %s" % (folder, manifest.NAME, error))


def _of_folder(host, made, instance, token, asked):
    """The job where the folder is there."""
    folder, known = made["folder"], _manifest(host, made["folder"])
    if known is None:
        return _adopted(host, made, instance, token, asked)
    if known.get("identity") != made["identity"]:
        raise CannotStage("%s holds %s, and %s is asked for: give the instance another model_path, or move the folder"
                          % (folder, manifest.named(known.get("identity") or {}), manifest.named(made["identity"])))
    bad = manifest.differing(host, folder, known["files"], asked["verify"])
    if not bad and (known.get("patterns") == made["patterns"] or made["archive"]):
        return dict(made, state="there", files=[], bytes=0)
    if made["archive"]:
        raise CannotStage("%s is no longer what was unpacked: %s; move the folder away, and the next run stages it anew"
                          % (folder, "; ".join(bad.values())))
    listed = _listing(host, instance, token, asked)
    due = [one for one in listed if one["path"] in bad or one["path"] not in known["files"]]
    gone = set(bad) | {one["path"] for one in due}
    kept = [dict(one, path=path) for path, one in known["files"].items() if path not in gone]
    return _due(host, dict(made, state="repair", files=due, kept=kept, words=sorted(bad.values())))


def _adopted(host, made, instance, token, asked):
    """A folder that is not from us is taken for what it is if every file has the checksum of the source."""
    folder = made["folder"]
    if made["archive"]:
        raise CannotStage("%s is there already, and not from us, so nothing says that it is %s: move it away, or set "
                          "source to null to serve it as it is" % (folder, made["source"]["url"]))
    listed = _listing(host, instance, token, asked)
    bad = manifest.differing(host, folder, {one["path"]: one for one in listed}, True)
    if bad:
        raise CannotStage("%s is there already, not from us, and is not %s: %s; move it away, or set source to null to "
                          "serve it as it is" % (folder, manifest.named(made["identity"]),
                                                 "; ".join(list(bad.values())[:5])))
    return dict(made, state="adopt", files=listed, bytes=0)


def _listing(host, instance, token, asked):
    """The files that the source has: [{path, size, sha256 | git | neither, url | from}]."""
    source, model = instance["source"], instance["model"]
    if "hub" in source:
        if model.startswith("/"):
            raise CannotStage("%s is no model of %s: legal is ORGANISATION/NAME, with model_path for where its files "
                              "go" % (model, source["hub"]))
        found = hub.listing(source["hub"], model, instance["revision"], token, asked["files"])
        return [dict(one, token=token) for one in found]
    if "url" in source:
        size = download.length(source["url"])
        named = instance["model_path"] if instance["model_path"].endswith(".gguf") else download.shown(source["url"])
        name = named.rstrip("/").rpartition("/")[2] or "model"
        return [{"path": name, "size": size, "sha256": source["sha256"], "url": source["url"]}]
    return _shared(host, source["path"], asked["files"])


def _shared(host, folder, patterns):
    """The files of a shared folder: as its manifest says, or as they are."""
    found = weights.problems(host, folder)
    if found:
        raise CannotStage("the source is not whole, nothing was copied: " + "; ".join(found))
    known = _manifest(host, folder)
    there = host.tree(folder)
    files = known["files"] if known else {path: {"size": size} for path, size in there.items()}
    listed = hub.choose({path: dict(one, path=path, of=folder, **{"from": "%s/%s" % (folder, path)})
                         for path, one in files.items()}, patterns)
    for one in listed:
        refused = outside(one["path"])
        if refused or there.get(one["path"]) != one["size"]:
            raise CannotStage("the source is not whole, nothing was copied: %s"
                              % (refused or "%(from)s has not the %(size)d bytes of its manifest" % one))
    return listed


def _due(host, made):
    """A job with how many bytes of it are still to come; of an archive twice as many are needed for a while."""
    left = 0
    for one in made["files"]:
        part, place = place_of(made, one)
        left += max(0, (one["size"] or 0) - (host.size(place) or host.size(part) or 0))
    room = left
    if made["archive"] and not made["source"]["url"].endswith(".gguf"):
        room += sum(one["size"] or 0 for one in made["files"])
    return dict(made, bytes=left, room=room)
