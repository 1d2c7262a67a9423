# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes _vllm/flags/known_*.py from a real vLLM: ENGINE/bin/python tests/setup/vllm_arguments.py FOLDER.

Only the Python files of vLLM are needed beside a torch that imports: a release for GPUs can be unpacked into a folder
of PYTHONPATH in front of the environment that tests/setup/vllm.sh makes.
"""

from __future__ import annotations

import argparse
import dataclasses
import enum
import inspect
import pathlib
import re
import sys
import textwrap
import types
import typing

import pydantic
import vllm.config
import vllm_registries
from vllm.config.kernel import IrOpPriorityConfig
from vllm.config.quantization import QuantizationConfigArgs
from vllm.entrypoints.cli.serve import cmd_init
from vllm.utils.argparse_utils import FlexibleArgumentParser
from vllm.version import __version__ as version

WIDTH = 116
HEAD = '''# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""%s, data of known_arguments.py.

PRIVATE to the collection. Written by tests/setup/vllm_arguments.py, which says how; not by hand.
"""

from __future__ import annotations

'''
SIZES = {"human_readable_int": "size", "human_readable_int_or_auto": "size-auto", "loads": "json",
         "union_dict_and_str": "dict-or-text", "parse_dataclass": "dict", "int": "int", "float": "float"}
LISTS = ("allowed-origins", "allowed-methods", "allowed-headers")
# What is tried on each key of a mapping; where one of a line is taken, values like it are legal.
PROBES = {"t": ("some-word", "/some/path"), "w": ("true",), "v": ("1", "0"), "q": ("8", "16", "128", "3"),
          "r": ("2.5", "0.5"), "e": (1,), "i": (3, 8, 16, 128), "o": (0,), "n": (-1, -2), "f": (2.5, 0.5),
          "b": (True,), "l": ([],), "d": ({},), "z": (None,)}
# What a validator of its own may read, so that a probe says nothing against all values like it.
READ = "twvqr"


def parser():
    """The parser of vllm serve."""
    serve = None
    commands = FlexibleArgumentParser().add_subparsers()
    for command in cmd_init():
        serve = command.subparser_init(commands)
    return serve


def named(action):
    """The flag's name and its other names, those of its negative form left out."""
    negative = getattr(action, "negative_option_strings", ())
    names = [name for name in action.option_strings if name not in negative and not name.startswith("--no-")]
    names.sort(key=lambda name: not name.startswith("--"))
    return [names[0][2:]] + names[1:]


def kind(action, flag):
    """What a value is: the innermost converter of vLLM's own."""
    if isinstance(action, argparse.BooleanOptionalAction):
        return "bool"
    if action.nargs == 0:
        return "switch"
    inner, name = action.type, getattr(action.type, "__name__", "str")
    while name in ("_optional_type", "_parse_type"):
        inner = next(cell.cell_contents for cell in inner.__closure__ if callable(cell.cell_contents))
        name = inner.__name__
    found = SIZES.get(name, "str")
    if found == "dict-or-text" and not takes(field_of(action), "some-word"):
        found = "dict"
    if found == "str" and inspect.isclass(hint_of(action)) and issubclass(hint_of(action), enum.IntEnum):
        found = "int"
    return ("list" if flag in LISTS else "dict") if found == "json" else found


def hint_of(action):
    """The type of the configuration's field that a flag fills, or None."""
    return getattr(field_of(action), "annotation", None)


def field_of(action):
    """The configuration's field that a flag fills, or None: the flag's group is named after its class."""
    cls = getattr(vllm.config, action.container.title or "", None)
    return getattr(cls, "__pydantic_fields__", {}).get(action.dest.replace("kv_cache_dtype", "cache_dtype"))


def takes(field, value):
    """Whether a field takes a value; a field that nobody knows takes anything."""
    if field is None:
        return True
    hint = typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    try:
        pydantic.TypeAdapter(hint, config={"arbitrary_types_allowed": True}).validate_python(value)
    except pydantic.ValidationError:
        return False
    except (pydantic.PydanticUserError, TypeError):
        pass
    return True


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


def bounds(action):
    """'>=1 <=8' as the configuration's field says it."""
    field, signs = field_of(action), (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))
    metadata = [*field.metadata, *_annotated(field.annotation)] if field is not None else ()
    return " ".join("%s%g" % (sign, getattr(one, key)) for one in metadata for key, sign in signs
                    if getattr(one, key, None) is not None)


def _annotated(hint):
    """What is annotated anywhere in a type."""
    for part in typing.get_args(hint):
        yield from _annotated(part)
    yield from getattr(hint, "__metadata__", ())


def line(action):
    """One flag: names | what it takes | bounds | choices | default."""
    flag, *others = named(action)
    count = {"+": "many", "*": "many", "?": "optional"}.get(action.nargs, "one")
    legal = action.choices or (literal(hint_of(action)) if action.metavar is None else ())
    choices = ", ".join(str(choice) for choice in legal if choice is not None)
    default = str(action.default)
    default = default if action.default is not None and len(default) < 25 and "SUPPRESS" not in default else ""
    what = kind(action, flag)
    words = [",".join([flag] + others), what if count == "one" else "%s %s" % (what, count), bounds(action),
             choices, default.replace("|", "")]
    return textwrap.wrap(" | ".join(words).rstrip(" |"), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def block(name, lines, comment):
    """One text constant."""
    return "# %s\n%s = \"\"\"\n%s\n\"\"\"\n" % (comment, name, "\n".join(lines))


def packed(words):
    """Words, many a line."""
    return textwrap.wrap(" ".join(words), WIDTH, break_on_hyphens=False, break_long_words=False)


def keys(serve):
    """The keys of every flag whose value is a mapping with keys of its own, and what each takes, by PROBES."""
    lines, further = [], {"quantization_config": QuantizationConfigArgs, "ir_op_priority": IrOpPriorityConfig}
    for action in serve._actions:
        cls = action.option_strings and (dataclass_of(action) or further.get(action.dest))
        if cls:
            lines += _keys_of(named(action)[0], cls)
    return lines


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


def main():
    """Write the files into a folder."""
    folder, serve = pathlib.Path(sys.argv[1]), parser()
    booleans, pairs, switches, lines = [], [], [], []
    for group in serve._action_groups:
        for action in sorted(group._group_actions, key=lambda one: one.option_strings):
            if not action.option_strings or action.dest == "help":
                continue
            what = kind(action, "")
            if what == "bool":
                paired = named(action)[0].startswith(("enable-", "disable-")) and not any(
                    name.startswith("--no-") for name in action.option_strings)
                (pairs if paired else booleans).append(",".join(named(action)))
            elif what == "switch":
                switches.append(",".join(named(action)))
            else:
                lines.append(line(action))
    comment = "NAME,OTHER NAMES | what it takes | bounds | choices | default; a line that begins with a blank goes on."
    half = len(lines) * 9 // 20
    (folder / "known_flags.py").write_text(
        HEAD % ("Flags of vllm serve %s that take no value, and the first of those that take one" % version)
        + 'VERSION = "%s"\n' % version.partition("+")[0]
        + block("BOOLEANS", packed(sorted(booleans)), "--NAME and --no-NAME.")
        + block("PAIRS", packed(sorted(pairs)), "--enable-NAME and --disable-NAME: the other one is the negative form.")
        + block("SWITCHES", packed(sorted(switches)), "--NAME only.")
        + block("VALUES", sum(lines[:half], []), comment))
    (folder / "known_flags_more.py").write_text(
        HEAD % ("The other flags of vllm serve %s that take a value" % version)
        + block("VALUES", sum(lines[half:], []), comment))
    (folder / "known_keys.py").write_text(
        HEAD % ("The keys of those flags of vllm serve %s whose value is a mapping" % version)
        + block("KEYS", keys(serve), "NAME: KEY=LETTERS/WORDS: what it takes, as known_arguments.py says"))
    (folder / "known_words.py").write_text(
        HEAD % ("The words that vLLM %s itself has for what its help takes as any text" % version)
        + block("WORDS", sum(map(wrapped, vllm_registries.lines()), []),
                "NAME or NAME.KEY of a mapping, all that have the same words, and these; a plugin may add more."))


main()
