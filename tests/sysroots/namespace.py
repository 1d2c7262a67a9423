# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network of one's own on this machine's real kernel: a child process with its own interfaces, routes and sysctls.

Made without root, too, where the kernel lets anybody have a namespace; nothing outside the child changes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import pickle
import subprocess
import time
import traceback

_NEW_NETWORK, _NEW_MOUNTS, _NEW_USER = 0x40000000, 0x00020000, 0x10000000


def inside(function, *arguments):
    """What `function` returns in a network of its own; what it raises there is an AssertionError here."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _enter()
            answer = (True, function(*arguments))
        except BaseException:  # pylint: disable=broad-exception-caught
            answer = (False, traceback.format_exc())
        os.write(writer, pickle.dumps(answer))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        data = stream.read()
    os.waitpid(pid, 0)
    worked, answer = pickle.loads(data)
    assert worked, answer
    return answer


def _enter():
    user, group = os.getuid(), os.getgid()
    kinds = _NEW_NETWORK | _NEW_MOUNTS | (0 if user == 0 else _NEW_USER)
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(kinds):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "unshare")
    if kinds & _NEW_USER:
        for name, text in (("setgroups", "deny"), ("uid_map", "0 %d 1" % user), ("gid_map", "0 %d 1" % group)):
            with contextlib.suppress(FileNotFoundError):
                pathlib.Path("/proc/self", name).write_text(text)
    command("mount", "--make-rprivate", "/")
    command("mount", "-t", "sysfs", "sysfs", "/sys")
    command("ip", "link", "set", "lo", "up")


def command(*argv):
    """Run a command that has to work; returns what it says."""
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


def rails(**addresses):
    """An interface that is up for each name, with these addresses, on a cable of its own.

    The kernel sees a cable a little later than it is plugged in, and makes routes then: nothing is left to be made.
    """
    for name in addresses:
        command("ip", "link", "add", name, "type", "veth", "peer", "name", name + "-far")
        for end in (name, name + "-far"):
            command("ip", "link", "set", end, "addrgenmode", "none")
            command("ip", "link", "set", end, "up")
    ends = [pathlib.Path("/sys/class/net", name + end, "operstate") for name in addresses for end in ("", "-far")]
    deadline = time.monotonic() + 60
    while any(one.read_text().strip() != "up" for one in ends):
        assert time.monotonic() < deadline, "no carrier within a minute"
        time.sleep(0.01)
    for name, given in addresses.items():
        for one in given:
            command("ip", "address", "add", one, "dev", name, *(["nodad"] if ":" in one else []))
    local = ["local %s dev %s " % (one.partition("/")[0], name) for name, given in addresses.items() for one in given]
    while not all(route in "\n".join(routing()) for route in local):
        assert time.monotonic() < deadline, "an address without its route after a minute"
        time.sleep(0.01)


def routing():
    """All rules and routes, as text, in an order of their own; without those to groups, which come and go by a link."""
    shown = [command("ip", family, *words).splitlines() for family in ("-4", "-6")
             for words in (("rule",), ("route", "show", "table", "all"))]
    return sorted(line for lines in shown for line in lines if not line.startswith("multicast "))
