# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds a command that outlives the module that starts it, and ends it when nobody asks after it any more.

PRIVATE to the collection. Beside _host.py and _files.py the only file that touches the machine. The command has a
session of its own: mpirun gives each rank a process group, so only the session holds all of them. Its folder has
`output`, `pid` (the session, and when and in which boot it began), `status` once it ended, and `beat`, which whoever
asks touches and the supervisor keeps locked as long as it lives. A folder of another user is never looked into: it lies
where everybody may make one of any name, and says which processes to end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import time

OUTPUT, PID, STATUS, BEAT = "output", "pid", "status", "beat"
TIMED_OUT = "timed out"
_LOOK_SECONDS = 0.1
_FORK_SECONDS, _GRACE_SECONDS = 60, 10
_BEGIN_SECONDS = 3600  # A folder without a beat is older only if whoever made it was killed right then.


def start(argv, folder, environment, seconds, lease):
    """Start a command in a folder that is there, and return once it runs or could not be started.

    Its supervisor is a process that nobody waits for. Raises OSError where it does not begin.
    """
    place = os.path.join(folder, BEAT)
    lock = os.open(place + ".new", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # Of the open file: the supervisor inherits it, and the kernel ends it with it.
    os.rename(place + ".new", place)  # Only now: a beat that nobody holds is what a killed supervisor leaves.
    child = os.fork()
    if child:
        os.close(lock)
        os.waitpid(child, 0)
        if _wait(lambda: os.path.exists(os.path.join(folder, PID)) or not is_held(folder), _FORK_SECONDS):
            return
        raise OSError("%s: what is to watch the run did not begin within %d s" % (folder, _FORK_SECONDS))
    try:
        os.setsid()
        if os.fork() == 0:
            _leave(lock)
            _hold(argv, folder, environment, seconds, lease)
    finally:
        os._exit(0)  # pylint: disable=protected-access


def beat(folder):
    """Somebody still asks. Raises OSError where the folder or the supervisor is gone."""
    if not is_held(folder):
        raise OSError("%s: what watched the run was ended from outside: out of memory, a full disk, a reboot, or "
                      "KillUserProcesses= of logind" % folder)
    os.utime(os.path.join(folder, BEAT))


def is_held(folder):
    """Whether a folder of this user has a supervisor, or is about to."""
    if not _is_ours(folder):
        return False
    try:
        handle = os.open(os.path.join(folder, BEAT), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        with contextlib.suppress(OSError):
            return time.time() - os.stat(folder).st_mtime < _BEGIN_SECONDS
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def runs(parent, prefix):
    """The folders of this user's commands: {folder: whether it has a supervisor}."""
    places = [os.path.join(parent, name) for name in sorted(os.listdir(parent)) if name.startswith(prefix)]
    return {place: is_held(place) for place in places if _is_ours(place)}


def _is_ours(folder):
    """Whether this user made a folder, and for nobody else."""
    with contextlib.suppress(OSError):
        found = os.lstat(folder)
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    return False


def end(folder, grace=_GRACE_SECONDS):
    """End what a folder's command started, politely first, and remove the folder; returns whether anything ran."""
    if not _is_ours(folder):
        return False
    session = _recorded(folder)
    ran = session is not None and _end_session(session, grace)
    _wait(lambda: _gone(folder), grace)
    return ran


def _wait(come, seconds):
    """Wait until something has come about, but not for ever; returns whether it did."""
    until, late = time.monotonic() + seconds, False
    while not come() and not late:
        time.sleep(_LOOK_SECONDS)
        late = time.monotonic() > until
    return not late or come()


def _gone(folder):
    """Whether a folder is removed: the supervisor may write into it while it goes."""
    shutil.rmtree(folder, ignore_errors=True)
    return not os.path.exists(folder)


def _leave(lock):
    """Let go of all but the lock: of the terminal, the pipes and the folder of whoever started this."""
    os.chdir("/")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    empty = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(empty, number)
    os.closerange(3, lock)
    os.closerange(lock + 1, 4096)


def _hold(argv, folder, environment, seconds, lease):
    """A command from its start until nobody asks any more; the folder goes with it."""
    process = None
    try:
        with open(os.path.join(folder, OUTPUT), "ab") as output:
            process = _begin(argv, output, environment)
        _put(folder, PID, "%d %s %s" % (process.pid, _began(process.pid), _boot()) if process else "")
        _watch(process, folder, seconds, lease)
    finally:  # A full disk too: what cannot say how it ended is ended.
        if process:
            _end_session(process.pid, _GRACE_SECONDS, process)
        shutil.rmtree(folder, ignore_errors=True)


def _begin(argv, output, environment):
    """The process of a command, None where it could not be started: then the output says why."""
    try:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment,
                                start_new_session=True)
    except OSError as error:
        output.write(("%s: %s\n" % (argv[0], error.strerror)).encode())
    return None


def _watch(process, folder, seconds, lease):
    """Wait for the command's end, its time limit, and that nobody asks any more."""
    begun = asked = time.monotonic()
    last, ended = None, False
    while True:
        now, seen = time.monotonic(), _beaten(folder)
        if seen != last:
            last, asked = seen, now
        if seen is None or now - asked > lease:  # The folder was removed, or whoever asked is gone.
            break
        if not ended:
            ended = _ended(process, folder, now - begun > seconds)
        time.sleep(_LOOK_SECONDS)


def _ended(process, folder, late):
    """Whether the command is over; then `status` says how."""
    status = process.poll() if process else 127
    if status is None and not late:
        return False
    if status is None:
        _end_session(process.pid, _GRACE_SECONDS, process)
        _put(folder, STATUS, TIMED_OUT)
    else:
        _put(folder, STATUS, str(status))
    return True


def _end_session(session, grace, process=None):
    """Ask all of a session to end, then end what did not; returns whether there was any."""
    found = _members(session)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _members(session):
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        _wait(lambda: not _members(session), grace)
    if process:
        process.poll()  # Else it stays as a zombie.
    return bool(found)


def _members(session):
    """The processes of a session that are alive."""
    found = []
    for name in os.listdir("/proc"):
        fields = _stat(name) if name.isdigit() else []
        if len(fields) > 3 and fields[3] == str(session) and fields[0] not in "ZX":
            found.append(int(name))
    return found


def _stat(pid):
    """The fields of /proc/PID/stat from the state on, none where there is no such process."""
    with contextlib.suppress(OSError):
        with open("/proc/%s/stat" % pid, encoding="utf-8", errors="replace") as stream:
            return stream.read().rpartition(")")[2].split()
    return []


def _began(pid):
    """When a process was started, in the kernel's ticks since the boot; "" where there is none."""
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""


def _boot():
    """Which boot this is."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        return stream.read().strip()


def _recorded(folder):
    """The session of a folder's command, None where it never began or its number is another process's by now."""
    with contextlib.suppress(OSError, ValueError):
        with open(os.path.join(folder, PID), encoding="ascii") as stream:
            pid, began, boot = stream.read().split()
        return int(pid) if boot == _boot() and _began(pid) in (began, "") else None
    return None


def _beaten(folder):
    """When somebody asked last, None where the folder is gone."""
    with contextlib.suppress(OSError):
        return os.stat(os.path.join(folder, BEAT)).st_mtime_ns
    return None


def _put(folder, name, text):
    """A file of the folder at once, for a reader must not see half of it. Raises OSError."""
    place = os.path.join(folder, name)
    with open(place + ".new", "w", encoding="ascii") as stream:
        stream.write(text)
    os.rename(place + ".new", place)
