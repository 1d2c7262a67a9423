# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes _vllm/known_*.py from a real vLLM: ENGINE/bin/python tests/setup/vllm_arguments.py plugins/module_utils/_vllm.

Only the Python files of vLLM are needed beside a torch that imports: a release for GPUs can be unpacked into a folder
of PYTHONPATH in front of the environment that tests/setup/vllm.sh makes.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import sys
import textwrap
import typing

import vllm.config
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
LISTS = ("allowed-origins", "allowed-methods", "allowed-headers", "custom-histogram-buckets")


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
    return ("list" if flag in LISTS else "dict") if found == "json" else found


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


def bounds(group, action):
    """'>=1 <=8' as the field of the configuration class says it, whose name is the group's."""
    for cls in [getattr(vllm.config, group or "", None)]:
        for field in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
            if field.name != action.dest.replace("kv_cache_dtype", "cache_dtype"):
                continue
            hints = typing.get_type_hints(cls, include_extras=True)
            metadata = list(getattr(field.default, "metadata", ())) + list(_annotated(hints.get(field.name)))
            signs = (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))
            return " ".join("%s%g" % (sign, getattr(one, key)) for one in metadata for key, sign in signs
                            if getattr(one, key, None) is not None)
    return ""


def _annotated(hint):
    """What is annotated anywhere in a type."""
    for part in typing.get_args(hint):
        yield from _annotated(part)
    yield from getattr(hint, "__metadata__", ())


def line(group, action):
    """One flag: names | what it takes | bounds | choices | default."""
    flag, *others = named(action)
    takes = {"+": "many", "*": "many", "?": "optional"}.get(action.nargs, "one")
    choices = ", ".join(str(choice) for choice in action.choices or () if choice is not None)
    default = str(action.default)
    default = default if action.default is not None and len(default) < 25 and "SUPPRESS" not in default else ""
    what = kind(action, flag)
    words = [",".join([flag] + others), what if takes == "one" else "%s %s" % (what, takes), bounds(group, action),
             choices, default.replace("|", "")]
    return textwrap.wrap(" | ".join(words).rstrip(" |"), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def block(name, lines, comment):
    """One text constant."""
    return "# %s\n%s = \"\"\"\n%s\n\"\"\"\n" % (comment, name, "\n".join(lines))


def packed(words):
    """Words, many a line."""
    return textwrap.wrap(" ".join(words), WIDTH, break_on_hyphens=False, break_long_words=False)


def keys(serve):
    """The keys of every flag whose value is a mapping with keys of its own."""
    lines, further = [], {"quantization_config": QuantizationConfigArgs, "ir_op_priority": IrOpPriorityConfig}
    for action in serve._actions:
        cls = action.option_strings and (dataclass_of(action) or further.get(action.dest))
        if cls:
            names = sorted(field.name for field in dataclasses.fields(cls) if field.init)
            lines += textwrap.wrap("%s: %s" % (named(action)[0], " ".join(names)), WIDTH, subsequent_indent="  ",
                                   break_on_hyphens=False)
    return lines


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
                lines.append(line(group.title, action))
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
        + block("KEYS", keys(serve), "NAME: keys; a line that begins with a blank goes on."))


main()
