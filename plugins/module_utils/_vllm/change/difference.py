# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between two states of an instance's file, argument by argument, in words; no secret is ever in them.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re

from . import places

_GPUS = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
_NAMED = r"(?:api[-_]?key|token|secret|password|passwd|access[-_]key)"
_HIDDEN = re.compile(r"(?i)%s$" % _NAMED)
_VALUE = re.compile(r"""(?i)(%s["']?\s*[=:]\s*)("[^"]*"|'[^']*'|\S+)""" % _NAMED)
_QUOTED = re.compile(r"""(?i)(["'])([\w-]*%s=).*?\1""" % _NAMED)
_IN_URL = re.compile(r"(://)[^/\s@]+@")
_LONGEST, _LONG = 120, 40
_NOTHING = "(not set)"


def words(path, old, new, secret):
    """[what differs], each a phrase such as "max-model-len 8192 -> 4096"; of `old` and `new` one may be None."""
    if old and old["link"] is not None:
        return ["%s is a link to %s" % (path, old["link"])]
    if secret:
        said = _of_secret(old, new)
    elif old is None or new is None:
        return ["%s %s" % (path, "is missing" if old is None else "goes")]
    elif old["text"] != new["text"]:
        said = _of_text(path, old["text"], new["text"])
    else:
        said = []
    if old and new and old["mode"] != new["mode"]:
        said.append("%s has mode %04o, not %04o" % (path, old["mode"], new["mode"]))
    return said


def _of_secret(old, new):
    """The names of the secrets that differ."""
    before, after = (_assignments(file["text"], "=") if file else {} for file in (old, new))
    said = []
    for name in sorted(set(before) | set(after)):
        if before.get(name) != after.get(name):
            what = "is new" if name not in before else "goes" if name not in after else "changed"
            said.append("the secret %s %s" % (name, what))
    if not said and (old is None or new is None or old["text"] != new["text"]):
        said.append("the file of the secrets is written anew")
    return said


def _of_text(path, old, new):
    if places.is_unit(path):
        before, after = _assignments(old, "="), _assignments(new, "=")
    elif path.endswith(".env"):
        before, after = _assignments(old, "="), _assignments(new, "=")
    elif path.endswith(".yaml"):
        before, after = _assignments(old, ":"), _assignments(new, ":")
    else:
        return ["%s differs" % path]
    said = []
    for name in sorted(set(before) | set(after)):
        was, shall = before.get(name), after.get(name)
        if was != shall:
            was, shall = _without_common_end(was, shall)
            said.append("%s %s -> %s" % ("GPUs" if name in _GPUS else name, _shown(name, was), _shown(name, shall)))
    return said or ["comments or the order of lines in %s" % path]


def _assignments(text, sign):
    """{name: value}; of a name that is there more than once all its values."""
    found = {}
    for line in text.splitlines():
        name, there, value = line.partition(sign)
        if there and not line.lstrip().startswith(("#", ";")):
            name, value = name.strip(), value.strip()
            found[name] = "%s, %s" % (found[name], value) if name in found else value
    return found


def _without_common_end(was, shall):
    """Both without the whole words that they end with alike, where they are long: the rest of a PATH says nothing."""
    if not was or not shall or max(len(was), len(shall)) <= _LONG:
        return was, shall
    first, second = re.split(r"(?<=[: ])", was), re.split(r"(?<=[: ])", shall)
    while first[1:] and second[1:] and first[-1] == second[-1]:
        first, second = first[:-1], second[:-1]
    return tuple("".join(words) + "..." * ("".join(words) != whole) for words, whole in ((first, was), (second, shall)))


def _shown(name, value):
    if value is None:
        return _NOTHING
    if _HIDDEN.search(name):
        return "(hidden)"
    value = masked(value)
    return value if len(value) <= _LONGEST else value[:_LONGEST] + "..."


def masked(text):
    """A text with the values hidden of what is named like a secret, and who somebody is in an URL."""
    return _IN_URL.sub(r"\1(hidden)@", _VALUE.sub(r"\1(hidden)", _QUOTED.sub(r"\2(hidden)", text)))


def shown(path, file, secret, changed):
    """A file's part of a diff."""
    if file is None:
        text = "(absent)\n"
    elif file.get("link") is not None:
        text = "(a link to %s)\n" % file["link"]
    elif secret:
        text = "(secret, changed)\n" if changed else "(secret)\n"
    else:
        text = masked(file["text"])
    return "# %s%s\n%s" % (path, "" if file is None or file["mode"] is None else " %04o" % file["mode"], text)
