# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that touches the machine: read, list, link, write and run below one root.

PRIVATE to the collection. Every path given to a Host is absolute, as the node itself would name it ("/sys/..."); the
root decides where it really lies, so the same code reads this machine, a capture of another one, or an image.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import resource
import signal
import stat
import subprocess
import time

# What a kernel file answers when it does not apply: the attribute exists for the class, not for this device.
_NOT_HERE = {errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO}
_TEMPORARY = ".gpuwright-new"
COMMAND_SECONDS = 10


class ReadOnlyHost(Exception):
    """Somebody tried to change a machine that was opened for reading: a defect of ours, never the user's fault."""


class CommandNotRun(Exception):
    """A command was not found, must not be started here, or outlasted its time limit; the text says which."""


class Locked(Exception):
    """Another run is changing this node; the text names it."""


class Host:
    """One machine below `root`. With `read_only`, everything that changes it raises ReadOnlyHost.

    `notes` collects, in words, what could not be read and why. Reads are cached only inside `text`, which is for facts
    that hold still during one run; `read` always asks the kernel. `facts` is for whoever derives more from such facts:
    it is empty again after a change.
    """

    def __init__(self, root="/", read_only=True):
        self.root = os.path.realpath(root)
        self.read_only = read_only
        self.notes = []
        self._folders = {}
        self._texts = {}
        self.facts = {}

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

    def is_root(self):
        """Whether this process may change the machine."""
        return os.geteuid() == 0

    # -- changing -----------------------------------------------------------------------------------------------------

    def _may_change(self, what):
        if self.read_only:
            raise ReadOnlyHost("%s on a host opened for reading" % what)
        for kept in (self._texts, self._folders, self.facts):
            kept.clear()

    def write_value(self, path, text):
        """Give a value to a kernel file that exists. Raises OSError as the kernel gave it; never creates a file."""
        self._may_change("writing %s" % path)
        if not self.live:  # A plain file: replaced at once, where the kernel would take the value at once.
            self.write_file(self.real(path), text.encode(), self.mode(self.real(path)))
            return
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(handle, text.encode())
        finally:
            os.close(handle)

    def write_bytes_at(self, path, offset, data):
        """Give some bytes of a kernel file that exists new values, in one call. Raises OSError as the kernel gave it."""
        self._may_change("writing %s" % path)
        if not self.live:
            whole = bytearray(self.read_bytes(path))
            whole[offset:offset + len(data)] = data
            self.write_file(self.real(path), bytes(whole), self.mode(self.real(path)))
            return
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            if os.pwrite(handle, data, offset) != len(data):
                raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        finally:
            os.close(handle)

    def write_file(self, path, data, mode=0o644):
        """Put a whole file in place at once: a reader, or a run after a kill, sees the old one or the new one."""
        self._may_change("writing %s" % path)
        place = self.locate(path)
        temporary = place + _TEMPORARY
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fchmod(handle, mode)
                os.fsync(handle)
        except OSError as error:
            os.unlink(temporary)
            error.filename = path
            raise
        os.rename(temporary, place)
        self._settle(os.path.dirname(place))

    def set_limit(self, pid, name, pair):
        """Give a running process the soft and hard limit of RLIMIT_name; an infinite float is infinity.

        Raises OSError as the kernel gave it.
        """
        self._may_change("setting a limit of process %s" % pid)
        if not self.live:
            raise OSError(errno.ENOSYS, "%s is not the running system" % self.root)
        numbers = [resource.RLIM_INFINITY if limit == float("inf") else limit for limit in pair]
        resource.prlimit(pid, getattr(resource, "RLIMIT_" + name), tuple(numbers))

    def write_link(self, path, target):
        """Put a symbolic link in place at once."""
        self._may_change("linking %s" % path)
        place = self.locate(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(place + _TEMPORARY)
        os.symlink(target, place + _TEMPORARY)
        os.rename(place + _TEMPORARY, place)
        self._settle(os.path.dirname(place))

    def remove_file(self, path):
        """Remove a file if it is there, and what a killed write of it left behind."""
        self._may_change("removing %s" % path)
        place = self.locate(path)
        for name in (place + _TEMPORARY, place):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
                self._settle(os.path.dirname(name))

    def make_folder(self, path, mode=0o755):
        """Make a folder and its missing parents; returns those that were made, outermost first."""
        self._may_change("making %s" % path)
        made = []
        parts = [part for part in path.split("/") if part]
        for count in range(1, len(parts) + 1):
            folder = "/" + "/".join(parts[:count])
            if not self.is_folder(folder):
                os.mkdir(self.locate(folder), mode)
                self._settle(os.path.dirname(self.locate(folder)))
                made.append(folder)
        return made

    def remove_folder(self, path):
        """Remove a folder if it is empty."""
        self._may_change("removing %s" % path)
        with contextlib.suppress(OSError):
            os.rmdir(self.locate(path))

    @staticmethod
    def _settle(folder):
        """Make a rename, a removal or a new folder outlive a power cut."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno != errno.EINVAL:  # What a folder of configfs answers: it has no disk.
                raise
        finally:
            os.close(handle)

    # -- commands and the lock ----------------------------------------------------------------------------------------

    def run(self, argv, seconds=COMMAND_SECONDS, changes=True):
        """Start a command and return (exit status, output, errors). `changes` is False for one that only asks.

        Raises CommandNotRun if it is not found, if this is not the running system, or after the time limit: then the
        command is killed but not waited for, since a process in D state would hold us too.
        """
        if changes:
            self._may_change("running %s" % argv[0])
        if not self.runs_commands:
            raise CommandNotRun("%s: not started, %s is not the running system" % (argv[0], self.root))
        environment = dict(os.environ, LC_ALL="C", PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        try:
            process = subprocess.Popen(  # pylint: disable=consider-using-with
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                start_new_session=True, universal_newlines=True, errors="replace")
        except OSError as error:
            raise CommandNotRun("%s: %s" % (argv[0], error.strerror))
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            raise CommandNotRun("%s: no answer after %d s" % (argv[0], seconds))
        return process.returncode, output, errors

    @contextlib.contextmanager
    def only_one(self, path, owner):
        """Hold the lock file `path` for the time of a change. Raises Locked with the words of whoever holds it."""
        self._may_change("locking %s" % path)
        place = self.locate(path)
        while True:
            handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.read(handle, 4096).decode("utf-8", "replace").strip()
                os.close(handle)
                raise Locked(holder or "an unnamed run")
            with contextlib.suppress(FileNotFoundError):
                if os.stat(place).st_ino == os.fstat(handle).st_ino:
                    break
            os.close(handle)  # The holder before us removed it between our open and our lock: take the new one.
        try:
            os.ftruncate(handle, 0)
            os.write(handle, json.dumps(dict(owner, pid=os.getpid())).encode())
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)
            os.close(handle)

    @staticmethod
    def now():
        """The time of day, in whole seconds since the epoch."""
        return int(time.time())

    @staticmethod
    def wait(seconds):
        """Let time pass."""
        time.sleep(seconds)
