# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This very process: the CPUs and the memory that it may use, its environment, and the program that it becomes.

PRIVATE to the collection. Beside _host.py, which touches the machine, the one file that calls the operating system;
it changes nothing but the process that calls it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import signal

from . import _cpulist

# No libc has set_mempolicy(2) itself, and libnuma is not everywhere; the numbers are from the kernel's own tables.
_SET_MEMPOLICY = {"x86_64": 238, "aarch64": 237, "riscv64": 237, "loongarch64": 237, "ppc64le": 261, "s390x": 270}
_PREFERRED, _BIND, _PREFERRED_MANY = 1, 2, 5
_LONG = 8 * ctypes.sizeof(ctypes.c_ulong)


def cpus():
    """The CPUs that the control group of this process leaves to it, whatever part of them it was bound to.

    The kernel knows: it cuts a mask of everything down to just those, which is then taken back.
    """
    bound = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, range(_cpulist.HIGHEST))
    except OSError:
        return bound
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, bound)
    return allowed


def bind_cpus(numbers):
    """Run on these CPUs alone, as will all that this process starts. Raises OSError."""
    os.sched_setaffinity(0, numbers)


def memory_nodes():
    """The NUMA nodes that this process may take memory from, by its control group."""
    listed = re.search(rb"^Mems_allowed_list:\s*(\S*)", _own("status"), re.M)
    return set(_cpulist.parse(listed.group(1).decode())) if listed else {0}


def bind_memory(nodes, strict):
    """Take memory from these NUMA nodes first, or from no others if `strict`. Raises OSError.

    Kernels before 5.15 know one preferred node only: then it is the first.
    """
    if strict:
        _set_mempolicy(_BIND, nodes)
    elif len(nodes) == 1:
        _set_mempolicy(_PREFERRED, nodes)
    else:
        try:
            _set_mempolicy(_PREFERRED_MANY, nodes)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            _set_mempolicy(_PREFERRED, nodes[:1])


def _set_mempolicy(mode, nodes):
    number = _SET_MEMPOLICY.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    words = max(nodes) // _LONG + 1
    mask = (ctypes.c_ulong * words)()
    for node in nodes:
        mask[node // _LONG] |= 1 << node % _LONG
    libc = ctypes.CDLL(None, use_errno=True)
    # The kernel takes the number of bits plus one.
    if libc.syscall(ctypes.c_long(number), ctypes.c_int(mode), mask, ctypes.c_ulong(words * _LONG + 1)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def environment():
    """The environment as this process was given it: Python itself adds LC_CTYPE to a bare one."""
    pairs = [pair.partition(b"=") for pair in _own("environ").split(b"\0") if pair]
    return {os.fsdecode(name): os.fsdecode(value) for name, _equals, value in pairs}


def _own(name):
    """What /proc says of this process."""
    handle = os.open("/proc/self/" + name, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        return stream.read()


def become(argv, given):
    """Become the program argv[0], found as a shell would, with this environment; only an OSError comes back.

    Python ignores SIGPIPE and SIGXFSZ; a program would inherit that, and no other does so.
    """
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execvpe(argv[0], argv, given)
