# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines that the instances of a node need: which of them are there, and what the others take to get there.

PRIVATE to the collection.
"""

from __future__ import annotations

from ..._host import CommandNotRun
from ..model.space import lacking
from ..placing import resolved
from . import virtual_environment
from .virtual_environment import NoEngine, distribution, is_version, version_of

IMAGE_BYTES = 40_000_000_000  # vLLM's image is 10 GB to download and three times that unpacked.
_SECONDS = 60


def look(host, instances, asked):
    """Every engine once, with what there is of it: a list of {kind, version, path, image, names, state, due, ...}.

    `asked` is {"python", "uv", "space", "auth_file"}. Raises NoEngine, with all that is wrong.
    """
    found, wrong = {}, []
    for instance in instances:
        if instance["state"] == "absent":
            continue
        engine = instance["engine"]
        key = (engine["kind"], engine["path"] or engine["image"])
        if key not in found:
            found[key] = dict(engine, names=[instance["name"]], users=[instance.get("user")])
        elif found[key]["version"] != engine["version"]:
            wrong.append("%s is to be vLLM %s for instance %s and %s for %s" % (
                key[1], found[key]["version"], found[key]["names"][0], engine["version"], instance["name"]))
        else:
            found[key]["names"].append(instance["name"])
            found[key]["users"].append(instance.get("user"))
    for engine in found.values():
        try:
            engine.update({"venv": virtual_environment.look, "existing": _existing}.get(
                engine["kind"], _image)(host, engine, asked))
        except NoEngine as error:
            wrong.append("%s: %s" % (" and ".join(engine["names"]), error))
    if wrong:
        raise NoEngine("; ".join(wrong))
    return list(found.values())


def check(host, engines):
    """What was due must be there now; a virtual environment is said to be finished. Returns whether any was due."""
    due = [engine for engine in engines if engine["due"]]
    for engine in due:
        if engine["kind"] != "venv":
            raise NoEngine("%s is still not there after it was pulled" % engine["image"])
        found = virtual_environment.finish(host, engine)
        engine.update(state="ready", due=False, found=found, words="vLLM %s in %s" % (found, engine["path"]))
    return bool(due)


def _existing(host, engine, asked):
    """An engine that somebody else keeps: a program that says its version."""
    program = resolved.program(host, engine)
    if host.size(program) is None:
        raise NoEngine("%s is no program; path is the program vllm, or the folder of its environment" % program)
    if host.mode(host.real(program)) & 0o111 == 0:
        raise NoEngine("%s may not be started: it has mode %04o" % (program, host.mode(host.real(program))))
    folder = program.rpartition("/")[0].rpartition("/")[0]
    found = distribution(host, folder) or version_of(host, program)
    if engine["version"] and not is_version(found, engine["version"]):
        raise NoEngine("%s is vLLM %s, and vllm_service_version, or version of the instance's engine, says %s: say %s, "
                       "or null for whatever is there" % (program, found, engine["version"], found.partition("+")[0]))
    return {"state": "ready", "due": False, "packages": [], "found": found, "program": program,
            "words": "vLLM %s at %s" % (found, program)}


def _image(host, engine, asked):
    """A container's image, and how it is pulled where it is missing."""
    tool, image = engine["kind"], engine["image"]
    status, output, errors = _ask(host, [tool, "image", "inspect", "--format", "{{.Id}}", image])
    if status == 0:
        return {"state": "ready", "due": False, "packages": [], "found": engine["version"],
                "image_id": output.strip(), "words": "image %s, %s" % (image, output.strip()[:19])}
    if not any(word in errors.lower() for word in ("no such", "not known", "not found")):
        raise NoEngine("%s image inspect %s: %s" % (tool, image, errors.strip()[:300]))
    where = "{{.Store.GraphRoot}}" if tool == "podman" else "{{.DockerRootDir}}"
    status, output, errors = _ask(host, [tool, "info", "--format", where])
    if status != 0 or not output.strip().startswith("/"):
        raise NoEngine("%s info: %s" % (tool, errors.strip()[:300] or output.strip()[:300]))
    short = lacking(host, [("image " + image, output.strip(), asked["space"] or IMAGE_BYTES)], 0)
    if short:
        raise NoEngine("; ".join(short))
    return {"state": "missing", "due": True, "packages": [], "found": None, "image_id": None,
            "pull": _pull(tool, image, asked["auth_file"]), "words": "image %s is to be pulled by %s" % (image, tool)}


def _ask(host, argv):
    """What a container tool answers. Raises NoEngine where it is not there."""
    try:
        return host.run(argv, _SECONDS, changes=False)
    except CommandNotRun as error:
        raise NoEngine("%s; engine kind %s needs it on the node" % (error, argv[0]))


def _pull(tool, image, auth_file):
    """The command that pulls. Docker takes the folder of a file that must be called config.json."""
    if not auth_file:
        return [tool, "pull", image]
    if tool == "podman":
        return [tool, "pull", "--authfile", auth_file, image]
    folder, _slash, name = auth_file.rpartition("/")
    if name != "config.json":
        raise NoEngine("%s: Docker reads its logins from a file called config.json" % auth_file)
    return [tool, "--config", folder or "/", "pull", image]
