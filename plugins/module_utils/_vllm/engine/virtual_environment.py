# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine in a virtual environment of its own: whether it is whole, how it is begun, and when it counts as made.

PRIVATE to the collection. A folder is one version and is never changed once it is finished: a running engine loads
parts of itself for days. Who installs is ansible.builtin.pip or uv; what is here comes before and after.
"""

from __future__ import annotations

import json

from ..._host import CommandNotRun
from ..model.space import lacking

FINISHED = ".gpuwright.json"
BEGUN = ".gpuwright-begun.json"
ROOM = ".gpuwright-room"  # Temporary files and downloads of the installation: /tmp is often small.
BYTES = 20_000_000_000  # vLLM and its libraries take 8 to 10 GB, their downloads half of that.
LEAST_PYTHON = (3, 10)
_PYTHONS = ("python3.12", "python3.11", "python3.13", "python3.10", "python3")
_ASK = "import sys, json, importlib.util as u; print(json.dumps([list(sys.version_info[:2]), " \
       "bool(u.find_spec('venv') and u.find_spec('ensurepip'))]))"
_SECONDS = 300  # The first import of torch from a cold disk takes a minute.


class NoEngine(Exception):
    """An engine is not there, and cannot be made; the text says why and what would help."""


def distribution(host, folder):
    """The version of vLLM in an environment, as its metadata says, or None."""
    for library in host.names(folder + "/lib"):
        place = "%s/lib/%s/site-packages" % (folder, library)
        for name in host.names(place):
            if name.startswith("vllm-") and name.endswith(".dist-info"):
                for line in (host.text("%s/%s/METADATA" % (place, name)) or "").splitlines():
                    if line.startswith("Version: "):
                        return line[9:].strip()
    return None


def is_version(found, wanted):
    """Whether a version is the wanted one: 0.33.0+cu129 is a build of 0.33.0."""
    return found is not None and wanted in (found, found.partition("+")[0])


def look(host, engine, asked):
    """What is in the folder of a virtual environment: {state, due, python, packages, words}. Raises NoEngine."""
    folder, wanted = engine["path"], engine["version"]
    if _finished(host, folder):
        found = distribution(host, folder)
        if not is_version(found, wanted) or host.size(folder + "/bin/vllm") is None:
            raise NoEngine("%s was finished with vLLM %s, and holds %s now: somebody changed it; move it away, and the "
                           "next run makes it anew" % (folder, wanted, found or "none"))
        return {"state": "ready", "due": False, "packages": [], "found": found,
                "words": "vLLM %s in %s" % (found, folder)}
    begun = host.exists("%s/%s" % (folder, BEGUN))
    if host.exists(folder) and not begun and (not host.is_folder(folder) or host.listing(folder)):
        raise NoEngine("%s is there, and not from us; legal are another path, or engine kind existing, which uses it "
                       "as it is" % folder)
    python, packages = _python(host, asked["python"], asked["uv"])
    short = lacking(host, [("vLLM %s in %s" % (wanted, folder), folder, asked["space"] or BYTES)], 0)
    if short:
        raise NoEngine("; ".join(short))
    return {"state": "incomplete" if begun else "missing", "due": True, "python": python, "packages": packages,
            "found": None, "words": "vLLM %s is to be installed in %s with %s%s" % (
                wanted, folder, python, ", where a run was stopped before" if begun else "")}


def _finished(host, folder):
    text = host.text("%s/%s" % (folder, FINISHED))
    try:
        return bool(text) and json.loads(text).get("finished") is True
    except (ValueError, AttributeError):
        return False


def _python(host, given, uv):
    """(interpreter, packages that it needs to make an environment). Raises NoEngine."""
    seen = []
    for name in [given] if given else _PYTHONS:
        try:
            status, output, _errors = host.run([name, "-I", "-c", _ASK], changes=False)
            version, makes = json.loads(output)
        except (CommandNotRun, ValueError):
            continue
        if status == 0 and tuple(version) >= LEAST_PYTHON:
            package = "python%d.%d-venv" % tuple(version) if name[-1:].isdigit() and "." in name else "python3-venv"
            return name, [] if makes or uv else [package]
        seen.append("%s is %d.%d" % (name, *version))
    raise NoEngine("vLLM needs a Python of 3.10 or later: %s; the variable vllm_service_python names one"
                   % (", ".join(seen) or "there is no %s" % (given or "python3")))


def begin(host, engine):
    """Make the folder ready for an installation: empty but for what was downloaded before. Raises NoEngine."""
    folder = engine["path"]
    busy = _working(host, folder)
    if busy:
        raise NoEngine("%s: process %s works in it: another run is installing" % (folder, busy))
    host.make_folder(folder)
    host.write_file("%s/%s" % (folder, BEGUN), b'{"begun": true}\n')
    for name in host.listing(folder):  # What pip was killed over may look installed and is not: all of it goes.
        place = "%s/%s" % (folder, name)
        if name not in (BEGUN, ROOM):
            (host.remove_tree if host.is_folder(place) or host.link(place) else host.remove_file)(place)
    host.make_folder("%s/%s" % (folder, ROOM))


def _working(host, folder):
    """The first process whose program or arguments are in a folder, or None."""
    for pid in host.names("/proc"):
        if pid.isdigit():
            words = (host.text("/proc/%s/cmdline" % pid) or "").split("\0")
            if any(word.startswith(folder + "/bin/") for word in words):
                return pid
    return None


def finish(host, engine):
    """Look whether what was installed is the engine that was asked for, and say so in the folder. Raises NoEngine."""
    folder, wanted = engine["path"], engine["version"]
    program = folder + "/bin/vllm"
    if host.size(program) is None:
        raise NoEngine("%s is not there after the installation" % program)
    found = distribution(host, folder)
    says = version_of(host, program)
    if not is_version(found, wanted) or not is_version(says, wanted):
        raise NoEngine("%s --version says %s, the metadata %s, and %s was asked for" % (program, says, found, wanted))
    host.remove_tree("%s/%s" % (folder, ROOM))
    host.open_to_all(folder)  # Whatever umask it was installed with: uv has no option for it.
    for one in (folder + "/bin/python", program) if set(engine.get("users") or (None,)) - {"root"} else ():
        _check_reachable(host, one)
    host.write_file("%s/%s" % (folder, FINISHED), (json.dumps({"finished": True, "version": found}) + "\n").encode())
    host.remove_file("%s/%s" % (folder, BEGUN))
    return found


def _check_reachable(host, program):
    """Raise NoEngine where the engine's user could not start a program; an interpreter may be in somebody's home."""
    place = real = host.real(program)
    while place not in ("", "/"):
        mode, needed = host.mode(place), 0o001 if host.is_folder(place) else 0o005
        if mode & needed != needed:
            raise NoEngine("%s%s: the engine's user cannot start it, for %s has mode %04o; name another Python with "
                           "vllm_service_python, or another path" % (
                               program, "" if real == program else " is %s" % real, place, mode))
        place = place.rpartition("/")[0]


def version_of(host, program):
    """What a program answers to --version: its last word. Raises NoEngine."""
    try:
        status, output, errors = host.run([program, "--version"], _SECONDS, changes=False)
    except CommandNotRun as error:
        raise NoEngine("%s is no program that starts: %s" % (program, error))
    words = output.split()
    if status != 0 or not words:
        raise NoEngine("%s --version ended with status %d: %s" % (
            program, status, (errors.strip().splitlines() or ["and said nothing"])[-1]))
    return words[-1]
