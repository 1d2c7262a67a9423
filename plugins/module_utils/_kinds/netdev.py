# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind netdev: MTU, rings, channels and coalescing of a network interface, kept in a .link file of ours for each.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. udev applies the first .link file that matches
and no other, so ours holds all that the file says which would apply without us, in the same words: the name of the
interface and its address come out the same. It matches by both the device's path and its own address: where one of
them has changed, ours is not read, and the other file is, as if we were not there.
"""

from __future__ import annotations

import contextlib
import errno
import re

from .._owners import ethtool, link_files, link_obstacles, link_options

NET = link_files.NET
KEYED_BY = "target"
VOLATILE = False
OWNER = None
ABSENT = "there is no such interface here, or its driver has no such setting"
_MTU = "link/mtu"
_OURS = "# And what we set for "


class Interface(str):
    """The folder of an interface in /sys that knows what our .link file for it copies: compose() asks no host."""

    match = ""
    copied = ""
    origin = None


def files(role):
    """Our files for a role, one an interface; the name sorts before everybody's."""
    return [file(role, "*/")]


def file(role, target, taken=False):
    """Our file for an interface."""
    return "%s/%s%s-%s.link" % (link_files.FOLDERS[0], link_files.OURS, role, target.partition("/")[0])


def places(host, row, options):
    """[(target, path, fields)] for each interface that is here; no path for one whose driver has no such setting."""
    found = []
    for name in options.get(row.devices) or ():
        if not host.exists("%s/%s" % (NET, name)):
            continue
        path, fields = _interface(host, name), {"device": name}
        group, _slash, setting = row.name.partition("/")
        if row.name != _MTU:
            with contextlib.suppress(OSError):  # What it is will be said when it is read.
                known = ethtool.read(host, name, group)
                path = path if setting in known["now"] else None
                fields.update({"most": known["most"][setting]} if setting in known["most"] else {})
        found.append(("%s/%s" % (name, row.name), path, fields))
    return found


def devices(host):
    """Every interface but the loopback; which of them cannot be set is said by `others`."""
    return {name: "a network interface" for name in host.names(NET)
            if name != "lo" and host.is_folder("%s/%s" % (NET, name))}


def _interface(host, name):
    """The path of an interface with what our file for it is made of."""
    it = link_files.device(host, name)
    path = Interface("%s/%s" % (NET, name))
    path.origin = link_files.winner(host, it)
    keys = (("Path", it["path"]), ("PermanentMACAddress", it["mac"]))
    path.match = "".join("%s=%s\n" % (key, value) for key, value in keys if value)
    section = None
    for item in link_files.lines(host, path.origin) if path.origin else ():
        if item["section"][2] != "Match":
            path.copied += "" if item["section"] == section else "[%s]\n" % item["section"][2]
            path.copied += "%s=%s\n" % (item["key"], item["value"])
            section = item["section"]
    return path


def read(host, target, path):
    """What is in force."""
    name, row = _parts(target)
    if row == _MTU:
        return host.read("%s/%s/mtu" % (NET, name))
    if not host.exists("%s/%s" % (NET, name)):
        raise FileNotFoundError(errno.ENOENT, "there is no such interface any more", path)
    group, _slash, setting = row.partition("/")
    known = ethtool.read(host, name, group)["now"]
    if setting not in known:
        raise OSError(errno.EOPNOTSUPP, "the driver of %s no longer has %s" % (name, row))
    return known[setting]


def _parts(target):
    name, _slash, row = target.partition("/")
    return name, row


def write(host, target, path, text):
    """Put a value in force, unless `commit` has done it: each write can reset the link."""
    name, row = _parts(target)
    if read(host, target, path) == text:
        return
    if row != _MTU:
        group, _slash, setting = row.partition("/")
        ethtool.write(host, name, group, {setting: text})
        return
    try:
        host.write_value("%s/%s/mtu" % (NET, name), text)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise OSError(errno.EINVAL, "%s takes no MTU of %s: `ip -d link show %s` says from what to what" % (
            name, text, name))


def commit(host, steps, changed):
    """Set what belongs together in one call, for each can reset the link; write() sees to what fails here."""
    groups = {}
    for step in steps:
        name, row = _parts(step["target"])
        if row != _MTU and step["running"] != step["_force"]:
            group, _slash, setting = row.partition("/")
            groups.setdefault((name, group), {})[setting] = step["_force"]
    for (name, group), values in sorted(groups.items()):
        if len(values) > 1:
            with contextlib.suppress(OSError):
                ethtool.write(host, name, group, values)


def compose(head, entries):
    """The text of our .link file for one interface."""
    name, path = _parts(entries[0][0])[0], entries[0][1]
    says = link_files.COPIED_FROM % path.origin if path.origin else "# No other applies."
    lines = "".join("%s=%s\n" % link_options.line(_parts(target)[1], value) for target, _path, value in entries)
    return ("%s# udev applies the first .link file that matches and no other.\n[Match]\n%s\n%s\n%s\n%s%s.\n[Link]\n%s"
            % (head, path.match, says, path.copied, _OURS, name, lines))


def parse(text):
    """Our values in a file of ours, by target; those that are copied are not."""
    _copied, _mark, ours = text.partition(_OURS)
    name = ours.partition(".\n[Link]")[0]
    return {"%s/%s" % (name, link_options.row(option)): link_options.value(option, value)
            for option, value in re.findall(r"^(\w+)=(.+)$", ours, re.MULTILINE) if link_options.row(option)}


def persisted(host, row, target):
    """An original that comes back has no line in any file: what is copied of others' files is theirs."""
    return {"configured": None, "file": None} if row is None else None


def identity(row, target, path):
    """What names the original in the journal."""
    return "netdev:" + target


def in_force(host, row, target, path):
    """(path, text) to write to get today's state back."""
    return str(path), row.value.read(read(host, target, path))


def others(host):
    """What stands in the way of our files: see _owners/link_obstacles.py."""
    return link_obstacles.found(host, devices(host))


def rival(settled, row, target, path, ours, value):
    """What stands in the way of this setting of this interface, unless it gives the same value."""
    name = _parts(target)[0]
    for item in settled:
        if item["device"] in (None, name) and item["row"] in (None, row.name) and item["value"] != value:
            return item
    return None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
