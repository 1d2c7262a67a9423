# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's .link and .network files: which one applies to an interface, and what it says.

PRIVATE to the collection. Sources: systemd.link(5), systemd.network(5). Only the first file in the order of names that
matches applies; a file hides those of its name in lower folders. What udev itself found is in its database, which is
asked where a condition cannot be judged here. Reads files only.
"""

from __future__ import annotations

import fnmatch
import re

NET = "/sys/class/net"
# Highest first.
FOLDERS = ("/etc/systemd/network", "/run/systemd/network", "/usr/local/lib/systemd/network",
           "/usr/lib/systemd/network", "/lib/systemd/network")
OURS = "00-gpuwright-"
COPIED_FROM = "# Copied from %s, which applies without us:"
_RENAMED, _PREDICTABLE, _BY_USER = "4", "2", "3"
_TYPES = {"1": "ether", "32": "infiniband"}
_OF_UDEV = {"database": "ID_NET_NAME_FROM_DATABASE", "onboard": "ID_NET_NAME_ONBOARD", "slot": "ID_NET_NAME_SLOT",
            "path": "ID_NET_NAME_PATH", "mac": "ID_NET_NAME_MAC"}


def is_ours(path):
    """Whether a .link file is one of ours."""
    return path.startswith("%s/%s" % (FOLDERS[0], OURS))


def in_order(host, suffix):
    """The paths of all files of a suffix, in the order in which they are tried; ours are left out."""
    if ("link files", suffix) not in host.facts:
        found = {}
        for folder in FOLDERS:
            for name in host.names(folder):
                if name.endswith(suffix) and not name.startswith(OURS):
                    found.setdefault(name, "%s/%s" % (folder, name))
        host.facts["link files", suffix] = [found[name] for name in sorted(found)]
    return host.facts["link files", suffix]


def lines(host, path):
    """[{section, key, value, file, line}] of a file and its drop-ins; `section` counts, for some come repeatedly."""
    if ("link file", path) not in host.facts:
        host.facts["link file", path] = _read_lines(host, path)
    return host.facts["link file", path]


def _read_lines(host, path):
    found, name = [], path.rpartition("/")[2]
    drop_ins = {}
    for folder in FOLDERS:
        for one in host.names("%s/%s.d" % (folder, name)):
            if one.endswith(".conf"):
                drop_ins.setdefault(one, "%s/%s.d/%s" % (folder, name, one))
    for file in [path] + [drop_ins[one] for one in sorted(drop_ins)]:
        section = None
        for number, line in _whole_lines(host.text(file) or ""):
            key, sign, value = line.partition("=")
            if line.startswith("["):
                section = (file, number, line.strip("[] "))
            elif sign and section:
                found.append({"section": section, "key": key.strip(), "value": value.strip(), "file": file,
                              "line": number})
    return found


def _whole_lines(text):
    """(number, line) with continued lines joined and comments left out, those between two parts of a line too."""
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("#", ";")):
            continue
        start = start if joined else number
        joined += line
        if joined.endswith("\\"):
            joined = joined[:-1] + " "
        else:
            yield start, joined.strip()
            joined = ""
    yield start, joined.strip()


def device(host, name):
    """What conditions are judged by: {name, mac, path, driver, original, udev: its database of the interface}."""
    folder = "%s/%s" % (NET, name)
    known = udev(host, name)
    by_mac = known.get("ID_NET_NAME_MAC", "")
    mac = ":".join(by_mac[3 + at:5 + at] for at in range(0, 12, 2)) if len(by_mac) == 15 else None
    if host.text(folder + "/addr_assign_type") == "0":
        mac = host.text(folder + "/address")
    return {
        "name": name,
        "mac": None if host.exists(folder + "/device/physfn") else mac,  # That of a virtual function may change.
        "path": known.get("ID_PATH"),
        "driver": known.get("ID_NET_DRIVER") or (host.link(folder + "/device/driver") or "").rpartition("/")[2],
        "assigned": host.text(folder + "/name_assign_type"),
        "address": host.text(folder + "/address"),
        "type": _TYPES.get(host.text(folder + "/type")),
        "udev": known,
    }


def udev(host, name):
    """udev's properties of an interface; empty where it does not know it."""
    text = host.text("/run/udev/data/n%s" % host.text("%s/%s/ifindex" % (NET, name))) or ""
    return dict(line[2:].partition("=")[::2] for line in text.splitlines() if line.startswith("E:"))


