# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB as Debian and Ubuntu have it: drop-ins in /etc/default/grub.d, from which update-grub makes /boot/grub/grub.cfg.

PRIVATE to the collection. Our drop-in appends to GRUB_CMDLINE_LINUX_DEFAULT and so keeps what all files before it say.
The files are shell: they are read, never run.
"""

from __future__ import annotations

from .. import _cmdline
from .._host import CommandNotRun
from . import grub_script, shell_text

NAME = "grub.d"
DEFAULT = "/etc/default/grub"
FOLDER = "/etc/default/grub.d"
GRUB_CFG = "/boot/grub/grub.cfg"
COMMAND = "/usr/sbin/update-grub"
_MKCONFIG = ("/usr/sbin/grub-mkconfig", "/usr/bin/grub-mkconfig")
_SECONDS = 300
# As 10_linux puts them together; an entry for recovery has the first one only.
_VARIABLES = ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT")
_OURS = "GRUB_CMDLINE_LINUX_DEFAULT"
_UNTOLD = "\0"
_ENDS = {"--": "begins init's arguments with --, and what is appended would be among them",
         ";": "has a semicolon that ends GRUB's command, and what is appended is lost"}
# What fits into the kernel's buffer on x86 and arm64 (COMMAND_LINE_SIZE), its last byte aside.
LONGEST = 2047


def here(host):
    """Whether this is how the machine boots: the generator reads the folder, and has made a configuration."""
    return (host.exists(GRUB_CFG) and host.exists(COMMAND)
            and any("default/grub.d" in (host.text(path) or "") for path in _MKCONFIG))


def generated(host, key):
    """[(kernel version, value)] of the entries that boot this system."""
    found = [one for one in grub_script.entries(host.read(GRUB_CFG)) if one.normal]
    if not found:
        raise ValueError("%s has no entry of a kernel of this system" % GRUB_CFG)
    return [(one.version, _cmdline.value(one.options, key)) for one in found]


def compose(head, entries):
    """The text of our drop-in."""
    lines = []
    for key, value in entries:
        word = grub_script.quoted(_cmdline.token(key, value).replace('"', ""))
        for sign in "\\$`":
            word = word.replace(sign, "\\" + sign)
        lines.append('%s="$%s %s"\n' % (_OURS, _OURS, word))
    return head + "".join(lines)


def parse(text):
    """The values in a drop-in of ours, by key."""
    try:
        found = shell_text.assignments(text)
    except ValueError:
        return {}
    said = " ".join(piece for one in found for kind, piece in one.pieces if kind == shell_text.TEXT)
    return {key: value for key, value, _start in _arguments(said)}


def others(host):
    """Every assignment of the shell files that are read, in order, and the longest command line there is."""
    names = [name for name in host.names(FOLDER) if name.endswith(".cfg") and not name.startswith(".")]
    found = []
    for path in [DEFAULT] + [FOLDER + "/" + name for name in sorted(names)]:
        item = {"loader": NAME, "file": path, "name": path[len(FOLDER) + 1:] if path != DEFAULT else ""}
        try:
            said = shell_text.assignments(host.text(path) or "")
        except ValueError as error:
            host.note("%s: %s: what it sets cannot be told" % (path, error))
            said = [shell_text.Assignment(1, "*", False, [], False)]
        found.extend(dict(item, line=one.line, said=one) for one in said)
    lines = [one for one in grub_script.entries(host.text(GRUB_CFG) or "") if one.normal]
    if lines:
        _note_what_waits(host, found, lines[0])
        longest = max(lines, key=lambda one: len(one.options))
        found.append({"loader": NAME, "file": GRUB_CFG, "name": GRUB_CFG, "line": longest.line,
                      "options": longest.options, "said": shell_text.Assignment(longest.line, "", False, [], False)})
    return found


def _note_what_waits(host, settled, entry):
    """Say what others have changed since the last update-grub: the next one, ours perhaps, will bring it."""
    there = {(one.key, one.value) for one in _cmdline.tokens(entry.options)}
    for key, value, item in _final(settled):
        if (key, value) not in there and key not in _ENDS and _UNTOLD not in value and "gpuwright" not in item["name"]:
            host.note("%s:%s gives %s, which %s does not have yet: the next update-grub brings it"
                      % (item["file"], item["line"], key, GRUB_CFG))


def rival(settled, key, ours, value):
    """What else gives the key another value, or takes ours away again, or leaves no room for it; or None."""
    word = grub_script.quoted(_cmdline.token(key, value).replace('"', ""))
    mine = {"file": ours, "name": ours.rpartition("/")[2], "line": 0, "said": shell_text.Assignment(
        0, _OURS, True, [(shell_text.TEXT, " " + word)], True)}
    theirs = [item for item in settled if item["file"] != ours]
    order = sorted(theirs + [mine], key=lambda item: (item["file"] != DEFAULT, item["name"]))
    final = _final(order)
    said = [(given, item) for name, given, item in final if _cmdline.canonical(name) == _cmdline.canonical(key)]
    different = [(given, item) for given, item in said if item is not mine and given != value]
    if different and not _cmdline.repeatable(key):
        theirs_say, item = different[-1]
        shown = None if _UNTOLD in theirs_say else theirs_say
        return _found(item, key, shown, "gives %s=%s, and the kernel would get both" % (
            key, shown or "what only a shell can tell"))
    if not any(item is mine for _given, item in said):
        return _thief(order[order.index(mine) + 1:], final)
    return _too_long(theirs, key, value)


def _found(item, key, value, words):
    return {"file": item["file"], "line": item["line"], "key": key, "value": value,
            "words": "%s:%s %s" % (item["file"], item["line"], words)}


def _thief(after, final):
    """Who made ours go: what it is appended to has ended before it, or a later file replaced all that was said."""
    if final and final[-1][0] in _ENDS:
        return _found(final[-1][2], final[-1][0], None, _ENDS[final[-1][0]])
    item = [one for one in after if one["said"].name == _OURS and not one["said"].append][-1]
    return _found(item, _OURS, None, "replaces %s, so that what files before it append is lost" % _OURS)


def given(settled, key, ours):
    """[(value, file, line)] that other files give to the key."""
    order = [item for item in settled if item["file"] != ours]
    return [(value, item["file"], item["line"]) for name, value, item in _final(order)
            if _cmdline.canonical(name) == _cmdline.canonical(key)]


def _too_long(theirs, key, value):
    """The entry whose command line would no longer fit into the kernel's buffer, or None."""
    for item in [one for one in theirs if "options" in one]:
        length = len(_cmdline.put(item["options"], key, value))
        if length > LONGEST:
            return _found(item, key, None, "would be %d characters long, and the kernel keeps %d" % (length, LONGEST))
    return None


