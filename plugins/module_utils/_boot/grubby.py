# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB as the Red Hat family has it: entries of the Boot Loader Specification, changed by grubby.

PRIVATE to the collection. The arguments of all kernels stand in files that are shared with others, so each of ours is
an original of its own. grubby's older versions match keys by their beginnings and cannot take a comma: what it did is
compared token by token, and its files come back as they were where anything else changed.
"""

from __future__ import annotations

from .. import _cmdline
from .._host import CommandNotRun
from . import bls, grub_d, shell_text

NAME = "grubby"
COMMAND = "/usr/sbin/grubby"
DEFAULT = "/etc/default/grub"
CMDLINE = "/etc/kernel/cmdline"
UNVERIFIED = "unverified: kernel arguments through grubby were never tried on a machine of the Red Hat family"
_ENTRIES = "/boot/loader/entries"
_SECONDS = 120


def here(host):
    """Whether this is how the machine boots; the folders are there for all to see, what is in them is root's."""
    return (host.exists(COMMAND) and not host.exists("/etc/zipl.conf")
            and host.is_folder(_ENTRIES) and host.is_folder("/boot/grub2"))


def generated(host, key):
    """[(kernel version, value)] of the entries."""
    host.listing(_ENTRIES)
    found = bls.entries(host)
    if not found:
        raise ValueError("%s has no entry of a kernel of this system" % _ENTRIES)
    return [(one.version, _cmdline.value(one.options, key)) for one in found]


def sources(host):
    """[(file, command line)] that kernels which are installed later get; or of none, the entries."""
    found = []
    if host.exists(CMDLINE):
        found.append((CMDLINE, host.text(CMDLINE) or ""))
    line = _default_line(host)
    if line is not None:
        found.append((DEFAULT, line))
    return found or [(one.file, one.options) for one in bls.entries(host)]


def _default_line(host):
    """What /etc/default/grub gives to all kernels, or None where it says nothing that can be told."""
    try:
        said = shell_text.assignments(host.text(DEFAULT) or "")
    except ValueError:
        return None
    found = [one for one in said if one.name == "GRUB_CMDLINE_LINUX"]
    literal = found and all(kind == shell_text.TEXT for kind, _text in found[-1].pieces)
    return "".join(text for _kind, text in found[-1].pieces) if literal else None


def others(host):
    """Each entry, and how much room is left in the environment block."""
    return [{"loader": NAME, "file": one.file, "name": one.file.rpartition("/")[2], "line": one.line,
             "options": one.options, "room": bls.room(host) if "kernelopts" in one.variables else None}
            for one in bls.entries(host)]


def rival(settled, key, value):
    """Where the entries do not agree one that has another value; or where there is no room for ours; or None."""
    values = [_cmdline.value(item["options"], key) for item in settled]
    if len(set(values)) > 1:
        item, theirs = [(item, theirs) for item, theirs in zip(settled, values) if theirs != value][-1]
        return {"file": item["file"], "line": item["line"], "key": key, "value": theirs or None,
                "words": "the entries in %s do not agree: %s gives %s=%s"
                         % (_ENTRIES, item["file"], key, theirs)}
    for item in settled:
        longer = _cmdline.put(item["options"], key, value)
        grown = len(longer.encode()) - len(item["options"].encode())
        if item["room"] is not None and grown > item["room"]:
            return {"file": bls.GRUBENV, "line": 1, "key": key, "value": None,
                    "words": "%s holds %d bytes, and %s=%s does not fit" % (bls.GRUBENV, bls.GRUBENV_SIZE, key, value)}
        if len(longer) > grub_d.LONGEST:
            return {"file": item["file"], "line": item["line"], "key": key, "value": None,
                    "words": "%s would be %d characters long, and the kernel keeps %d"
                             % (item["file"], len(longer), grub_d.LONGEST)}
    return None


def commit(host, steps):
    """Give every entry the values of these steps, and prove that nothing else changed."""
    wanted = {step["target"]: step["desired"] for step in steps}
    if not wanted:
        return
    before = {path: host.read_bytes(path) for path in _files(host)}
    lines = _lines(host)
    for key, value in wanted.items():
        if any(sign in value for sign in " \t\"'"):
            raise CommandNotRun("%s=%s: grubby splits arguments at white space" % (key, value))
    try:
        for key, value in wanted.items():
            given = "--args=" + _cmdline.token(key, value) if value else "--remove-args=" + key
            status, _output, errors = host.run([COMMAND, "--update-kernel=ALL", given], seconds=_SECONDS)
            if status:
                raise CommandNotRun("grubby: %s" % (errors.strip() or "exit status %d" % status))
        _prove(wanted, lines, _lines(host))
    except (CommandNotRun, OSError):
        _put_back(host, before)
        raise
    _put_back(host, {path: data for path, data in before.items() if bls.RESCUE in path})


def _put_back(host, before):
    """Have files as they were. The entry for rescue always is: it boots with as little as it can."""
    for path, data in before.items():
        if host.read_bytes(path) != data:
            host.write_file(path, data, host.mode(path))


def _files(host):
    """The real places of all that grubby may change, the entry for rescue among them."""
    found = ["%s/%s" % (_ENTRIES, name) for name in host.names(_ENTRIES)] + [DEFAULT, CMDLINE, bls.GRUBENV]
    return [host.real(path) for path in found if host.exists(path)]


def _lines(host):
    """{file: command line} of the entries, and of what later kernels get."""
    return dict([(one.file, one.options) for one in bls.entries(host)] + sources(host))


def _prove(wanted, before, after):
    """Raise CommandNotRun unless each line is as it was but for our keys, and these are as wanted."""
    ours = {_cmdline.canonical(key) for key in wanted}
    for path, line in before.items():
        left, right = ([(one.key, one.value) for one in _cmdline.tokens(text)
                        if _cmdline.canonical(one.key) not in ours] for text in (line, after.get(path, "")))
        if left != right:
            raise CommandNotRun("grubby changed other arguments in %s; all files are as before" % path)
        for key, value in wanted.items():
            if _cmdline.value(after.get(path, ""), key) != value:
                raise CommandNotRun("grubby did not give %s=%s in %s; all files are as before" % (key, value, path))
