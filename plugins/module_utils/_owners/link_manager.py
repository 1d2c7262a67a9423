# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the manager of a network interface says of its MTU and its rings: NetworkManager, networkd, netplan, ifupdown.

PRIVATE to the collection. Each brings its values when it brings the link up, after udev: so they win over a .link file.
Reads files only. netplan writes files for NetworkManager or networkd, which are what counts; its own is named too.
"""

from __future__ import annotations

import re

from . import link_files, link_options

_PROFILES = ("/etc/NetworkManager/system-connections", "/run/NetworkManager/system-connections",
             "/usr/lib/NetworkManager/system-connections")
_SCRIPTS = ("/etc/sysconfig/network-scripts", "/etc/sysconfig/network")
_INTERFACES = "/etc/network/interfaces"
_NETPLAN = ("/etc/netplan", "/run/netplan", "/usr/lib/netplan")
_NETWORKD = "/run/systemd/netif"  # Made by networkd when it starts.
# NetworkManager's names, in the section [ethtool], and those of ifupdown's hook, by ours.
_NM = {"ring/rx": "ring-rx", "ring/tx": "ring-tx", "channels/rx": "channels-rx", "channels/tx": "channels-tx",
       "channels/combined": "channels-combined", "coalesce/adaptive-rx": "coalesce-adaptive-rx",
       "coalesce/adaptive-tx": "coalesce-adaptive-tx", "coalesce/rx-usecs": "coalesce-rx-usecs",
       "coalesce/tx-usecs": "coalesce-tx-usecs", "coalesce/rx-frames": "coalesce-rx-frames",
       "coalesce/tx-frames": "coalesce-tx-frames"}
_NM_MTU = (("ethernet", "mtu"), ("802-3-ethernet", "mtu"))
_IFUPDOWN = {"mtu": "link/mtu", "hardware-dma-ring-rx": "ring/rx", "hardware-dma-ring-tx": "ring/tx"}


def stated(host, it):
    """[{property, key, value, file, line, words}] of what managers say of a device, as link_files.device() knows it."""
    found = _networkd(host, it) + _network_manager(host, it) + _scripts(host, it) + _ifupdown(host, it)
    for item in found:
        item["words"] = words(host, it["name"], item)
    return found


def words(host, name, item):
    """Who says what of an interface, and where that is to be changed."""
    where = "%s:%d" % (item["file"], item["line"])
    of_netplan = _netplan(host, name) if "netplan" in item["file"] else None
    if of_netplan:
        where = "%s:%d, from which netplan makes %s," % (of_netplan + (item["file"],))
    return "%s sets %s = %s for %s: change it there" % (where, item["key"], item["value"], name)


def _item(name, key, value, file, line):
    return {"property": name, "key": key, "value": value, "file": file, "line": line}


def _networkd(host, it):
    """MTUBytes= of the .network file that applies."""
    if not host.is_folder(_NETWORKD):
        return []
    path = link_files.winner(host, it, ".network")
    return [_item("link/mtu", "MTUBytes", link_options.value("MTUBytes", item["value"]), item["file"], item["line"])
            for item in (link_files.lines(host, path) if path else ())
            if item["key"] == "MTUBytes" and item["section"][2] == "Link"]


def _network_manager(host, it):
    """The profiles that name the interface, or its address."""
    found = []
    for folder in _PROFILES:
        for name in host.names(folder):
            path = "%s/%s" % (folder, name)
            lines = list(_keyfile(host.text(path) or ""))
            values = {(section, key): value for _number, section, key, value in lines}
            mac = values.get(("ethernet", "mac-address"), values.get(("802-3-ethernet", "mac-address"), ""))
            if values.get(("connection", "interface-name")) != it["name"] and mac.lower() != (it["mac"] or "none"):
                continue
            for number, section, key, value in lines:
                if (section, key) in _NM_MTU and value not in ("", "0"):
                    found.append(_item("link/mtu", "mtu", value, path, number))
                found += [_item(ours, key, value, path, number) for ours, theirs in _NM.items()
                          if section == "ethtool" and key == theirs]
    return found


def _keyfile(text):
    """(line number, section, key, value)."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        key, sign, value = line.partition("=")
        if line.startswith("["):
            section = line.strip("[] ")
        elif sign and not line.startswith("#"):
            yield number, section, key.strip(), value.strip()


def _scripts(host, it):
    """MTU= of Red Hat's and SUSE's ifcfg files."""
    found = []
    for folder in _SCRIPTS:
        path = "%s/ifcfg-%s" % (folder, it["name"])
        for number, line in enumerate((host.text(path) or "").splitlines(), 1):
            match = re.match(r"^\s*MTU=[\"']?(\d+)", line)
            if match:
                found.append(_item("link/mtu", "MTU", match.group(1), path, number))
    return found


def _ifupdown(host, it):
    """The lines of the interface's stanzas in /etc/network/interfaces and the files beside it."""
    found = []
    beside = ["%s.d/%s" % (_INTERFACES, name) for name in host.names(_INTERFACES + ".d")]
    for path in [_INTERFACES] + beside:
        mine = False
        for number, line in enumerate((host.text(path) or "").splitlines(), 1):
            words = line.split()
            if words and words[0] in ("iface", "auto", "mapping", "source", "source-directory") or line[:6] == "allow-":
                mine = words[:2] == ["iface", it["name"]]
            elif mine and len(words) == 2 and words[0] in _IFUPDOWN:
                found.append(_item(_IFUPDOWN[words[0]], words[0], words[1], path, number))
    return found


def _netplan(host, name):
    """(file, line) of `mtu:` below the interface in netplan's own files, or None."""
    found = None
    for folder in _NETPLAN:
        for one in host.names(folder):
            depth = None
            for number, line in enumerate((host.text("%s/%s" % (folder, one)) or "").splitlines(), 1):
                indent = len(line) - len(line.lstrip())
                if re.match(r"^\s+[\"']?%s[\"']?:\s*(#.*)?$" % re.escape(name), line):
                    depth = indent
                elif line.strip() and depth is not None and indent <= depth:
                    depth = None
                elif depth is not None and re.match(r"^\s*mtu:", line):
                    found = ("%s/%s" % (folder, one), number)
    return found
