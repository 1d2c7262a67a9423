# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keys of mappings take, tried on the classes that vLLM makes of them: known_keys.py; for vllm_arguments.py."""

from __future__ import annotations

import dataclasses
import importlib
import re
import textwrap
import types
import typing

import pydantic
import vllm.config
from vllm.config.kernel import IrOpPriorityConfig
from vllm.config.multimodal import AudioDummyOptions, ImageDummyOptions, VideoDummyOptions
from vllm.config.quantization import QuantizationConfigArgs

WIDTH = 116
MODALITIES = {"audio": AudioDummyOptions, "image": ImageDummyOptions, "video": VideoDummyOptions}
# What is tried on each key of a mapping; where one of a line is taken, values like it are legal.
PROBES = {"t": ("some-word", "/some/path"), "w": ("true",), "v": ("1", "0"), "q": ("8", "16", "128", "3"),
          "r": ("2.5", "0.5"), "e": (1,), "i": (3, 8, 16, 128), "o": (0,), "n": (-1, -2), "f": (2.5, 0.5),
          "b": (True,), "l": ([],), "d": ({},), "z": (None,)}
# What a validator of its own may read, so that a probe says nothing against all values like it.
READ = "twvqr"


def keys(serve, named):
    """The keys of every flag whose value is a mapping with keys of its own, and what each takes, by PROBES.

    `named` gives an action's names.
    """
    lines, further = [], {"quantization_config": QuantizationConfigArgs, "ir_op_priority": IrOpPriorityConfig}
    for action in serve._actions:
        cls = action.option_strings and (dataclass_of(action) or further.get(action.dest))
        if cls:
            lines += _keys_of(named(action)[0], cls)
    for modality, cls in MODALITIES.items():  # Any other is legal too, and then has only a count.
        lines += _keys_of("limit-mm-per-prompt." + modality, cls)
    return lines + wrapped("reasoning-effort-map: %s" % " ".join("%s=t" % word for word in efforts()))


def efforts():
    """The efforts of a request, where this vLLM can map them."""
    try:
        module = importlib.import_module("vllm.entrypoints.common.cli_args")
        return sorted(typing.get_args(module.ReasoningEffort))
    except (ImportError, AttributeError):
        return []


def _keys_of(name, cls):
    """The lines of one class, and after them those of the classes that its own keys become, named NAME.KEY."""
    fields = sorted((field for field in dataclasses.fields(cls) if field.init), key=lambda one: one.name)
    lines = wrapped("%s: %s" % (name, " ".join("%s=%s" % (field.name, _letters(cls, field.name)) for field in fields)))
    for field in fields:
        inner = _inner(getattr(cls, "__pydantic_fields__", {}).get(field.name))
        # What the engine itself puts into the configuration of a draft is not for a person.
        if inner and "." not in name and not field.name.startswith(("draft_", "target_")):
            lines += _keys_of("%s.%s" % (name, field.name), inner)
    return lines


def _inner(field):
    """The class of the configuration that a mapping under a key becomes; None where other keys than its own pass."""
    hints = [] if field is None else [field.annotation, *typing.get_args(field.annotation)]
    for hint in hints:
        if dataclasses.is_dataclass(hint) and hasattr(hint, "__pydantic_fields__"):
            try:
                hint(no_such_key=1)
            except (TypeError, pydantic.ValidationError) as error:
                return hint if "no_such_key" in str(error) else None
    return None


def wrapped(text):
    """One entry, in lines that begin with a blank but the first."""
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)


def literal(hint):
    """The words of a type that is nothing but words, or []."""
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        found = [literal(part) for part in typing.get_args(hint) if part is not type(None)]
        return sum(found, []) if all(found) else []
    return []


def dataclass_of(action):
    """The class that a flag's JSON becomes, or None."""
    inner = action.type
    while getattr(inner, "__name__", "") == "_optional_type":
        inner = next(cell.cell_contents for cell in inner.__closure__ if callable(cell.cell_contents))
    if getattr(inner, "__name__", "") == "parse_dataclass":
        return inner.__defaults__[0]
    name = "".join(part.capitalize() for part in action.dest.split("_"))
    found = getattr(vllm.config, name, None)
    return found if dataclasses.is_dataclass(found) else None


def _letters(cls, name):
    """The letters of PROBES that a key takes, and its words; * where it takes anything."""
    field = getattr(cls, "__pydantic_fields__", {}).get(name)
    decorators = getattr(getattr(cls, "__pydantic_decorators__", None), "field_validators", {})
    words = literal(field.annotation) if field is not None else []
    # One around pydantic's own only lets null pass.
    judged = {one for decorator in decorators.values() for one in decorator.info.fields
              if decorator.info.mode == "before" or decorator.info.mode == "wrap" and not _plain(field)}
    own = bool(judged & {name, "*"}) or not words and not _plain(field)
    held = _held(field) if own else ""
    found = "".join(letter for letter, values in PROBES.items()
                    if own and letter in READ + held or any(_becomes(cls, name, value) for value in values))
    if words and not own and all(isinstance(word, str) for word in words) and len(words) <= 12:
        return "%st/%s" % ("".join(letter for letter in found if letter not in "twvqr"), ",".join(words))
    if words and not own:
        return "".join(letter for letter in PROBES if letter in found or letter in "twvqr")
    return "*" if field is None or found == "".join(PROBES) or set(found) <= {"z"} else found


def _plain(field):
    """Whether a field is of nothing but types that pydantic itself reads."""
    if field is None:
        return False
    hints = [field.annotation]
    for hint in hints:
        hints += [part for part in typing.get_args(hint) if part is not type(None)]
    return all(hint in (str, int, float, bool, list, dict, type(None), typing.Any) or typing.get_origin(hint) in (
        typing.Union, types.UnionType, typing.Annotated, list, dict) for hint in hints if isinstance(hint, type)
        or typing.get_origin(hint))


def _held(field):
    """The letters of what holds other values, and is in a field's type: what is in it decides there."""
    hint = str(getattr(field, "annotation", "list dict")).lower()
    return ("l" if re.search("list|tuple|sequence|set|any", hint) else "") + (
        "d" if re.search("dict|mapping|config|any|args|spec", hint) else "")


def _becomes(cls, name, value):
    """Whether a class takes a value under a key, as far as that key alone decides."""
    try:
        cls(**{name: value})
    except pydantic.ValidationError as error:
        return not any(one["loc"][:1] == (name,) for one in error.errors())
    except Exception:  # A validator that ends in another error; or what the class misses besides.
        return not _makes(cls)
    return True


def _makes(cls):
    """Whether a class can be made of nothing."""
    try:
        cls()
    except Exception:
        return False
    return True
