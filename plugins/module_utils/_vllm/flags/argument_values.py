# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a value is one that a flag of vllm serve takes: the words of what is wrong with it.

PRIVATE to the collection. Pure. vLLM reads its YAML through the command line: every value becomes text there, and what
does not fit is taken for another flag, dropped, or turned into None. Each check here names such a trap.
"""

from __future__ import annotations

import json
import re

from ..._values import nearest
from . import argument_names as names

_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kKmMgGtT])\Z")
_TIMES = {"k": 10 ** 3, "m": 10 ** 6, "g": 10 ** 9, "t": 10 ** 12}
_TIMES.update({letter.upper(): 1 << (10 * power) for power, letter in enumerate("kmgt", 1)})
_SIGNS = {">=": lambda value, bound: value >= bound, "<=": lambda value, bound: value <= bound,
          ">": lambda value, bound: value > bound, "<": lambda value, bound: value < bound}
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SORTS = (("t", "text"), ("i", "a number above 0"), ("o", "0"), ("n", "a number below 0"),
          ("f", "a number with a point"), ("b", "true or false"), ("l", "a list"), ("d", "a mapping"), ("z", "null"))
_TEXTS = (("w", re.compile(r"(true|false|yes|no|on|off|[tfyn])\Z", re.IGNORECASE)), ("v", re.compile(r"[01]\Z")),
          ("q", re.compile(r"\s*[-+]?\d[\d_]*(\.0*)?\s*\Z")),
          ("r", re.compile(r"\s*[-+]?\d*\.?\d+(e[-+]?\d+)?\s*\Z", re.IGNORECASE)))
_TOKEN = re.compile(r"(hf_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,})")


def wrong(flag, value, entry):
    """What is wrong with a flag's value, in words that name what is legal, or None."""
    for item in value if isinstance(value, (list, tuple)) else [value]:
        if not isinstance(item, (str, int, float, list, tuple, dict, type(None))):
            return "%s: YAML reads %s as a %s; put it into quotes" % (flag, item, type(item).__name__)
    if entry["takes"] == "any":
        return _any(flag, value)
    if entry["takes"] == "none":
        return _switch(flag, value, entry)
    if isinstance(value, bool) and not (value and entry["takes"] == "optional"):
        return "%s: it takes a value, and %s is none; legal is %s" % (flag, str(value).lower(), legal(flag, entry))
    if isinstance(value, dict) or entry["type"] == "json":
        return _json(flag, value, entry)
    if isinstance(value, (list, tuple)):
        return _list(flag, list(value), entry)
    return None if value is True else _one(flag, value, entry)


def _any(flag, value):
    """What is wrong with a value whatever the flag takes."""
    for item in value if isinstance(value, (list, tuple)) else [value]:
        if item is None:
            return "%s: null in a list" % flag
        words = _unsafe(flag, item) if isinstance(item, str) else None
        if words:
            return words
    return None


def legal(flag, entry):
    """What a flag takes, in words."""
    if entry["takes"] == "none":
        return "true or false, without quotes" if entry["negative"] else "true, without quotes, or leave it out"
    if entry["choices"]:
        words = "one of %s" % ", ".join(entry["choices"])
    elif entry["type"] == "json":
        words = {"list": "a list", "either": "a mapping or text"}.get(entry["json_of"], "a mapping")
    else:
        words = {"int": "a whole number", "float": "a number"}.get(entry["type"], "text")
        words += " (8k is 8000, 8K is 8192)" if entry["sizes"] else ""
        words += ", auto" if entry["auto"] else ""
    limits = bounds(flag, entry)
    return words + (" " + limits if limits else "") + (", or a list of those" if entry["takes"] == "many" else "")


def bounds(flag, entry):
    """The bounds of a number, as ">=1 <=8"."""
    return entry["bounds"] or names.BOUNDS.get(flag, "")


