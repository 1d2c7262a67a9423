# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes _vllm/flags/known_*.py from a real vLLM: ENGINE/bin/python tests/setup/vllm_arguments.py FOLDER.

Only the Python files of vLLM are needed beside a torch that imports: a release for GPUs can be unpacked into a folder
of PYTHONPATH in front of the environment that tests/setup/vllm.sh makes.
"""

from __future__ import annotations

import argparse
import enum
import inspect
import pathlib
import sys
import textwrap
import typing

import pydantic
import vllm.config
import vllm_registries
from vllm.entrypoints.cli.serve import cmd_init
from vllm.utils.argparse_utils import FlexibleArgumentParser
from vllm.version import __version__ as version
from vllm_keys import WIDTH, keys, literal, wrapped

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
        + block("KEYS", keys(serve, named), "NAME: KEY=LETTERS/WORDS: what it takes, as known_arguments.py says"))
    (folder / "known_words.py").write_text(
        HEAD % ("The words that vLLM %s itself has for what its help takes as any text" % version)
        + block("WORDS", sum(map(wrapped, vllm_registries.lines()), []),
                "NAME or NAME.KEY of a mapping, all that have the same words, and these; a plugin may add more."))


main()
