# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel command line as tokens: read as the kernel reads it, and edited without touching what others put there.

PRIVATE to the collection. Pure. The rules are those of next_arg() and parse_args() (lib/cmdline.c, kernel/params.c):
white space ends a token but not between double quotes, the first = ends the key, and `--` ends the kernel's own
arguments: what follows is for init. In keys - and _ are the same: parameq() for parameters of the kernel and of
modules, do_early_param() and obsolete_checksetup() for early and other ones.
"""

from __future__ import annotations

import collections
import re

# What the kernel takes for white space in ASCII. A no-break space is one to it too, in Latin-1 only.
SPACES = " \t\n\v\f\r"
# The value of an argument that is given without one, such as quiet.
GIVEN = "(given)"
# Every occurrence of these counts, as kernel-parameters.rst and dracut.cmdline(7) say; of all others the last one.
# Not among them, though their values are lists: isolcpus, nohz_full, rcu_nocbs, irqaffinity, and module_blacklist,
# whose one string the last occurrence replaces.
REPEATABLE = frozenset((
    "acpi_osi", "blacklist", "bootdev", "btrfs.device", "cgroup_disable", "cgroup_enable", "console", "crashkernel",
    "earlycon", "hugepages", "hugepagesz", "ifname", "initcall_blacklist", "initrd", "ip", "kunit.filter", "memmap",
    "modprobe.blacklist", "modules_load", "nameserver", "netdev", "pci", "rdloaddriver", "scsi_mod.dev_flags",
    "systemd.mask", "systemd.setenv", "systemd.wants", "trace_event", "usb_storage.quirks", "video", "vlan"))
_REPEATABLE_START = ("rd.",)

Token = collections.namedtuple("Token", "start end key value")


def canonical(key):
    """A key as it is compared."""
    return key.replace("-", "_")


def repeatable(key):
    """Whether every occurrence of a key counts, not the last one only."""
    return canonical(key) in REPEATABLE or key.startswith(_REPEATABLE_START)


def tokens(line):
    """The kernel's own arguments in a line, in order: where each starts and ends, its key, its value or GIVEN."""
    found = []
    for start, end in _extents(line):
        key, value = _split(line[start:end])
        if key == "--" and value == GIVEN:
            break
        found.append(Token(start, end, key, value))
    return found


def _extents(line):
    """(start, end) of every token, of those for init too."""
    place = 0
    while place < len(line):
        if line[place] in SPACES:
            place += 1
            continue
        start, quoted = place, False
        while place < len(line) and (quoted or line[place] not in SPACES):
            quoted ^= line[place] == '"'
            place += 1
        yield start, place


def _split(text):
    """The key and the value of one token, without the quotes around the whole token or around the value."""
    quoted = text.startswith('"')
    if quoted:
        text = text[1:]
    sign = text.find("=", 1)  # A = in the first place belongs to the key.
    key, value = (text, GIVEN) if sign < 0 else (text[:sign], text[sign + 1:])
    if sign >= 0 and value.startswith('"'):
        value = value[1:-1] if value[1:].endswith('"') else value[1:]
    elif quoted and text.endswith('"'):
        key, value = (key[:-1], value) if sign < 0 else (key, value[:-1])
    return key, value


def occurrences(line, key):
    """The tokens of one key."""
    return [token for token in tokens(line) if canonical(token.key) == canonical(key)]


def value(line, key):
    """What a line gives to a key, "" for nothing: the last value, or all of them with spaces between."""
    found = [token.value for token in occurrences(line, key)]
    return " ".join(found) if repeatable(key) else "".join(found[-1:])


def token(key, text):
    """The token that gives a value to a key. Raises ValueError for what the kernel could not read back."""
    if text == GIVEN:
        return key
    if '"' in text or "\0" in text:
        raise ValueError("%s=%s: a kernel argument cannot hold a double quote" % (key, text))
    return '%s="%s"' % (key, text) if re.search(r"\s", text) else "%s=%s" % (key, text)


def put(line, key, text):
    """The line with a key at one value, "" for none, and every other byte as it is.

    The last occurrence takes the value in its place, the others go. Of a repeatable key nothing goes: the value is
    added unless it is there; "" takes all of its values away.
    """
    found = occurrences(line, key)
    if text and repeatable(key):
        return line if any(one.value == text for one in found) else _append(line, token(key, text))
    if not text or not found:
        line = _without(line, found)
        return _append(line, token(key, text)) if text else line
    last = found[-1]
    if last.value != text:
        line = line[:last.start] + token(key, text) + line[last.end:]
    return _without(line, found[:-1])


def _without(line, gone):
    """The line without some tokens, each with the white space before it, or at the start with one after it."""
    for one in reversed(gone):
        start, end = one.start, one.end
        while start > 0 and line[start - 1] in SPACES:
            start -= 1
        if start == 0:
            start = one.start
            end += bool(line[end:].strip(SPACES))
        line = line[:start] + line[end:]
    return line


def _append(line, text):
    """The line with one more token: after the last of the kernel's own, where init's do not begin yet."""
    last = tokens(line)
    if last:
        return line[:last[-1].end] + " " + text + line[last[-1].end:]
    if not line.strip(SPACES):
        return text + line
    start = len(line) - len(line.lstrip(SPACES))
    return line[:start] + text + " " + line[start:]
