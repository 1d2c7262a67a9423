# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How this machine's kernel command line is made: told by the files that are here, with nothing started.

PRIVATE to the collection.
"""

from __future__ import annotations

from . import bls, grub_d, grubby, kernel_install

LOADERS = {grub_d.NAME: grub_d, grubby.NAME: grubby, kernel_install.NAME: kernel_install}
_OSTREE = "/run/ostree-booted"


def find(host):
    """(the module that knows the boot loader, None), or (None, why none of ours can change the command line here)."""
    if host.exists(_OSTREE):
        return None, _ostree(host)
    if kernel_install.here(host):
        words = kernel_install.lacking(host)
        return (None, words) if words else (kernel_install, None)
    for known in (grubby, grub_d):
        if known.here(host):
            return known, None
    return None, _unknown(host)


def _ostree(host):
    """What changes the arguments of a machine whose system is an image."""
    if host.exists("/usr/bin/bootc") and host.is_folder("/usr/lib/bootc"):
        return ("this machine boots a bootc image: kernel arguments belong to the image, in /usr/lib/bootc/kargs.d/"
                "NAME.toml as kargs = [\"KEY=VALUE\"]")
    if host.exists("/usr/bin/rpm-ostree"):
        return ("this machine is deployed by rpm-ostree: use rpm-ostree kargs --append-if-missing=KEY=VALUE, and "
                "--delete-if-present=KEY=VALUE for the old one")
    return "this machine is deployed by OSTree without rpm-ostree or bootc: nothing of ours knows its kernel arguments"


def _unknown(host):
    """Words on what is here, where it is nothing that we know to write."""
    names = {
        "/etc/zipl.conf": "zipl", "/boot/extlinux/extlinux.conf": "extlinux", "/boot/firmware/cmdline.txt":
        "the Raspberry Pi's firmware", "/boot/grub2/grub.cfg": "GRUB without entries of the Boot Loader Specification",
        "/boot/grub/grub.cfg": "GRUB without update-grub and /etc/default/grub.d"}
    for path, name in names.items():
        if host.exists(path):
            return "the boot loader here is %s (%s), whose kernel arguments nothing of ours writes" % (name, path)
    if bls.folder(host):
        return "%s is made by something that nothing of ours knows" % bls.folder(host)
    return "there is no boot loader's configuration here (a container, a boot over the network or by kexec?)"