def _switch(flag, value, entry):
    if not isinstance(value, bool):
        return "%s: %r is no boolean%s; legal is %s" % (
            flag, value, " but text, which vLLM takes for another argument" if isinstance(value, str) else "",
            legal(flag, entry))
    if value is False and not entry["negative"]:
        return "%s: false cannot be said, for this vLLM has no negative form of it and would drop it silently; " \
               "it is off unless it is given: leave it out" % flag
    return None


def _json(flag, value, entry):
    """A mapping, or a list where vLLM reads a list as JSON; also as JSON text."""
    if entry["type"] not in ("json", None) or entry["takes"] != "one":
        return "%s: %r is a mapping; legal is %s" % (flag, value, legal(flag, entry))
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return _one(flag, value, dict(entry, type="str")) if entry["json_of"] == "either" \
                and not value.lstrip().startswith("{") else "%s: %r is no JSON; legal is %s" % (
                    flag, value, legal(flag, entry))
    if not isinstance(value, list if entry["json_of"] == "list" else dict):
        return "%s: %r is of the wrong kind; legal is %s" % (flag, value, legal(flag, entry))
    if not value and flag in names.NEVER_EMPTY:
        return "%s: it is empty, and vLLM needs some of its keys; to leave it to vLLM write null" % flag
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return "%s: %r cannot be written as JSON" % (flag, value)
    return _unsafe(flag, text) or (_mapping(flag, value, entry) if isinstance(value, dict) else None)


def _mapping(flag, value, entry):
    """What is wrong with a mapping, or with one under its keys."""
    inner = [(key, value[key]) for key in sorted(entry["inner"]) if isinstance(value.get(key), dict)]
    return _keys(flag, value, entry["keys"] or {}) or next(
        filter(None, (_keys("%s: %s" % (flag, key), item, entry["inner"][key]) for key, item in inner)), None)


def _keys(flag, value, known):
    """What is wrong with the keys of a mapping and their values, as far as they are known."""
    for key, item in value.items():
        if known and key not in known:
            return "%s: it has no key %s; %s" % (flag, key, nearest(key, known))
        letters, _slash, words = known.get(key, "*").partition("/")
        sort = _sort(item)
        if letters != "*" and sort not in letters and not (sort in "wvqr" and "t" in letters):
            # A boolean may be said as 0, and a number as true: neither is the way to say it.
            unsaid = "b" if "i" in letters else "o" if "b" in letters else ""
            return "%s: %s: %r is of the wrong kind; legal is %s" % (flag, key, item, " or ".join(
                words for letter, words in _SORTS if letter in letters and letter != unsaid))
        if words and isinstance(item, str) and item not in words.split(","):
            return "%s: %s: %r is not one of its words; %s" % (flag, key, item, nearest(item, words.split(",")))
        of_all = names.MAPPINGS_OF.get(flag)
        if of_all and not isinstance(item, of_all):
            return "%s: %s: %r is of the wrong kind; legal is %s" % (
                flag, key, item, {str: "text", dict: "a mapping", list: "a list of numbers"}[of_all])
    return None


def _sort(value):
    """The letter that known_arguments.py has for a sort of value."""
    if isinstance(value, bool):
        return "b"
    if isinstance(value, str):
        return next((letter for letter, form in _TEXTS if form.match(value)), "t")
    if isinstance(value, float) and value != int(value):
        return "f"
    if isinstance(value, (int, float)):
        return "e" if value == 1 else "i" if value > 0 else "o" if value == 0 else "n"
    return {list: "l", tuple: "l", dict: "d"}.get(type(value), "z")


def _list(flag, value, entry):
    if entry["takes"] != "many":
        return "%s: %r is a list, and it takes one value: what follows the first would be taken for another " \
               "argument; legal is %s" % (flag, value, legal(flag, entry))
    if not value:
        return "%s: the list is empty, and vLLM would drop it silently; leave it out, or write null" % flag
    for item in value:
        if item is None or isinstance(item, (bool, list, tuple)) or (
                isinstance(item, dict) and flag != "lora-modules"):
            return "%s: %r in the list is not %s" % (flag, item, legal(flag, dict(entry, takes="one")))
        text = json.dumps(item) if isinstance(item, dict) else item
        words = _one(flag, text, entry)
        if words:
            return words
    return None


