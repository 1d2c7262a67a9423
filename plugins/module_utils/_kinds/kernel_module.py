# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind kernel_module: a module that is loaded now, and by modules-load.d at boot.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. What is built into the kernel counts as loaded.
A rollback unloads what we loaded, unless somebody uses it by then.
"""

from __future__ import annotations

import errno

from .._host import CommandNotRun
from .._owners import modprobe

FOLDER = "/etc/modules-load.d"
KEYED_BY = "target"
VOLATILE = False
OWNER = None
ABSENT = "there is no such module for the kernel that runs here"
LAST_BACK = True  # What comes back before it, as the way TCP is controlled, may be what uses the module.
LOADED, UNLOADED = "loaded", "unloaded"
_SECONDS = 60  # A driver may look for its devices first.


def files(role):
    """Our file for a role."""
    return [file(role, "")]


def file(role, target, taken=False):
    """Our file for a module."""
    return "%s/90-gpuwright-%s.conf" % (FOLDER, role)


def places(host, row, options):
    """[(target, path, fields)]; empty where the module is neither loaded nor built for this kernel."""
    here = modprobe.is_loaded(host, row.name) or modprobe.is_built(host, row.name)
    return [(row.name, "/sys/module/" + modprobe.canonical(row.name), {})] if here else []


def read(host, target, path):
    """Whether it is there."""
    return LOADED if modprobe.is_loaded(host, target) else UNLOADED


def write(host, target, path, text):
    """Load it, or unload it if nobody uses it. What it needed was loaded with it and stays: others may use that."""
    if read(host, target, path) == text:
        return
    if text == LOADED:
        _run(host, ["modprobe", target])
    elif not modprobe.uses(host, target):
        _run(host, ["rmmod", target])


def _run(host, argv):
    """Start a command. A module that cannot be loaded now is rejected: it would fail at every boot."""
    try:
        status, output, errors = host.run(argv, seconds=_SECONDS)
    except CommandNotRun as error:
        raise OSError(errno.ENOSYS, str(error)) from error
    if status:
        words = (errors.strip() or output.strip() or "exit status %d" % status).splitlines()[-1]
        raise OSError(errno.EINVAL, words)


def compose(head, entries):
    """The text of our file."""
    return head + "".join(sorted("%s\n" % target for target, _path, _value in entries))


def parse(text):
    """What our file loads, by target."""
    return {line: LOADED for line in text.splitlines() if line and not line.startswith("#")}


def identity(row, target, path):
    """What names the original in the journal."""
    return "kernel_module:" + modprobe.canonical(target)


def in_force(host, row, target, path):
    """(path, text) to write to get today's state back."""
    return path, read(host, target, path)


def others(host):
    """What bars modules from being loaded, and what has them at boot already."""
    return modprobe.barred(host) + modprobe.built_in(host) + modprobe.loads(host)


def rival(settled, row, target, path, ours, value):
    """What keeps it from being loaded, or None."""
    found = [item for item in settled
             if item["module"] == modprobe.canonical(target) and item["directive"] != "load"]
    return dict(found[0], value="", words="%(file)s:%(line)s keeps it from being loaded (%(directive)s)" % found[0]
                ) if found else None


def given(settled, row, target, ours, value):
    """The file that loads it at boot already, or the list of what is built in, or None."""
    found = [item for item in settled if item["module"] == modprobe.canonical(target) and item["file"] != ours
             and item["directive"] == "load"]
    return found[0] if found else None


def given_by_others(host, target, ours):
    """Of a module that is still loaded: who uses it, in words, or None."""
    used = modprobe.uses(host, target)
    return "%s is %s, and stays until the next boot" % (target, used) if used else None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