def _final(order):
    """[(key, value, who gives it)] of the command line that comes out in the end."""
    values = {}
    for item in order:
        said = item["said"]
        names = _VARIABLES if said.name == "*" else (said.name,)
        for name in names:
            new = [part for piece in said.pieces for part in _resolved(piece, values, item)]
            if not said.certain or said.name == "*":
                values[name] = values.get(name, []) + [(_UNTOLD, item)]
            else:
                values[name] = (values.get(name, []) if said.append else []) + new
    parts = []
    for name in _VARIABLES:
        parts += values.get(name, []) + [(" ", None)]
    starts, text = [], ""
    for piece, item in parts:
        starts.append((len(text), item))
        text += piece
    return [(key, value, [item for start, item in starts if start <= place][-1])
            for key, value, place in _arguments(text)]


def _resolved(piece, values, item):
    """A piece of an assignment as [(text, who gives it)]."""
    kind, text = piece
    if kind == shell_text.TEXT:
        return [(text, item)]
    if kind == shell_text.VARIABLE and (text in values or text.startswith("GRUB_")):
        return values.get(text, [])
    return [(_UNTOLD, item)]


def _arguments(text):
    """[(key, value, place)] of what grub.cfg will hand to the kernel; the last may be what ends that."""
    found = []
    for place, word in grub_script.words(text):
        if word == "--":
            return found + [(word, _cmdline.GIVEN, place)]
        for one in _cmdline.tokens(grub_script.kernel_line([word])):
            if _UNTOLD not in one.key:
                found.append((one.key, one.value, place))
    stop = grub_script.end(text)
    return found + [(";", _cmdline.GIVEN, stop)] if stop < len(text) else found


def commit(host, steps):
    """Have grub.cfg made anew. A failure leaves the old one: the generator writes aside and checks first."""
    status, _output, errors = host.run([COMMAND], seconds=_SECONDS)
    if status:
        raise CommandNotRun("%s: %s" % (COMMAND, errors.strip().splitlines()[-1] if errors.strip()
                                        else "exit status %d" % status))
