# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages the files of models onto a node: plans all of them, looks for room, brings them, and shows them when whole.

PRIVATE to the collection.
"""

from __future__ import annotations

from ..._host import Locked
from ..placing import resolved
from . import archive, download, fetch, hub, manifest, space, weights
from .fetch import CannotStage
from .model_job import job

# What is said of a folder before, and after.
_TURN_SECONDS = 5
_STATES = {"there": ("is there", "is there"),
           "adopt": ("is there, from somebody else, with the right checksums: it would get a manifest",
                     "was there, from somebody else, with the right checksums, and has a manifest now"),
           "fetch": ("would be brought", "was brought"), "repair": ("would be mended", "was mended")}


def stage(host, instances, secrets, asked):
    """Bring what is missing, unless the host is opened for reading; returns the module's result.

    `asked` is {"files": patterns, "reserve": bytes, "parallel": count, "seconds": limit, "verify": whether to read
    what is there}. Raises CannotStage, hub.NotOnHub, download.DownloadFailed, Locked and OSError.
    """
    jobs = _jobs(host, instances, secrets, asked)
    lacking = space.lacking(host, [(" and ".join(one["names"]), one["folder"], one.get("room", 0)) for one in jobs],
                            asked["reserve"])
    if lacking:
        raise CannotStage("; ".join(lacking + _notes(host, jobs)))
    if not host.read_only:
        until = host.now() + asked["seconds"]
        for one in jobs:
            if _is_due(host, one):
                _in_turn(host, one, secrets, dict(asked, until=until))
    return _result(host, jobs, asked)


def _is_due(host, one):
    """Whether anything is to be changed: a run that was killed at its very end leaves an empty folder."""
    one["due"] = one["state"] != "there" or bool(one["partial"] and host.is_folder(one["partial"]))
    return one["due"]


def _jobs(host, instances, secrets, asked):
    """One job for each folder; two instances may share one, if it is the same model."""
    jobs, owners = {}, {}
    for instance in instances:
        path = instance["model_path"]
        if path is None or instance["state"] == "absent":
            continue
        wanted = (manifest.identity(instance), instance["source"] is None)
        if path in owners:
            if owners[path] != wanted:
                raise CannotStage("%s is to hold two models: %s of instance %s, and %s of instance %s"
                                  % (path, manifest.named(owners[path][0]), jobs[path]["names"][0],
                                     manifest.named(wanted[0]), instance["name"]))
            jobs[path]["names"].append(instance["name"])
            continue
        owners[path] = wanted
        jobs[path] = dict(_job(host, instance, secrets, asked), names=[instance["name"]], instance=instance)
    return list(jobs.values())


def _job(host, instance, secrets, asked):
    token = (secrets.get(instance["name"]) or {}).get("hf_token")
    try:
        return job(host, instance, token, asked)
    except (CannotStage, hub.NotOnHub, download.DownloadFailed) as error:
        raise CannotStage("instance %s: %s" % (instance["name"], error))


def _in_turn(host, one, secrets, limits):
    """Bring one model's files, alone on this folder: on a shared volume other nodes may be at it. Raises Locked.

    What another one brought meanwhile is looked at anew, and is there.
    """
    host.make_folder(one["folder"].rpartition("/")[0] or "/")
    while True:
        try:
            with host.only_one(one["folder"] + ".lock", {"what": "staging of %s" % ", ".join(one["names"])}):
                if one["state"] == "fetch" and host.exists(one["folder"]):
                    one.update(_job(host, one["instance"], secrets, limits))
                _carry_out(host, one, limits)
                return
        except Locked:
            if host.now() >= limits["until"]:
                raise
        host.wait(_TURN_SECONDS)


def _carry_out(host, one, limits):
    if one["state"] != "there":
        host.make_folder(one["partial"])
        if not host.is_own(one["partial"]):
            raise CannotStage("%s is a link, or another user's, or others may write there: nothing is written below "
                              "it; remove it, and look who may write beside it" % one["partial"])
    if one["state"] in ("fetch", "repair"):
        _fetch(host, one, limits)
        _show(host, one, limits)
    elif one["state"] == "adopt":
        _put_manifest(host, one, one["files"])
    host.remove_tree(one["partial"])


def _fetch(host, one, limits):
    """The files, with what a refusal in the middle means."""
    instance = one["instance"]
    try:
        fetch.fetch(host, one, limits)
    except download.DownloadFailed as error:
        if "hub" in instance["source"]:
            token = one["files"][0].get("token")
            error = hub.in_words(error, instance["source"]["hub"], instance["model"], instance["revision"], token)
        raise CannotStage("%s: %s; what came is kept, and the next run goes on there"
                          % (", ".join(one["names"]), error))


def _show(host, one, limits):
    """Check what came and give it its name, at once."""
    files = one["partial"] + "/files"
    if one["archive"]:
        files = archive.unpack(host, files, one["files"][0]["path"], one["partial"] + "/unpacked", limits["reserve"])
        if one["name"] and host.size("%s/%s" % (files, one["name"])) is None:
            raise CannotStage("%s does not hold %s, which model_path names" % (one["source"]["url"], one["name"]))
        host.remove_file("%s/%s" % (files, manifest.NAME))  # Of a run that was killed right here.
        one["files"] = [{"path": path, "size": size} for path, size in sorted(host.tree(files).items())]
    if one["state"] == "repair":
        _mend(host, one, files)
        return
    found = weights.problems(host, files)
    if found:
        raise CannotStage("what came is no whole model, and is not put in place: " + "; ".join(found))
    _sum(host, files, one["files"])
    manifest.write(host, files, one["identity"], one["source"], one["patterns"], one["files"])
    host.move(files, one["folder"])


def _mend(host, one, files):
    """Put the files that were missing or broken into the folder, each at once."""
    _sum(host, files, one["files"])
    for each in one["files"]:
        place = "%s/%s" % (one["folder"], each["path"])
        host.make_folder(place.rpartition("/")[0])
        host.move("%s/%s" % (files, each["path"]), place)
    found = weights.problems(host, one["folder"])
    if found:
        raise CannotStage("the folder is still no whole model: " + "; ".join(found))
    _put_manifest(host, one, one["kept"] + one["files"])


def _put_manifest(host, one, files):
    """Give a folder that is in place its manifest; a kill leaves nothing of it there."""
    manifest.write(host, one["partial"], one["identity"], one["source"], one["patterns"], files)
    host.move("%s/%s" % (one["partial"], manifest.NAME), "%s/%s" % (one["folder"], manifest.NAME))


def _sum(host, folder, files):
    """Every file of a manifest has a checksum, also one that came without."""
    for one in files:
        if not manifest.checked(one):
            one["sha256"] = manifest.of_file(host, "%s/%s" % (folder, one["path"]), one)


def _result(host, jobs, asked):
    """What the module returns."""
    models = []
    for one in jobs:
        due = one.get("due", _is_due(host, one))
        mount, free = host.volume_of(one["folder"])
        words = "%s %s" % (one["folder"], _STATES[one["state"]][0 if host.read_only else 1])
        if one["state"] in ("fetch", "repair"):
            words += ": %d files, of which %s had to come; volume %s has %s free now, %s are to stay free" % (
                len(one["files"]), space.words(one["bytes"]), mount, space.words(free), space.words(asked["reserve"]))
        models.append({"names": one["names"], "path": one["folder"], "state": one["state"], "files": len(one["files"]),
                       "bytes": one["bytes"], "volume": mount, "free": free, "changed": due, "words": words,
                       "serve": resolved.gguf(host, one["folder"]) or one["folder"]})
    return {"changed": any(one["changed"] for one in models), "models": models, "notes": _notes(host, jobs)}


def _notes(host, jobs):
    """What lies beside the folders in use and takes room: older revisions, and what was begun and never finished."""
    used = {one["folder"] for one in jobs} | {one["partial"] for one in jobs}
    found = []
    for parent in sorted({one["folder"].rpartition("/")[0] for one in jobs if one["partial"]}):
        for name in host.names(parent):
            place = "%s/%s" % (parent, name)
            if place not in used and host.is_folder(place) and (
                    ".partial-" in name or host.exists("%s/%s" % (place, manifest.NAME))):
                what = "was begun and not finished" if ".partial-" in name else "is used by no instance here"
                found.append("%s %s and takes %s" % (place, what, space.words(sum(host.tree(place).values()))))
    return found
