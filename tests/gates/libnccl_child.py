# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of its own that lets the real libnccl read its files, and prints the environment that it then has."""

from __future__ import annotations

import ctypes
import json
import os
import sys


def environment():
    """{name: value} as the C library has it: what a library sets does not reach os.environ."""
    table = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    found, entry = {}, 0
    while table[entry]:
        name, _sign, value = table[entry].decode().partition("=")
        found[name] = value
        entry += 1
    return found


def parameter(library, name):
    """What NCCL makes of one of the variables that it tells about, or None."""
    text, length = ctypes.c_char_p(), ctypes.c_int()
    if library.ncclParamGetParameter(name.encode(), ctypes.byref(text), ctypes.byref(length)):
        return None
    return text.value.decode()


def main():
    """argv: the library, then names of which NCCL is asked what it makes of their value."""
    library = ctypes.CDLL(sys.argv[1])
    version = ctypes.c_int()
    library.ncclGetVersion(ctypes.byref(version))
    library.ncclGetUniqueId(ctypes.create_string_buffer(128))  # The first call that needs an environment.
    set_by_nccl = {name: value for name, value in environment().items() if os.environ.get(name) != value}
    told = {name: parameter(library, name) for name in sys.argv[2:]}
    sys.stdout.write("\n" + json.dumps({"version": version.value, "set": set_by_nccl, "told": told}) + "\n")
    sys.stdout.flush()
    os._exit(0)  # Its listening thread is not waited for.


main()
