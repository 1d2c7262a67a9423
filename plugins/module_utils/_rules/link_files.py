# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule on the copies of .link files that an initramfs holds.

PRIVATE to the collection.
"""

from __future__ import annotations

from .finding import finding

# What makes the initramfs, and what of it copies .link files.
_COPIES = (("/usr/share/initramfs-tools/hooks/udev", "update-initramfs -u"),
           ("/usr/lib/dracut/modules.d/00systemd-network-management/module-setup.sh", "dracut -f"),
           ("/usr/lib/dracut/modules.d/01systemd-networkd/module-setup.sh", "dracut -f"))


def initramfs_has_copies(view):
    """udev applies .link files in the initramfs already, as they were when that was made, and then those on the disk.

    A name that is given there stays, and ours never gives another one: so nothing needs to be done at once.
    """
    due = [step for step in view.steps if step["kind"] == "netdev" and step["status"] == "drift"
           and step["configured"] != step["_line"]]
    makes = next((makes for path, makes in _COPIES if "systemd/network" in (view.text(path) or "")), None)
    if not due or makes is None:
        return []
    return [finding("initramfs", "I", due[0]["name"], "the initramfs keeps its copy of .link files until it is made "
                    "anew (%s): udev applies that first, and the files on the disk after it" % makes)]
