# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what `vllm serve --help=all` prints: every flag, what it takes, what is legal.

PRIVATE to the collection. Pure. The layout is argparse's, of Python 3.9 to 3.14 and of any width. What the help does
not tell, such as the bounds of a number, known_arguments.py adds.
"""

from __future__ import annotations

import re

_ENTRY = re.compile(r" {2}(-{1,2}[A-Za-z].*)$")
_NAME = re.compile(r"-{1,2}[A-Za-z][^\s=]*")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SWAPPED = {"--enable-": "--disable-", "--disable-": "--enable-"}


def parse_help(text):
    """{"flags": {name without dashes: entry}}; an entry is as blank() has it. --help itself is not among them."""
    flags = {}
    for header, words in _entries(_COLOUR.sub("", text).splitlines()):
        entry = _names(header)
        if entry and "--help" not in entry["names"]:
            entry.update(_told(words, entry))
            flags[_first(entry["names"])] = entry
    return {"flags": flags}


def blank(names):
    """An entry of which nothing is known but its names.

    takes: none, one, many or optional. type: int, float (any number), str, json, bool or None for what nobody tells.
    inverse: the name that says false. json_of: dict, list or either (a mapping or text). sizes: whether 8k and 1M are
    legal; auto: whether auto and -1 are. bounds: as ">=1 <=8". keys: a mapping's {key: what it takes, in the letters of
    known_arguments.py}, or None; inner: the same of mappings under a key, {key: {its key: what}}. words: those known of
    text, closed: whether no others are; key_words: {key: those known of its text}.
    """
    return {"names": names, "takes": "one", "choices": None, "negative": False, "inverse": None, "type": None,
            "json_of": None, "sizes": False, "auto": False, "bounds": "", "keys": None, "inner": {}, "words": None,
            "closed": False, "key_words": {}, "default": None, "help": ""}


def _first(names):
    return next((name for name in names if name.startswith("--")), names[0]).lstrip("-")


def _entries(lines):
    """Each flag's header and its help, line by line."""
    header, words = None, []
    for line in lines:
        found = _ENTRY.match(line)
        if found:
            if header:
                yield header, "\n".join(words)
            header, _gap, rest = found.group(1).partition("  ")
            words = [rest.strip()] if rest.strip() else []
        elif header and line.startswith("    "):
            words.append(line.strip())
        elif header and line.strip():
            yield header, "\n".join(words)
            header = None
    if header:
        yield header, "\n".join(words)


def _names(header):
    """The entry that a header tells of: names, what follows them, and which name is the negative form; or None.

    Until Python 3.12 every name is followed by what it takes, from 3.13 on the last one alone.
    """
    names, takes = [], ""
    for piece in re.split(r", (?=-{1,2}[A-Za-z])", header):
        name, _blank, rest = piece.partition(" ")
        if not _NAME.match(name):
            return None
        names.append(name)
        takes = rest.strip() or takes
    entry = blank(names)
    if not takes:
        inverse = [name for name in names if _says_false(name, names)]
        entry.update(takes="none", type="bool", negative=bool(inverse), inverse=inverse[0][2:] if inverse else None,
                     names=[name for name in names if name not in inverse])
        return entry
    return dict(entry, **_taking(takes))


def _says_false(name, names):
    """Whether a name is the negative form of one before it."""
    if name.startswith("--no-") and "--" + name[5:] in names:
        return True
    for prefix, other in _SWAPPED.items():
        if name.startswith(prefix) and other + name[len(prefix):] in names[:names.index(name)]:
            return True
    return False


def _taking(words):
    """What a flag takes, by argparse's way to write nargs and choices."""
    many = re.match(r"(.*?) ?\[.*\.\.\.\]\Z", words)
    if many:
        words, takes = many.group(1), "many"
    elif words.startswith("[") and not words.startswith(("['", "[]")):
        words, takes = words[1:-1], "optional"
    else:
        takes = "one"
        half, _blank, again = words.partition(" ")
        if half == again.split(" ")[0] and set(words.split(" ")) == {half}:
            takes = "many"
    found = re.match(r"\{([^{}]*)\}( or name registered in .*)?\Z", words)
    if found:
        listed = [choice for choice in found.group(1).split(",") if choice != "None"]
        return {"takes": takes, "words": listed, "closed": True} if found.group(2) else {
            "takes": takes, "choices": listed}
    if re.match(r"\['[^\[\]]*'\]\Z", words):  # Python's way to write a list: words, and any other text.
        return {"takes": takes, "words": re.findall(r"'([^']*)'", words)}
    return {"takes": takes}


def _told(words, entry):
    """What the words of the help say: the default, and with it a type where that leaves no doubt.

    A default that is a whole number does not say that a fraction is wrong: such a flag takes any number.
    """
    found = list(re.finditer(r"\(default:\s", words)) if words.endswith(")") else []
    default = words[found[-1].end():-1] if found else None
    told = {"help": " ".join(words.split()), "default": default and " ".join(default.split())}
    if entry["takes"] == "none":
        return told
    text = re.sub(r"\s", "", words)  # A line may break within a word, at a hyphen.
    if "validJSONstring" in text:
        told.update(type="json", json_of="dict", keys=_keys(default or ""))
    elif "Parsehuman-readableintegers" in text:
        told.update(type="int", sizes=True, auto="'auto'" in text)
    elif entry["choices"] is not None:
        whole = all(re.match(r"-?\d+\Z", choice) for choice in entry["choices"])
        told["type"] = "int" if whole and entry["choices"] else "str"
    elif entry["takes"] == "one" and re.match(r"-?\d+(\.\d+)?(e-?\d+)?\Z", default or ""):
        told["type"] = "float"
    return told


def _keys(default):
    """The keys of a mapping, where its default is printed on one line, as NAME(KEY=..., ...) or {'KEY': ...}."""
    inner = re.match(r"(?:[A-Za-z]\w*\((.+)\)|\{(.+)\})\Z", default)
    if not inner:
        return None
    depth, top = 0, []
    for letter in inner.group(1) or inner.group(2):
        depth += (letter in "([{") - (letter in ")]}")
        top.append(letter if depth == 0 else "")
    found = re.findall(r"(?:\A|, )(?:(\w+)=|[\"'](\w+)[\"']: ?)", re.sub(r"(?<==)'[^']*'", "", "".join(top)))
    return {first or second: "*" for first, second in found} or None
