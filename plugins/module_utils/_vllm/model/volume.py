# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose files may be larger than memory: parts of files, free space, folders that move as a whole.

PRIVATE to the collection. Beside _host.py the only file that changes the machine, and by the same rules: paths as the
node names them, nothing changes on a host opened for reading, and what is said to be there outlives a power cut.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import threading

from ..._host import Host

PIECE = 1 << 22


class Volume(Host):
    """A host, and what is done to the files of models and engines on it."""

    _turns = threading.Lock()

    def size(self, path):
        """The bytes of a file, its links followed, or None where no regular file is."""
        try:
            found = os.stat(self.locate(self.real(path)))
        except OSError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def volume_of(self, path):
        """(mount point, free bytes) of the volume that `path` is on, or will be on once its folders are made."""
        while not self.exists(path):
            path = path.rpartition("/")[0] or "/"
        place = self.locate(self.real(path))
        counts = os.statvfs(place)
        device = os.stat(place).st_dev
        while place not in ("/", self.root) and os.stat(os.path.dirname(place)).st_dev == device:
            place = os.path.dirname(place)
        named = place[len(self.root):] or "/" if not self.live else place
        return named, counts.f_bavail * counts.f_frsize

    def tree(self, folder):
        """{path below `folder`: bytes} of its regular files; links to files count, links to folders are not entered."""
        top = self.locate(self.real(folder))
        found = {}
        for place, _folders, names in os.walk(top):
            for name in names:
                below = os.path.relpath(os.path.join(place, name), top)
                size = self.size("%s/%s" % (folder, below))
                if size is not None:
                    found[below] = size
        return found

    def pieces(self, path, start=0, length=None):
        """The bytes of a file from `start` on, a few MiB at a time."""
        with self.reading(path) as stream:
            stream.seek(start)
            left = length
            while left is None or left > 0:
                data = stream.read(PIECE if left is None else min(PIECE, left))
                if not data:
                    return
                left = left if left is None else left - len(data)
                yield data

    def reading(self, path):
        """A stream of the bytes of a file."""
        return open(self.locate(self.real(path)), "rb", buffering=0)

    @contextlib.contextmanager
    def extending(self, path, start):
        """A stream that writes on from byte `start` of a file; what is written is on the disk when it is left."""
        self._may_change("writing %s" % path)
        handle = os.open(self.locate(path), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            os.ftruncate(handle, start)
            os.lseek(handle, start, os.SEEK_SET)
            with os.fdopen(os.dup(handle), "wb", buffering=0) as stream:
                yield stream
            os.fchmod(handle, 0o644)
        finally:
            os.fsync(handle)
            os.close(handle)

    def is_own(self, folder):
        """Whether a folder is no link, and its owner, whom files made there belong to as well, alone may write to it.

        Who that is the folder itself tells: on a share root may be nobody.
        """
        place = self.locate(folder)
        found = os.lstat(place)
        if not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022:
            return False
        probe = "%s/.own-%d" % (place, os.getpid())
        try:
            os.mkdir(probe, 0o700)
            owner = os.lstat(probe).st_uid
            os.rmdir(probe)
        except OSError:
            return False
        return owner == found.st_uid

    def lent(self, folder, path):
        """The bytes of a file of a shared folder; who may write there may have linked it to what only root may read."""
        top = os.stat(self.locate(self.real(folder)))
        trusted = top.st_uid == 0 and not top.st_mode & 0o022
        with self.reading(path) as stream:
            found = os.fstat(stream.fileno())
            if not trusted and found.st_uid != top.st_uid and not found.st_mode & 0o004:
                raise PermissionError(errno.EACCES, "it belongs to another user than %s, and not everybody may read it"
                                      % folder, path)
            while True:
                data = stream.read(PIECE)
                if not data:
                    return
                yield data

    def forget_cached(self, path):
        """Let the kernel drop its copy of a file that is on the disk, so that reading it again reads the disk."""
        handle = os.open(self.locate(path), os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)

    def open_to_all(self, folder):
        """Let everyone read what is in a folder, and start what its owner may start; links lead where they lead."""
        self._may_change("opening %s" % folder)
        for place, folders, names in os.walk(self.locate(self.real(folder))):
            for name in [""] + folders + names:
                found = os.lstat(os.path.join(place, name))
                wanted = found.st_mode | 0o444 | (0o111 if found.st_mode & 0o100 else 0)
                if not stat.S_ISLNK(found.st_mode) and wanted != found.st_mode:
                    os.chmod(os.path.join(place, name), stat.S_IMODE(wanted))

    def make_folder(self, path, mode=0o755):
        """As of any host, by several at once: a process has one umask, so that each of its threads has its turn."""
        with self._turns:
            return super().make_folder(path, mode)

    def move(self, old, new):
        """Give a file or folder another name on the same volume, at once; a folder with content is never replaced."""
        self._may_change("moving %s" % old)
        os.rename(self.locate(old), self.locate(new))
        for folder in sorted({os.path.dirname(self.locate(old)), os.path.dirname(self.locate(new))}):
            self._settle(folder)

    def remove_tree(self, folder):
        """Remove a folder and all that is in it; a link in its place goes, not what it leads to."""
        self._may_change("removing %s" % folder)
        place = self.locate(folder)
        if os.path.islink(place):
            os.unlink(place)
        elif os.path.isdir(place):
            shutil.rmtree(place)
