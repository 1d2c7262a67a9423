# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every sysctl.d file of a node assigns, in the order in which systemd-sysctl applies it at boot.

PRIVATE to the collection. The rules are those of sysctl.d(5). Keys are given as sysctl(8) prints them: dots between
folders, and a slash for a dot inside a name ("net.ipv4.conf.eth0/100.forwarding").
"""

from __future__ import annotations

import fnmatch
import re

FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
PROCPS_FILE = "/etc/sysctl.conf"
KERNEL_COMMAND_LINE = "/proc/cmdline"
_SWAPPED = str.maketrans("./", "/.")


def assignments(host):
    """Every assignment as {"key", "value", "file", "line", "name"}, in the order of reading: the later one wins.

    "name" is what the file is sorted by, also where "file" is what a link of this name leads to. The kernel's command
    line comes first, since the kernel applies it before any program runs. "value" is None for a line "-key", which
    keeps globs off that key. Where systemd does not read /etc/sysctl.conf its assignments come last
    with "procps_only": True: they count only when somebody runs "sysctl --system" or "sysctl -p".
    """
    found = list(_from_command_line(host))
    linked = False
    for path in files(host, FOLDERS):
        real = host.real(path) if host.link(path) is not None else path
        linked = linked or real == PROCPS_FILE
        found.extend(_from_file(host, real, path))
    if not linked:
        found.extend(dict(one, procps_only=True) for one in _from_file(host, PROCPS_FILE, PROCPS_FILE))
    return found


def files(host, folders):
    """The *.conf files of `folders` in the order of their names; a name in an earlier folder hides it in later ones."""
    chosen = {}
    for folder in folders:
        for name in host.names(folder):
            if name.endswith(".conf") and not name.startswith("."):
                chosen.setdefault(name, "%s/%s" % (folder, name))
    return [chosen[name] for name in sorted(chosen)]


def last(found, key, ignore=()):
    """The assignment that decides what `key` is after boot, as if the files in `ignore` were not there; or None.

    A key that is named itself is never touched by a glob, wherever the glob stands. The answer's "value" is None where
    the last word on the key is an exclusion ("-key"): then no file sets it.
    """
    boot = [one for one in found if not one.get("procps_only") and one["file"] not in ignore]
    named = [one for one in boot if one["key"] == key]
    in_files = [one for one in named if one["file"] != KERNEL_COMMAND_LINE]
    if in_files:
        return in_files[-1]
    return _last_glob(boot, key) or (named[-1] if named else None)


def after(found, key, file):
    """The assignment that wins over an assignment of `key` in `file` (one of sysctl.d, there or still to be written).

    None where nothing does. Only a later file that names the key itself can.
    """
    mine = file.rpartition("/")[2]
    later = [one for one in found if one["key"] == key and not one.get("procps_only")
             and one["file"] not in (file, KERNEL_COMMAND_LINE) and one["name"] > mine]
    return later[-1] if later else None


def in_order_of_writing(found, mine):
    """What systemd-sysctl writes at boot, in its order, with the assignment `mine` in its file's place among `found`.

    A key that is repeated with the same value keeps its first place; with another value it moves to the end.
    """
    boot = [one for one in found if not one.get("procps_only") and one["file"] != KERNEL_COMMAND_LINE
            and one["value"] is not None and not is_glob(one["key"])]
    place = len([one for one in boot if one["name"] <= mine["name"]])
    table = {}
    for one in boot[:place] + [mine] + boot[place:]:
        if one["key"] not in table or table[one["key"]]["value"] != one["value"]:
            table.pop(one["key"], None)
            table[one["key"]] = one
    return list(table.values())


def is_glob(key):
    """Whether a key stands for several."""
    return any(character in key for character in "*?[")


def normal_key(text):
    """A key in the one form used here, from either of the forms that sysctl.d(5) allows."""
    text = re.sub("/+", "/", text.strip())
    first = re.search("[./]", text)
    if first and first.group() == "/":
        return text.strip("/").translate(_SWAPPED)
    return text


def _last_glob(boot, key):
    """The glob that is applied last to `key`. One that is repeated with the same value keeps its first place."""
    table = {}
    for one in boot:
        if is_glob(one["key"]) and one["file"] != KERNEL_COMMAND_LINE:
            held = table.get(one["key"])
            if held is None or held["value"] != one["value"]:
                table.pop(one["key"], None)
                table[one["key"]] = one
    matching = [one for one in table.values() if one["value"] is not None and _matches(key, one["key"])]
    return matching[-1] if matching else None


def _matches(key, pattern):
    """Whether glob(7) would give the file of `key` for `pattern`: a star stops at a folder."""
    parts = key.translate(_SWAPPED).split("/")
    patterns = pattern.translate(_SWAPPED).split("/")
    return len(parts) == len(patterns) and all(
        fnmatch.fnmatchcase(part, one.replace("[^", "[!")) for part, one in zip(parts, patterns))


def _from_file(host, path, found_as):
    name = found_as.rpartition("/")[2]
    for number, line in enumerate((host.text(path) or "").split("\n"), 1):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        key, equals, value = line.partition("=")
        if not equals and not key.startswith("-"):
            continue
        key = normal_key(key[1:] if key.startswith("-") else key)
        yield {"key": key, "value": value.strip() if equals else None, "file": path, "line": number, "name": name}


def _from_command_line(host):
    """The kernel's own sysctl.KEY=VALUE arguments; there every dot is a folder's end."""
    for word in re.findall(r'(?:[^\s"]|"[^"]*"?)+', host.text(KERNEL_COMMAND_LINE) or ""):
        if word == "--":
            return
        word = word.replace('"', "")
        name, equals, value = word.partition("=")
        if equals and value and re.match("sysctl[./].", name):
            key = name[len("sysctl."):].replace("/", ".")
            yield {"key": key, "value": value, "file": KERNEL_COMMAND_LINE, "line": 1, "name": ""}
