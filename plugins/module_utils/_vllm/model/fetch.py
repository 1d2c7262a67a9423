# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a model on their way: each written on where a killed run stopped, and checked before it counts.

PRIVATE to the collection. A file that is under way lies in PARTIAL/download; one that was checked is moved to
PARTIAL/files, which in the end becomes the model's folder by one rename.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json

from . import download, manifest

TRIES = 5
STATE_SECONDS = 10


class CannotStage(Exception):
    """The files of a model cannot be brought here; the text says why and what would help."""


def fetch(host, job, limits):
    """Bring the files of a job to PARTIAL/files. `limits` is {"parallel", "until"}: how many at once, and the end."""
    partial = job["partial"]
    for folder in ("download", "files"):
        host.make_folder("%s/%s" % (partial, folder))
    progress = {"stop": False, "bytes": {one["path"]: 0 for one in job["files"]}}
    with concurrent.futures.ThreadPoolExecutor(limits["parallel"]) as workers:
        left = {workers.submit(_one, host, job, one, progress, limits["until"]) for one in job["files"]}
        try:
            while left:
                done, left = concurrent.futures.wait(left, STATE_SECONDS, concurrent.futures.FIRST_EXCEPTION)
                _say(host, job, progress)
                for one in done:
                    one.result()
        except BaseException:
            progress["stop"] = True
            for one in left:
                one.cancel()
            raise


def _say(host, job, progress):
    """Leave word of how far this is, for who looks on: PARTIAL/state.json."""
    state = {"bytes": sum(progress["bytes"].values()), "of": sum(one["size"] or 0 for one in job["files"]),
             "at": host.now()}
    host.write_file(job["partial"] + "/state.json", (json.dumps(state, sort_keys=True) + "\n").encode())


def place_of(job, one):
    """(where a file lies while it is under way, where once it was checked)."""
    part = hashlib.sha256(one["path"].encode()).hexdigest()[:24]
    return "%s/download/%s" % (job["partial"], part), "%s/files/%s" % (job["partial"], one["path"])


def _one(host, job, one, progress, until):
    """Bring one file; one that was brought before is there already."""
    part, place = place_of(job, one)
    if progress["stop"]:
        return
    if host.size(place) is None:
        (_copy if "from" in one else _download)(host, one, part, progress, until)
        host.make_folder(place.rpartition("/")[0])
        host.move(part, place)
    progress["bytes"][one["path"]] = host.size(place)


def _download(host, one, part, progress, until):
    """Download a file, whatever happens on the way; a wrong checksum has one more try from its first byte."""
    for last in (False, True):
        found = _through(host, one, part, progress, until)
        if found == manifest.checked(one):
            return
        host.remove_file(part)
        if last:
            raise CannotStage("%s: the bytes that came have the checksum %s, not %s, twice: they were changed on the "
                              "way, or the source is not what it was" % (one["path"], found, manifest.checked(one)))


def _through(host, one, part, progress, until):
    """The checksum of a file after all of it came; a broken connection is taken up again where it broke."""
    failures, had = 0, -1
    while True:
        try:
            return _stream(host, one, part, progress, until)
        except download.DownloadFailed as error:
            now = host.size(part) or 0
            failures, had = (1 if now > had else failures + 1), now
            if not error.passing or failures >= TRIES:
                raise
            host.wait(error.wait or min(2 ** failures, 30))
        _go_on(host, progress, until)


def _stream(host, one, part, progress, until):
    """One connection's worth: the checksum of what is there and what came. Raises DownloadFailed where it broke."""
    start = host.size(part) or 0
    if one["size"] is not None and start > one["size"]:
        start = 0
    digest = _digest(host, one, part, start)
    if start and start == one["size"]:
        return digest.hexdigest()
    with host.extending(part, start) as stream:
        coming = _coming(host, one, start)
        begins = next(coming)
        if begins != start:  # The server knows no ranges: all of it comes again.
            digest = manifest.begin(one)
            stream.seek(begins)
            stream.truncate()
        at = begins
        for data in coming:
            _go_on(host, progress, until)
            _write(stream, data)
            digest.update(data)
            at += len(data)
            progress["bytes"][one["path"]] = at
    if one["size"] is not None and at != one["size"]:
        raise download.DownloadFailed("%s: %d bytes came, it has %d" % (one["path"], at, one["size"]),
                                      passing=at < one["size"])
    return digest.hexdigest()


def _coming(host, one, start):
    """Where the rest of a file begins, then its bytes."""
    try:
        yield from download.pieces(one["url"], one.get("token"), start)
    except download.DownloadFailed as error:
        if error.status != 416:
            raise
        yield from download.pieces(one["url"], one.get("token"))  # It is shorter now than what came of it before.


def _digest(host, one, part, start):
    """The checksum of the first `start` bytes of a file."""
    digest = manifest.begin(one)
    if start:
        for data in host.pieces(part, 0, start):
            digest.update(data)
    return digest


def _copy(host, one, part, progress, until):
    """Copy a file from a shared folder, and read the copy again from the disk."""
    digest, at = manifest.begin(one), 0
    with host.extending(part, 0) as stream:
        for data in host.lent(one["of"], one["from"]):
            _go_on(host, progress, until)
            _write(stream, data)
            digest.update(data)
            at += len(data)
            progress["bytes"][one["path"]] = at
    found, wanted = digest.hexdigest(), manifest.checked(one)
    if at != one["size"] or (wanted and found != wanted):
        raise CannotStage("%s has %d bytes with the checksum %s; its folder says %d%s"
                          % (one["from"], at, found, one["size"], " and " + wanted if wanted else " bytes"))
    host.forget_cached(part)
    if manifest.of_file(host, part, one) != found:
        host.remove_file(part)
        raise CannotStage("%s was copied, but reads otherwise on the volume of %s: look at the disk"
                          % (one["from"], part))
    if not wanted:
        one["sha256"] = found


def _write(stream, data):
    """Write all of the bytes: a full disk writes some of them before it says so."""
    left = memoryview(data)
    while left:
        left = left[stream.write(left):]


def _go_on(host, progress, until):
    """Whether there is any sense in going on."""
    if progress["stop"]:
        raise CannotStage("another file failed")
    if host.now() >= until:
        raise CannotStage("the time limit is over after %d bytes; the next run goes on there"
                          % sum(progress["bytes"].values()))
