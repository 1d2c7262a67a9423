# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits that pam_limits gives to who logs in: what each line of limits.conf and limits.d says, and which wins.

PRIVATE to the collection. Source: limits.conf(5), pam_limits(8) and its process_limit(): a user's line beats a group's,
a group's beats that for everybody, and among equals the later one wins. What is for everybody is not for root.
"""

from __future__ import annotations

import re

CONF = "/etc/security/limits.conf"
FOLDER = "/etc/security/limits.d"
_STACKS = ("/etc/pam.d", "/usr/etc/pam.d", "/usr/lib/pam.d")
EVERYBODY, ROOT = "*", "root"
# memlock, stack, core, data, fsize, as and rss are counted in KiB, nofile and nproc in pieces.
_LINE = re.compile(r"(\S+)\s+(soft|hard|-)\s+(\w+)\s+(\S+)\Z")


def is_used(host):
    """Whether some service here has pam_limits read these files."""
    for folder in _STACKS:
        for name in host.names(folder):
            lines = (host.text("%s/%s" % (folder, name)) or "").splitlines()
            if any(re.match(r"-?session\b.*\bpam_limits\.so(?!.*\bconf=)", line) for line in lines):
                return True
    return False


def lines(host):
    """[{domain, type, item, value, file, line, name}] in the order of reading; "name" is what a file is sorted by."""
    found = []
    paths = [CONF] + ["%s/%s" % (FOLDER, name) for name in host.names(FOLDER) if name.endswith(".conf")]
    for path in paths:
        for number, text in enumerate((host.text(path) or "").splitlines(), 1):
            match = _LINE.match(text.partition("#")[0].strip())
            if match:
                domain, kind, item, value = match.groups()
                found.append({"domain": domain, "type": kind, "item": item, "value": value, "file": path,
                              "line": number, "name": "" if path == CONF else path.rpartition("/")[2]})
    return found


def deciding(found, domain, item):
    """The lines that decide the soft and the hard limit of root, or of a user whom nothing else names: (soft, hard)."""
    mine = [one for one in found if (one["domain"], one["item"]) == (domain, item)]
    return tuple(next((one for one in reversed(mine) if one["type"] in (kind, "-")), None)
                 for kind in ("soft", "hard"))


def of_some(found, item):
    """The lines for single users or groups, which beat what is for everybody."""
    return [one for one in found if one["item"] == item and one["domain"] not in (EVERYBODY, ROOT)]


def sshd_uses_pam(host):
    """Whether sshd opens sessions through PAM: of its settings the first one counts. None without an sshd."""
    text = host.text("/etc/ssh/sshd_config")
    if text is None:
        return None
    for line in text.splitlines():
        word = line.split("#")[0].split()
        if [part.lower() for part in word[:1]] == ["include"]:
            for folder in (path.rpartition("/")[0] for path in word[1:]):
                folder = folder if folder.startswith("/") else "/etc/ssh/" + folder
                for name in host.names(folder):
                    found = _use_pam(host.text("%s/%s" % (folder, name)) or "")
                    if found is not None and name.endswith(".conf"):
                        return found
        elif _use_pam(line) is not None:
            return _use_pam(line)
    return False


def _use_pam(text):
    """What the first UsePAM in a text says, or None."""
    found = re.search(r"^\s*UsePAM[\s=]+(\w+)", text, re.M | re.I)
    return found.group(1).lower() == "yes" if found else None
