# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of the real vLLM's own Python: its parser reads engine configurations as `vllm serve --config` does.

Standard input: [[YAML or null, [words of a command line]], ...]. Standard output: {"flags": what the parser has,
"base": the namespace of nothing said, "words": those of its registries, "read": [{"refused": words or null,
"differs": {name: value}}, ...]}.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import sys
import tempfile
import typing
import uuid

uuid.uuid4 = lambda: uuid.UUID(int=0)  # Some configurations give themselves a name: the same one each time here.
if len(sys.argv) > 1:  # The words of the help are read from the source only where the command asks for help.
    sys.argv = ["vllm", "serve", *sys.argv[1:]]

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "setup"))

import pydantic  # noqa: E402
import vllm.config  # noqa: E402
import vllm_registries  # noqa: E402
from vllm.entrypoints.cli.serve import cmd_init  # noqa: E402
from vllm.utils.argparse_utils import FlexibleArgumentParser  # noqa: E402


def build():
    """The parser that main() of vLLM makes, with its one subcommand that matters, and that subcommand."""
    parser = FlexibleArgumentParser(description="vLLM CLI")
    commands = parser.add_subparsers(required=False, dest="subparser")
    serve = cmd_init()[0]
    return parser, serve, serve.subparser_init(commands)


def plain(value):
    """A value as JSON can have it; other things as their own words."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return repr(value)


def fields(serve):
    """{dest: what the configuration class says of that field}: the group of a flag is named after the class."""
    found = {}
    for group in serve._action_groups:
        known = getattr(getattr(vllm.config, group.title or "", None), "__pydantic_fields__", {})
        for action in group._group_actions:
            field = known.get(action.dest.replace("kv_cache_dtype", "cache_dtype"))
            if field is not None:
                with contextlib.suppress(pydantic.PydanticSchemaGenerationError, pydantic.PydanticUserError):
                    hint = typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
                    found[action.dest] = pydantic.TypeAdapter(hint, config={"arbitrary_types_allowed": True})
    return found


def out_of_bounds(said, checked):
    """What the configuration classes say against values, as when the engine makes its configuration of them."""
    for dest, value in said.items():
        if dest in checked and value is not None:
            try:
                checked[dest].validate_python(value)
            except pydantic.ValidationError as error:
                return "%s: %s" % (dest, error)
    return None


def read(parser, serve, words, base, checked):
    """What the parser makes of words of a command line."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            namespace = parser.parse_args(words)
            differs = {name: value for name, value in vars(namespace).items() if base.get(name) != value}
            serve.validate(namespace)
            refused = out_of_bounds(differs, checked)
    except SystemExit:
        lines = said.getvalue().strip().splitlines()
        return {"refused": ([line for line in lines if "error:" in line] or lines or ["nothing"])[0], "differs": {}}
    except Exception as error:
        return {"refused": "%s: %s" % (type(error).__name__, error), "differs": {}}
    return {"refused": refused, "differs": plain(differs)}


def main():
    """Read all cases."""
    parser, serve, options = build()
    base = vars(parser.parse_args(["serve", "/model"]))
    checked, results = fields(options), []
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder, "engine.yaml"))
        for text, words in json.load(sys.stdin):
            if text is not None:
                pathlib.Path(path).write_text(text, encoding="utf-8")
                words = ["--config", path, *words]
            results.append(read(parser, serve, ["serve", "/model", *words], base, checked))
    actions = [{"names": action.option_strings, "dest": action.dest, "nargs": plain(action.nargs),
                "choices": plain(list(action.choices)) if action.choices else None}
               for action in options._actions if action.option_strings]
    os.environ["COLUMNS"] = "100"
    FlexibleArgumentParser._search_keyword = "all"
    json.dump({"flags": actions, "base": plain(base), "words": vllm_registries.words(), "read": results,
               "help": options.format_help()}, sys.stdout)


main()
