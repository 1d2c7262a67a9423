# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a machine is read below one root: where a path lies, the text of a file, names, links.

PRIVATE to the collection. Every path is absolute, as the node itself would name it ("/sys/..."); the root decides where
it really lies, so the same code reads this machine, a capture of another one, or an image. Changing is in _host.py.
"""

from __future__ import annotations

import errno
import os
import stat

# What a kernel file answers when it does not apply: the attribute exists for the class, not for this device.
_NOT_HERE = {errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO}


class Files:
    """The files below `root`.

    `notes` collects, in words, what could not be read and why. Reads are cached only inside `text`, which is for facts
    that hold still during one run; `read` always asks the kernel.
    """

    def __init__(self, root="/"):
        self.root = os.path.realpath(root)
        self.notes = []
        self._folders = {}
        self._texts = {}

    @property
    def live(self):
        """True for the running system, False for a capture or an image."""
        return self.root == "/"

    @property
    def runs_commands(self):
        """Whether commands may be started: only those of the running system answer for this machine."""
        return self.live

    # -- where things are ---------------------------------------------------------------------------------------------

    def locate(self, path):
        """The real place of `path`: links in its folders are followed below the root, its last part is not."""
        if self.live:
            return path
        folder, _slash, name = path.rstrip("/").rpartition("/")
        return "%s/%s" % (self._folder(folder), name)

    def _folder(self, folder):
        found = self._folders.get(folder)
        if found is None:
            found = self._folders[folder] = self.root + self._resolve(folder)
        return found

    def _resolve(self, path, depth=0):
        """`path` with every link followed, absolute ones below the root, as chroot(2) would."""
        parts = [part for part in path.split("/") if part]
        done = []
        while parts:
            part = parts.pop(0)
            if part == "..":
                done[-1:] = []
                continue
            if part == ".":
                continue
            here = "/".join([""] + done + [part])
            try:
                target = os.readlink(self.root + here)
            except OSError:
                done.append(part)
                continue
            depth += 1
            if depth > 40:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if target.startswith("/"):
                done = []
            parts = [step for step in target.split("/") if step] + parts
        return "/".join([""] + done) if done else ""

    # -- reading ------------------------------------------------------------------------------------------------------

    def read_bytes(self, path, limit=1 << 24):
        """Up to `limit` bytes of a file. Raises OSError as the kernel gave it."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        if self.live:
            handle = os.open(path, flags)
        else:
            try:
                handle = os.open(self.locate(path), flags | os.O_NOFOLLOW)
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                handle = os.open(self.root + self._resolve(path), flags)
        try:
            data = os.read(handle, min(limit, 65536))
            while data and len(data) < limit:
                more = os.read(handle, min(limit - len(data), 1 << 20))
                if not more:
                    break
                data += more
            return data
        finally:
            os.close(handle)

    def read(self, path):
        """The text of a file, without trailing newlines and NULs. Raises OSError as the kernel gave it."""
        return self.read_bytes(path).decode("utf-8", "replace").rstrip("\0\n \t")

    def text(self, path):
        """The text of a file that holds still, or None; a file that is there but cannot be read becomes a note."""
        if path not in self._texts:
            try:
                self._texts[path] = self.read(path)
            except OSError as error:
                self._texts[path] = None
                if error.errno not in _NOT_HERE:
                    self.note("%s: %s" % (path, error.strerror))
        return self._texts[path]

    def note(self, text):
        """Keep a sentence on what could not be read, once."""
        if text not in self.notes:
            self.notes.append(text)

    def listing(self, folder):
        """The sorted names in a folder. Raises OSError as the kernel gave it."""
        return sorted(os.listdir(folder if self.live else self._folder(folder)))

    def names(self, folder):
        """The sorted names in a folder; empty where there is none; one that cannot be read becomes a note."""
        try:
            return self.listing(folder)
        except OSError as error:
            if error.errno not in _NOT_HERE:
                self.note("%s: %s" % (folder, error.strerror))
            return []

    def exists(self, path):
        """Whether a path is there, its links followed."""
        return os.path.exists(path) if self.live else os.path.lexists(self.root + self._resolve(path))

    def is_folder(self, path):
        """Whether a path is a folder, its links followed."""
        return os.path.isdir(path if self.live else self.root + self._resolve(path))

    def link(self, path):
        """The text of a symbolic link, or None."""
        try:
            return os.readlink(self.locate(path))
        except OSError:
            return None

    def real(self, path):
        """`path` with all links followed, as the node itself would name it."""
        return os.path.realpath(path) if self.live else self._resolve(path) or "/"

    def mode(self, path):
        """The permission bits of a file."""
        return stat.S_IMODE(os.lstat(self.locate(path)).st_mode)

    def owner(self, path):
        """The numbers of a file's user and group."""
        found = os.lstat(self.locate(path))
        return found.st_uid, found.st_gid

    def changed_at(self, path):
        """When a file was last written, in whole seconds since the epoch, or None where there is none."""
        try:
            return int(os.lstat(self.locate(path)).st_mtime)
        except OSError:
            return None
