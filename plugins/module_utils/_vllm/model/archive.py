# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpacks an archive of a model: plain files and folders only, none of them outside of its folder.

PRIVATE to the collection.
"""

from __future__ import annotations

import tarfile
import zlib

from .fetch import CannotStage
from .inside import outside

try:
    from lzma import LZMAError
except ImportError:  # A Python that was built without it: tarfile says so.
    LZMAError = EOFError

_ZSTANDARD = b"\x28\xb5\x2f\xfd"


def unpack(host, where, name, folder, reserve=0):
    """Make `folder` anew of what is in the archive `name` of the folder `where`; returns where the model's files are.

    A single .gguf file is no archive: it stays where it is.
    """
    archive = "%s/%s" % (where, name)
    start = b"".join(host.pieces(archive, 0, 4))
    if start == b"GGUF":
        return where
    host.remove_tree(folder)
    host.make_folder(folder)
    if start == _ZSTANDARD and "zst" not in tarfile.TarFile.OPEN_METH:
        raise CannotStage("%s is compressed by Zstandard, which this node's Python cannot unpack; legal are .tar, "
                          ".tar.gz, .tar.xz and a single .gguf" % name)
    if start == b"PK\x03\x04":
        raise CannotStage("%s is a zip archive; legal are .tar, .tar.gz, .tar.xz and a single .gguf" % name)
    try:
        with host.reading(archive) as stream, tarfile.open(fileobj=stream, mode="r:*") as members:
            for member in members:
                _member(host, members, member, folder, name, reserve)
    except (tarfile.TarError, EOFError, zlib.error, LZMAError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # Of the volume. bz2 has no error of its own.
            raise
        raise CannotStage("%s cannot be unpacked: %s" % (name, error))
    return _top(host, folder)


def _member(host, members, member, folder, name, reserve):
    """Write one member, or refuse it with its name."""
    path = member.name[2:] if member.name.startswith("./") else member.name
    path = path.rstrip("/")
    if member.isdir() and path in ("", "."):
        return
    refused = outside(path)
    if refused:
        raise CannotStage("%s holds a member that is refused: %s" % (name, refused))
    if not member.isdir() and not member.isreg():
        kind = "a link to %r" % member.linkname if member.issym() or member.islnk() else "a device or a pipe"
        raise CannotStage("%s holds %r, which is %s; legal are files and folders" % (name, path, kind))
    if member.isdir():
        host.make_folder("%s/%s" % (folder, path))
        return
    place = "%s/%s" % (folder, path)
    if host.exists(place):
        raise CannotStage("%s holds %r twice" % (name, path))
    mount, free = host.volume_of(folder)
    if member.size + reserve > free:
        raise CannotStage("%s: %r has %d bytes, the volume %s has %d free, of which %d stay free"
                          % (name, path, member.size, mount, free, reserve))
    host.make_folder(place.rpartition("/")[0])
    _write(host, members.extractfile(member), place)


def _write(host, coming, place):
    with host.extending(place, 0) as stream:
        while True:
            data = memoryview(coming.read(1 << 20))
            if not data:
                return
            while data:
                data = data[stream.write(data):]


def _top(host, folder):
    """Where the files are: an archive often has one folder in which everything is."""
    names = host.listing(folder)
    while len(names) == 1 and host.is_folder("%s/%s" % (folder, names[0])):
        folder = "%s/%s" % (folder, names[0])
        names = host.listing(folder)
    return folder
