# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that changes the machine: write, link, lock and run below one root; _files.py reads.

PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import resource
import signal
import subprocess
import tempfile
import time

from . import _supervise
from ._files import Files

_TEMPORARY = ".gpuwright-new"
COMMAND_SECONDS = 10


class ReadOnlyHost(Exception):
    """Somebody tried to change a machine that was opened for reading: a defect of ours, never the user's fault."""


class CommandNotRun(Exception):
    """A command was not found, must not be started here, or outlasted its time limit; the text says which."""


class Locked(Exception):
    """Another run is changing this node; the text names it."""


class Host(Files):
    """One machine below `root`. With `read_only`, everything that changes it raises ReadOnlyHost.

    `facts` is for whoever derives more from what holds still during a run: it is empty again after a change.
    """

    def __init__(self, root="/", read_only=True):
        super().__init__(root)
        self.read_only = read_only
        self.facts = {}

    @staticmethod
    def is_root():
        """Whether this process may change the machine."""
        return os.geteuid() == 0

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
        """Give some bytes of a kernel file that exists new values, in one call. Raises OSError as the kernel did."""
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
        """Make a folder and its missing parents; returns those that were made, outermost first.

        Their mode is `mode` from the first moment on, whatever umask this process was given: users read below them.
        """
        self._may_change("making %s" % path)
        made = []
        parts = [part for part in path.split("/") if part]
        for count in range(1, len(parts) + 1):
            folder = "/" + "/".join(parts[:count])
            if not self.is_folder(folder):
                narrow = os.umask(0)
                try:
                    os.mkdir(self.locate(folder), mode)
                finally:
                    os.umask(narrow)
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

    def launch(self, argv, folder, environment, seconds, lease):
        """Start a command that outlives this process, held as _supervise.py says; `environment` is all that it has."""
        self._may_change("starting %s" % argv[0])
        if not self.runs_commands:
            raise CommandNotRun("%s: not started, %s is not the running system" % (argv[0], self.root))
        _supervise.start(argv, folder, environment, seconds, lease)

    def ask_after(self, folder):
        """Tell the supervisor of a launched command that it is still wanted. Raises OSError where it is gone."""
        self._may_change("asking after %s" % folder)
        _supervise.beat(folder)

    def launched(self, parent, prefix):
        """The folders of this user's launched commands: {folder: whether its supervisor is there}."""
        return _supervise.runs(parent, prefix) if self.runs_commands else {}

    def end_launched(self, folder):
        """End a launched command and remove its folder; returns whether anything of it ran."""
        self._may_change("ending what %s started" % folder)
        return _supervise.end(folder)

    def make_private_folder(self, parent, prefix):
        """Make a folder of a new name that is for this user alone; returns it."""
        self._may_change("making a folder in %s" % parent)
        return tempfile.mkdtemp(prefix=prefix, dir=parent)

    @staticmethod
    def environment():
        """The environment of this process."""
        return dict(os.environ)

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
    @contextlib.contextmanager
    def to_the_end():
        """Let neither a connection that closes (SIGHUP) nor Ctrl-C (SIGINT) end this process or its commands meanwhile.

        Else an operator who stops Ansible leaves a node between two states, such as with its engine stopped.
        """
        before = {}
        with contextlib.suppress(ValueError):  # Only the main thread may; another one is not asked either.
            before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGHUP, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler or signal.SIG_DFL)

    @staticmethod
    def now():
        """The time of day, in whole seconds since the epoch."""
        return int(time.time())

    @staticmethod
    def wait(seconds):
        """Let time pass."""
        time.sleep(seconds)
