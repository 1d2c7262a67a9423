# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind pam_limit: an item of limits.conf(5) for everybody who logs in, root too, kept in a file of limits.d.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. The files are the value: the next login gets
it. Services and containers do not log in, so this reaches none of them: that is what kind unit_limit is for.
"""

from __future__ import annotations

import re

from .. import _limit_values as limit
from .._owners import pam_limits

KEYED_BY = "target"
VOLATILE = False
OWNER = None
ABSENT = "nothing in /etc/pam.d here reads limits.d"
_EVERYBODY = (pam_limits.EVERYBODY, pam_limits.ROOT)


def files(role):
    """Our file for a role."""
    return [file(role, "")]


def file(role, target, taken=False):
    """Our file for an item."""
    return "%s/90-gpuwright-%s.conf" % (pam_limits.FOLDER, role)


def places(host, row, options):
    """[(target, path, fields)]; empty where no service of PAM's reads these files."""
    return [(row.name, pam_limits.CONF, {})] if pam_limits.is_used(host) else []


def read(host, target, path):
    """SOFT:HARD that both root and a user whom no line names get at least, "" where no line gives it."""
    return _least(pam_limits.lines(host), target)


def _least(found, item):
    soft, hard = zip(*(pam_limits.deciding(found, domain, item) for domain in _EVERYBODY))
    try:
        return limit.words([min(limit.number(one["value"]) for one in both) for both in (soft, hard)])
    except (TypeError, ValueError):
        return ""


def satisfied(running, desired):
    """More than is asked for is kept."""
    return limit.enough(running, desired)


def write(host, target, path, text):
    """The file was written with all the others."""


def compose(head, entries):
    """The text of our file: root is not everybody to PAM."""
    return head + "".join(sorted("%s - %s %s\n" % (domain, target, value.replace(limit.INFINITY, "unlimited"))
                                 for target, _path, value in entries for domain in _EVERYBODY))


def parse(text):
    """The values in our file, by target."""
    pairs = re.findall(r"^\* - (\w+) (\S+)$", text, re.M)
    return {item: value.replace("unlimited", limit.INFINITY) for item, value in pairs}


def identity(row, target, path):
    """What names the original in the journal."""
    return "pam_limit:" + target


def in_force(host, row, target, path):
    """(path, text) to get today's state back: our file goes, and the others rule."""
    return path, read(host, target, path)


def others(host):
    """The lines of all files, in the order of reading."""
    return pam_limits.lines(host)


def rival(settled, row, target, path, ours, value):
    """The line of a later file that gives everybody, or root, less, or None. Exceptions for some users are let be."""
    later = [item for item in settled if item["file"] != ours and item["name"] > ours.rpartition("/")[2]]
    for domain in _EVERYBODY:
        for found in pam_limits.deciding(later, domain, target):
            if found and not limit.enough(row.value.read(found["value"]), value):
                return dict(found, words="%(file)s:%(line)s gives %(domain)s %(type)s %(item)s %(value)s and wins over "
                                         "ours" % found)
    return None


def given(settled, row, target, ours, value):
    """A line of another file where the others give everybody as much already: one of ours could only lower it."""
    theirs = [item for item in settled if item["file"] != ours]
    if limit.enough(row.value.read(_least(theirs, target)), value):
        return pam_limits.deciding(theirs, pam_limits.EVERYBODY, target)[0]
    return None


def given_by_others(host, target, ours):
    """What the other files give by now, in words."""
    return "the other files give %s" % (read(host, target, pam_limits.CONF) or "nothing")


def before_us(settled, target, ours):
    """See `given`."""
    return None
