# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance's engine takes: read from its own `serve --help=all`, or from what is known of its release.

PRIVATE to the collection. Asking costs an engine 10 to 40 seconds, so what it said is kept in a file of FOLDER, by
program and version, where this run may write. An engine that is not there yet is judged by known_arguments.py where
its release is that one; of any other release nobody knows, and then the schema says so under "unchecked".
"""

from __future__ import annotations

import hashlib
import json

from ..._host import CommandNotRun
from ..._kinds.vllm_instance import FOLDER
from ..engine.virtual_environment import distribution, is_version
from ..rendered import command
from . import engine_plugins, known_arguments
from .help_text import parse_help

SECONDS = 180  # The first import of torch from a cold disk takes a minute.
# The width keeps every word in one piece. Nothing is written by asking, neither byte code nor statistics.
ENVIRONMENT = {"COLUMNS": "4000", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1", "VLLM_LOGGING_LEVEL": "ERROR",
               "VLLM_NO_USAGE_STATS": "1"}
HELP = ["serve", "--help=all"]
_FEWEST = 50  # A help with fewer flags is not one of vllm serve.
_SCHEMA = 2


def read(host, instance):
    """(schema, version or None, words on where that comes from).

    The schema has "plugins", words on what may bring the engine more than it has of its own, where there is any.
    """
    schema, version, words = _read(host, instance["engine"])
    plugins = engine_plugins.seen(host, instance)
    return dict(schema, plugins=plugins) if plugins else schema, version, words


def _read(host, engine):
    if engine["kind"] in ("podman", "docker"):
        found, key, ask = _image(host, engine)
    else:
        found, key, ask = _program(host, engine)
    version = found or engine["version"]
    if ask is None:
        return _known(version, key)
    kept = _kept(host, key, found)
    if kept:
        return known_arguments.complete(kept, found), found, "%s, as it said before" % _words(ask)
    told, problem = _asked(host, ask)
    if problem:
        return _known(version, problem)
    _keep(host, key, found, told)
    return known_arguments.complete(told, version), version, _words(ask)


def _program(host, engine):
    """(version, what identifies it, the words that ask it); the words are None where it is not there yet."""
    program = command.program(engine)
    if not host.exists(program):
        return None, "%s is not there yet" % program, None
    version = distribution(host, program.rpartition("/")[0].rpartition("/")[0])
    marks = ["%s=%s" % pair for pair in sorted(ENVIRONMENT.items())]
    key = "%s %s %s" % (program, version, host.changed_at(host.real(program)))
    return version, key, ["env"] + marks + [program] + HELP


def _image(host, engine):
    """The same of a container's image, which is asked without a network, and only if it was pulled already."""
    tool, image = engine["kind"], engine["image"]
    try:
        status, output, _errors = host.run([tool, "image", "inspect", "--format", "{{.Id}}", image], changes=False)
    except CommandNotRun as error:
        return None, str(error), None
    if status:
        return None, "%s is not there yet" % image, None
    marks = [word for pair in sorted(ENVIRONMENT.items()) for word in ("--env", "%s=%s" % pair)]
    return engine["version"], "%s %s" % (image, output.strip()), (
        [tool, "run", "--rm", "--pull=never", "--network=none"] + marks + ["--entrypoint=vllm", image] + HELP)


def _asked(host, ask):
    """(what the engine's help says, None), or (None, why it says nothing)."""
    try:
        status, output, errors = host.run(ask, SECONDS, changes=False)
    except CommandNotRun as error:
        return None, "%s does not tell its arguments: %s" % (_words(ask), error)
    told = parse_help(output)
    if status or len(told["flags"]) < _FEWEST:
        last = (errors.strip() or output.strip() or "it says nothing").splitlines()[-1]
        return None, "%s does not tell its arguments: exit status %d, %s" % (_words(ask), status, last[:300])
    return told, None


def _words(ask):
    """The command as a person would type it: without the environment, and of a container the image alone."""
    return "%s serve --help=all" % (ask[-3] if ask[0] == "env" else "%s run %s" % (ask[0], ask[-3]))


def _known(version, why):
    """What is known without asking."""
    schema = known_arguments.schema()
    if known_arguments.same_release(version):
        return schema, version, "what is known here of vLLM %s; %s" % (known_arguments.VERSION, why)
    words = "%s, and of vLLM %s nothing is known here: only what %s takes is" % (
        why, version or "of an unknown version", known_arguments.VERSION)
    flags = {name: dict(entry, choices=None, keys=None, inner={}, words=None, key_words={})
             for name, entry in schema["flags"].items()}
    return {"flags": flags, "unchecked": words}, version, words


def path(key):
    """Where what an engine said is kept."""
    return "%s/arguments-%s.json" % (FOLDER, hashlib.sha256(key.encode()).hexdigest()[:16])


def _kept(host, key, version):
    """What this engine said before, or None."""
    text = host.text(path(key)) if version else None
    try:
        kept = json.loads(text or "{}")
    except ValueError:
        return None
    whole = isinstance(kept, dict) and kept.get("schema") == _SCHEMA and kept.get("key") == key
    return kept.get("told") if whole and is_version(kept.get("version"), version) else None


def _keep(host, key, version, told):
    """Keep what an engine said, without the words of its help; an engine without a version is asked each time."""
    if host.read_only or not version:
        return
    flags = {name: dict(entry, help="") for name, entry in told["flags"].items()}
    kept = {"schema": _SCHEMA, "key": key, "version": version, "told": {"flags": flags}}
    host.make_folder(FOLDER.rpartition("/")[0])
    host.make_folder(FOLDER, 0o700)
    host.write_file(path(key), (json.dumps(kept, sort_keys=True) + "\n").encode())
