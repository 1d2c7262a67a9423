# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The initramfs of the running kernel: whether it holds a module, and how it is made anew.

PRIVATE to the collection. A module in it is loaded before the root file system is there, with the options that were
copied into it when it was made. Source: initramfs-tools(7), lsinitramfs(8), dracut(8), lsinitrd(1).
"""

from __future__ import annotations

from .._host import CommandNotRun
from . import modprobe

_LIST_SECONDS, _MAKE_SECONDS = 60, 600
DRACUT = ("/usr/bin/dracut", "/usr/sbin/dracut", "/sbin/dracut")
INITRAMFS_TOOLS = ("/usr/sbin/update-initramfs", "/sbin/update-initramfs")
UNVERIFIED = "making an initramfs anew with dracut was not tried on a real host yet"


def maker(host):
    """"update-initramfs", "dracut", or None where neither is here."""
    for name, paths in (("update-initramfs", INITRAMFS_TOOLS), ("dracut", DRACUT)):
        if any(host.exists(path) for path in paths):
            return name
    return None


def held(host, modules):
    """Those of the modules that the initramfs of the running kernel holds. Raises CommandNotRun."""
    release = host.text("/proc/sys/kernel/osrelease") or ""
    if maker(host) == "update-initramfs":
        path = "/boot/initrd.img-" + release
        listing = _asked(host, ["lsinitramfs", path]) if host.exists(path) else ""
    else:
        listing = _asked(host, ["lsinitrd", "--kver", release])
    found = {modprobe.of_file(words[-1]) for words in map(str.split, listing.splitlines())
             if words and ".ko" in words[-1]}
    return sorted(module for module in modules if modprobe.canonical(module) in found)


def make(host):
    """Make those of all kernels anew: another one may be the next to boot. Raises CommandNotRun."""
    commands = {"update-initramfs": ["update-initramfs", "-u", "-k", "all"],
                "dracut": ["dracut", "--force", "--regenerate-all"]}
    argv = commands[maker(host)]
    status, _output, errors = host.run(argv, seconds=_MAKE_SECONDS)
    if status:
        raise CommandNotRun("%s: %s" % (" ".join(argv), errors.strip() or "exit status %d" % status))


def _asked(host, argv):
    status, output, errors = host.run(argv, seconds=_LIST_SECONDS, changes=False)
    if status:
        raise CommandNotRun("%s: %s" % (" ".join(argv), errors.strip() or "exit status %d" % status))
    return output
