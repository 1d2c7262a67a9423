# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd-boot with kernel-install: /etc/kernel/cmdline, from which the entries of all kernels are made.

PRIVATE to the collection. The file is shared with others: of ours each argument is an original of its own, and every
other byte stays.
"""

from __future__ import annotations

from .. import _cmdline
from .._host import CommandNotRun
from . import bls, grub_d

NAME = "kernel-install"
COMMANDS = ("/usr/bin/kernel-install", "/bin/kernel-install")
CMDLINE = "/etc/kernel/cmdline"
UNVERIFIED = "unverified: kernel arguments through kernel-install were never tried on a machine with systemd-boot"
_LOADER_INFO = "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
_SECONDS = 300


def here(host):
    """Whether this is how the machine boots: the firmware was told so, or there is no other boot loader."""
    told = loader(host)
    if told is not None:
        return told.startswith("systemd-boot")
    return (any(host.exists(boot + "/loader/loader.conf") for boot in bls.BOOT)
            and not any(host.exists(path) for path in ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")))


def loader(host):
    """What the boot loader called itself to the firmware, or None."""
    try:
        return host.read_bytes(_LOADER_INFO)[4:].decode("utf-16-le", "replace").rstrip("\0")
    except OSError:
        return None


def lacking(host):
    """Why the arguments cannot be changed here though systemd-boot it is, or None."""
    images = [folder for folder in (boot + "/EFI/Linux" for boot in bls.BOOT)
              if any(name.lower().endswith(".efi") for name in host.names(folder))]
    if images:
        return ("the kernels here are unified images in %s, with the command line inside: put the argument into %s and "
                "have the images built and signed again" % (images[0], CMDLINE))
    if not any(host.exists(path) for path in COMMANDS):
        return "systemd-boot without kernel-install: nobody here makes its entries anew"
    if not host.exists(CMDLINE):
        return ("there is no %s, so kernel-install would copy the running command line: write it first, as with "
                "cp /proc/cmdline %s" % (CMDLINE, CMDLINE))
    if bls.folder(host) is None:
        return "systemd-boot without an entry in loader/entries that can be read"
    return None


def generated(host, key):
    """[(kernel version, value)] of the entries."""
    return [(one.version, _cmdline.value(one.options, key)) for one in bls.entries(host)]


def sources(host):
    """[(file, command line)] from which the entries are made."""
    return [(CMDLINE, host.text(CMDLINE) or "")]


def others(host):
    """The longest entry: all the rest is in the one file, where each key has one value."""
    found = sorted(bls.entries(host), key=lambda one: len(one.options))
    return [{"loader": NAME, "file": one.file, "name": one.file, "line": one.line, "options": one.options}
            for one in found[-1:]]


def rival(settled, key, value):
    """The entry whose command line would no longer fit into the kernel's buffer, or None."""
    for item in settled:
        length = len(_cmdline.put(item["options"], key, value))
        if length > grub_d.LONGEST:
            return dict(item, key=key, value=None, words="%s would be %d characters long, and the kernel keeps %d"
                        % (item["file"], length, grub_d.LONGEST))
    return None


def commit(host, steps):
    """Edit the file, then have the entries of all kernels that have one made anew; a failure takes the edit back."""
    if not steps:
        return
    path = host.real(CMDLINE)
    before = host.read_bytes(path)
    line = before.decode("utf-8", "surrogateescape")
    for step in steps:
        line = _cmdline.put(line, step["target"], step["desired"])
    after = line.encode("utf-8", "surrogateescape")
    if after != before:
        host.write_file(path, after, host.mode(path))
    try:
        for version, image in _kernels(host):
            status, _output, errors = host.run(["kernel-install", "add", version, image], seconds=_SECONDS)
            if status:
                raise CommandNotRun("kernel-install add %s: %s"
                                    % (version, errors.strip() or "exit status %d" % status))
    except (CommandNotRun, OSError):
        if after != before:
            host.write_file(path, before, host.mode(path))
        raise


def _kernels(host):
    """[(version, image)] of the installed kernels that have an entry."""
    known = " ".join(one.version + " " + one.file for one in bls.entries(host))
    found = []
    for folder in ("/usr/lib/modules", "/lib/modules"):
        for version in host.names(folder):
            images = [path for path in ("%s/%s/vmlinuz" % (folder, version), "/boot/vmlinuz-" + version)
                      if host.exists(path)]
            if images and version in known and version not in [one for one, _image in found]:
                found.append((version, images[0]))
    if not found:
        raise CommandNotRun("kernel-install: no installed kernel has an entry in %s" % bls.folder(host))
    return found