def _conditions(pairs):
    """{key: [value]} of the [Match] sections; an empty value drops what came before."""
    found = {}
    for item in pairs:
        if item["section"][2] == "Match":
            if item["value"]:
                found.setdefault(item["key"], []).extend(item["value"].split())
            else:
                found.pop(item["key"], None)
    return found


def _matches(pairs, it):
    """Whether the conditions hold for a device: True, False, or None where that cannot be judged here."""
    conditions = _conditions(pairs)
    answers = [_holds(key, values, it) for key, values in conditions.items()]
    if not answers or False in answers:
        return False
    return None if None in answers else True


def _holds(key, values, it):
    if key in ("MACAddress", "PermanentMACAddress"):
        mac = it["address"] if key == "MACAddress" else it["mac"]
        return None if mac is None else mac.lower() in [value.lower().replace("-", ":") for value in values]
    if key == "OriginalName" and it["assigned"] == _RENAMED and "*" not in values:
        return None  # It was another one.
    word = {"Path": it["path"], "Driver": it["driver"], "OriginalName": it["name"], "Name": it["name"],
            "Type": it["type"]}.get(key)
    if word is None:
        return False if key in ("Path", "Driver", "Kind", "WLANInterfaceType", "SSID", "BSSID") else None
    wanted = not values[0].startswith("!")
    values = [values[0].lstrip("!")] + values[1:]
    return any(fnmatch.fnmatchcase(word, value) for value in values) == wanted


def winner(host, it, suffix=".link"):
    """The path of the file, but for ours, that applies to a device; None where none does."""
    chosen = _chosen(host, it) if suffix == ".link" else None
    for path in in_order(host, suffix):
        answer = _matches(lines(host, path), it)
        if answer or (answer is None and path == chosen):
            return path
    return None


def _chosen(host, it):
    """The file that udev chose when the device appeared; where it chose ours, the one that ours is a copy of."""
    chosen = it["udev"].get("ID_NET_LINK_FILE", "")
    if not is_ours(chosen):
        return chosen
    found = re.search("^%s$" % COPIED_FROM.replace("%s", "(.+)"), host.text(chosen) or "", re.M)
    return found.group(1) if found else None


def undecided(host, it):
    """The file of which only the next boot can tell whether it applies: udev chose ours, which is gone; or None."""
    chosen = it["udev"].get("ID_NET_LINK_FILE", "")
    for path in in_order(host, ".link") if is_ours(chosen) and not host.exists(chosen) else ():
        answer = _matches(lines(host, path), it)
        if answer is not False:
            return None if answer else path
    return None


def name_of(pairs, it):
    """The name that a file gives to a device at boot, or None where it keeps that of the kernel."""
    values = {item["key"]: item["value"] for item in pairs if item["section"][2] == "Link"}
    known = it["udev"]
    chosen = known.get("ID_NET_LINK_FILE", "")
    if "ID_NET_NAME" in known and (chosen in {item["file"] for item in pairs} or is_ours(chosen)):
        return known["ID_NET_NAME"]  # What udev made of the very file, or of our copy.
    for policy in values.get("NamePolicy", "").split():
        if (policy == "kernel" and it["assigned"] == _PREDICTABLE) or (policy == "keep" and it["assigned"] == _BY_USER):
            return it["name"]
        if known.get(_OF_UDEV.get(policy)):
            return known[_OF_UDEV[policy]]
    return values.get("Name")