def _one(flag, value, entry):
    """One number or text."""
    if isinstance(value, str):
        words = _unsafe(flag, value)
        if words:
            return words
    if flag == "lora-modules" and not _is_adapter(str(value)):
        return "%s: %r; legal is NAME=PATH, or a mapping with name and path" % (flag, value)
    if flag == "chat-template" and not re.match(r"/|.*[{}\n]", str(value), re.DOTALL):
        return "%s: %r; legal is an absolute path on the node, or the template itself" % (flag, value)
    if flag in names.CLASSES and "." not in str(value).strip("."):
        return "%s: %r; legal is a class or function that Python can import, as package.module.Name" % (flag, value)
    if entry["choices"] and str(value) not in entry["choices"]:
        return "%s: %r is not one of its words; %s" % (flag, value, nearest(value, entry["choices"]))
    if entry["type"] in ("int", "float") or bounds(flag, entry):
        return _number(flag, value, entry)
    if isinstance(value, float) and str(value).startswith("-"):
        return "%s: %r: vLLM takes a negative number with a point for another argument" % (flag, value)
    return None


def _is_adapter(text):
    """Whether text names an adapter as vLLM reads it."""
    if "=" in text and "," not in text:
        name, _sign, path = text.partition("=")
        return bool(name and path)
    try:
        said = json.loads(text)
    except ValueError:
        return False
    return isinstance(said, dict) and {"name", "path"} <= set(said) <= {"name", "path", "base_model_name"}


def _unsafe(flag, text):
    """Text that would not arrive as it is."""
    if not text.strip() or text in ("None", "null"):
        return "%s: %r: vLLM takes it for nothing; to leave a flag to vLLM write null, without quotes" % (flag, text)
    if text.startswith("-") and not re.match(r"-\d+\Z", text):
        return "%s: %r begins with a hyphen: vLLM takes it for another argument" % (flag, text)
    if _CONTROL.search(text):
        return "%s: %r has a control character" % (flag, text)
    if _TOKEN.search(text):
        return "%s: there is a token in it, which everybody could read in /etc/vllm; secrets go into " \
               "vllm_service_secrets" % flag
    return None


def _number(flag, value, entry):
    number = _read(value, entry)
    if number is None:
        return "%s: %r; legal is %s" % (flag, value, legal(flag, entry))
    if flag == "gpu-memory-utilization" and names.MOST_MEMORY < number <= 1:
        return "%s: %r: %s" % (flag, value, names.TOO_MUCH_MEMORY)
    for sign, bound in re.findall(r"([<>]=?)(\S+)", bounds(flag, entry)):
        if not _SIGNS[sign](number, float(bound)):
            return "%s: %r is out of range; legal is %s" % (flag, value, legal(flag, entry))
    if flag == "max-model-len" and number == 0:
        return "%s: %r: a request has at least one token; legal is %s" % (flag, value, legal(flag, entry))
    if number < 0 and (isinstance(number, float) or "." in str(value)):
        return "%s: %r: vLLM takes a negative number with a point for another argument" % (flag, value)
    return None


def _read(value, entry):
    """The number that vLLM makes of a value, or None."""
    text = str(value)
    if entry["auto"] and text.lower() == "auto":
        return -1
    size = _SIZE.match(text) if entry["sizes"] else None
    if size:
        number, letter = size.groups()
        return None if "." in number and letter.isupper() else int(float(number) * _TIMES[letter])
    whole = entry["type"] == "int" or entry["sizes"]
    if re.match(r"-?\d+\Z", text, re.ASCII):
        return int(text)
    if whole or not re.match(r"-?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\Z", text, re.ASCII):
        return None
    return float(text)
