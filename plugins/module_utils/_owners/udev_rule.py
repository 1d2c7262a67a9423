# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a rule of ours for udev is written, and read again: queues of block devices, mounts, network interfaces.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re

LIMIT = "queue/max_sectors_kb"
HARDWARE = "queue/max_hw_sectors_kb"
READ_AHEAD = "queue/read_ahead_kb"
# A scheduler brings its own number of requests, and any limit can raise read-ahead, which is the last.
_FIRST = ("queue/scheduler", LIMIT)
_BLOCK = 'ACTION=="add|change", SUBSYSTEM=="block", %s, '
_NET = 'ACTION=="add|move", SUBSYSTEM=="net", %s, '
# The mount is not there yet when its device is announced.
_MOUNT = ('ACTION=="add", SUBSYSTEM=="bdi", RUN+="/bin/sh -c \'for n in 1 2 3 4 5; do '
          'while read -r a b number root point rest; do case $$number:$$point in '
          '%%k:%s) echo %s > /sys%%p/read_ahead_kb; exit;; esac; done < /proc/1/mountinfo; sleep 1; done\'"\n')
_RULE = re.compile(r'ACTION=="[^"]*", SUBSYSTEM=="(\w+)", (.*?)(?:, ATTR\{queue/max\w+\}[!=]="[^"]*")*, '
                   r'ATTR\{([^}]+)\}="([^"]*)"$')
_NAMED = re.compile(r"in %k:(\S+)\) echo (\d+) >")


def text(settings):
    """The lines for (name, value), a name being "CONDITION FILE", in the order in which a queue has to be written."""
    asked = sorted({(turn(name.rpartition(" ")[2]), name, value) for name, value in settings})
    return "".join(line for _place, name, value in asked for line in _lines(*name.rsplit(" ", 1), value))


def of_mount(point):
    """The condition that a mount point stands for: as mountinfo has it, in a pattern of the shell's."""
    octal = re.sub(r"[ \t\n\\]", lambda found: "\\%03o" % ord(found.group()), point)
    return 'MOUNT=="%s"' % re.sub(r"[^\w./:@+,=-]", "?", octal)


def turn(name):
    """Sorts the files of a queue as they have to be written."""
    return (_FIRST.index(name) if name in _FIRST else 8 if name != READ_AHEAD else 9, name)


def _lines(match, name, value):
    """The lines of a rule file for one value."""
    if match.startswith("MOUNT"):
        return [_MOUNT % (match[len('MOUNT=="'):-1], value)]
    if name.startswith("net/"):
        return [_NET % match + 'ATTR{%s}="%s"\n' % (name[len("net/"):], value)]
    start = _BLOCK % match
    if name != LIMIT:
        return [start + 'ATTR{%s}="%s"\n' % (name, value)]
    most = 'ATTR{%s}="$attr{%s}"\n' % (LIMIT, HARDWARE)
    if value == "max":
        return [start + most]
    less = _less_than(value)
    return [start + 'ATTR{%s}=="%s", ' % (HARDWARE, less) + most,
            start + 'ATTR{%s}!="%s", ATTR{%s}=="%s", ATTR{%s}="%s"\n' % (HARDWARE, less, LIMIT, less, LIMIT, value)]


def _less_than(number):
    """Patterns of udev's for all that is less than a number, for it compares no numbers."""
    shorter = ["[0-9]" * length for length in range(1, len(number))]
    return "|".join(shorter + ["%s[0-%d]%s" % (number[:place], int(digit) - 1, "[0-9]" * (len(number) - place - 1))
                               for place, digit in enumerate(number) if digit != "0"])


def values(lines):
    """{name: value} of such lines."""
    found = {}
    for line in lines.splitlines():
        rule, mount = _RULE.match(line), _NAMED.search(line)
        if mount:
            found['MOUNT=="%s" %s' % (mount.group(1), READ_AHEAD)] = mount.group(2)
        elif rule:
            subsystem, match, name, value = rule.groups()
            found["%s %s%s" % (match, "net/" if subsystem == "net" else "", name)] = (
                "max" if value.startswith("$attr") else value)
    return found
