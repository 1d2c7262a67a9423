# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of a .link file of ours: what an interface is, other files, its manager, an old systemd.

PRIVATE to the collection. Each is {device, row, value, words}; None as device or row is any, None as value is none that
could be the same as ours.
"""

from __future__ import annotations

import re

from .._host import CommandNotRun
from . import link_files, link_manager, link_options

_OF_THE_SYSTEM = ("/usr/", "/lib/")


def found(host, devices):
    """All of them for these interfaces."""
    items = _too_old(host)
    for name in devices:
        it = link_files.device(host, name)
        blocked = _blocked(host, it)
        if blocked:
            items.append(_item(name, None, None, blocked))
        else:
            items += _port(host, name) + _in_files(host, it)
            items += [_item(name, said["property"], said["value"], said["words"])
                      for said in link_manager.stated(host, it)]
    return items


def _item(name, row, value, words):
    return {"device": name, "row": row, "value": value, "words": words, "file": "", "name": "", "line": 0}


def _too_old(host):
    """One for each option that the systemd of this machine does not know yet."""
    try:
        version = int(re.match(r"\d+", host.run(["udevadm", "--version"], changes=False)[1]).group())
    except (CommandNotRun, AttributeError):
        return []
    return [_item(None, row, None, "systemd %d here has no %s= in .link files, which came with %d: it would be lost at "
                  "the next boot" % (version, option, since))
            for row, (option, since) in link_options.OPTIONS.items() if since > version]


def _blocked(host, it):
    """Why no .link file of ours is to be for an interface, or None."""
    name, folder = it["name"], "%s/%s" % (link_files.NET, it["name"])
    if not host.exists(folder + "/device"):
        below = [entry[6:] for entry in host.names(folder) if entry.startswith("lower_")]
        return "%s is no device, but made by software%s: set its MTU where it is made" % (
            name, " over %s, whose rings and channels it uses" % ", ".join(below) if below else "")
    if not it["udev"]:
        return "udev knows nothing of %s, so no .link file is ever read for it" % name
    if not it["path"] and not it["mac"]:
        return "%s has neither a path nor an address of its own that a .link file could know it by" % name
    unclear = link_files.undecided(host, it)
    if unclear:
        return "whether %s applies to %s can only be told after the next boot: it started with ours" % (unclear, name)
    path = link_files.winner(host, it)
    if path and path.rpartition("/")[2] < link_files.OURS:
        return "%s matches %s and sorts before ours, which would never be read: rename it" % (path, name)
    after = link_files.name_of(link_files.lines(host, path), it) if path else None
    if after not in (None, name):
        return "the next boot would call %s %s, by %s: bring its name and the .link files together first" % (
            name, after, path)
    return None


def _port(host, name):
    """The MTU of a bond's port is the bond's."""
    if not host.exists("%s/%s/bonding_slave" % (link_files.NET, name)):
        return []
    bond = (host.link("%s/%s/master" % (link_files.NET, name)) or "a bond").rpartition("/")[2]
    return [_item(name, "link/mtu", None, "%s is a port of %s, which gives it its own MTU: set it where that is made"
                  % (name, bond))]


def _in_files(host, it):
    """What an administrator's .link file says that applies to the interface: ours would undo it."""
    path = link_files.winner(host, it)
    items = []
    for line in link_files.lines(host, path) if path else ():
        row = link_options.row(line["key"])
        if row and line["section"][2] == "Link" and not line["file"].startswith(_OF_THE_SYSTEM):
            items.append(_item(it["name"], row, link_options.value(line["key"], line["value"]),
                               link_manager.words(host, it["name"], line)))
    return items
