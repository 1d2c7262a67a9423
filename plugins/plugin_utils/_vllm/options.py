# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role vllm_service: their names, and what each gives to the instances.

PRIVATE to the collection.
"""

from __future__ import annotations

import os
import re

from ansible_collections.gpuwright.node.plugins.module_utils._derive.reboot_batches import limits_of
from ansible_collections.gpuwright.node.plugins.module_utils._values import nearest

PREFIX = "vllm_service_"
# What each instance of a node takes from the role, if it does not say it itself.
OF_INSTANCE = ("preset", "arguments", "environment", "models_dir", "user", "slice", "listen", "health_timeout",
               "stop_timeout", "prompt")
OF_ENGINE = ("engine", "version", "path", "image")
SECRETS = ("api_key", "hf_token")
_SERIAL = (1, "5%", "25%")
_ROLE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "roles",
                                      "vllm_service"))


class BadVariable(Exception):
    """A variable is misspelt or has a value that is none; the text names it and says what is legal."""


def names():
    """(the role's variables, what its tasks hand to one another), without the prefix, as its own files have them."""
    tasks = os.path.join(_ROLE, "tasks")
    handed = [name for file in sorted(os.listdir(tasks))
              for name in re.findall(r"(?:register|loop_var): %s(\w+)" % PREFIX, _text(os.path.join(tasks, file)))]
    return re.findall(r"^%s(\w+):" % PREFIX, _text(os.path.join(_ROLE, "defaults", "main.yml")), re.M), handed


def _text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_names(task_vars):
    """Raise BadVariable for a variable that has the role's prefix and is none."""
    known, handed = names()
    meant = task_vars.get("gpuwright_ignore_variables") or ()
    # Names that begin alike are all close to one another, so that is left off.
    wrong = ["%s: after %s, %s" % (name, PREFIX, nearest(name[len(PREFIX):], known)) for name in sorted(task_vars)
             if name.startswith(PREFIX) and name[len(PREFIX):] not in known + handed and name not in meant]
    if wrong:
        raise BadVariable("no such variable: %s (a variable of yours goes into the list gpuwright_ignore_variables)"
                          % "; ".join(wrong))


def defaults(given):
    """What the instances take from the role, as `_vllm/instance.check` wants it."""
    said = {name: given.get(name) for name in OF_INSTANCE}
    said["engine"] = dict({name: given.get(name) for name in OF_ENGINE[1:]}, kind=given.get("engine"))
    for name in ("arguments", "environment"):
        if said[name] is not None and not isinstance(said[name], dict):
            raise BadVariable("%s%s: %r; legal is a mapping" % (PREFIX, name, said[name]))
    return said


def sizes(given):
    """The sizes of the batches, which are checked before hours go into engines and models. Raises BadVariable."""
    if given is None or given in ("", []):
        return list(_SERIAL)
    try:
        limits_of(given, 1, PREFIX + "serial")
    except ValueError as error:
        raise BadVariable(error) from error
    return given


def secrets(given, instances):
    """{instance: {api_key, hf_token}} of the instances of a node. Raises BadVariable, which never tells a value."""
    where = PREFIX + "secrets"
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadVariable("%s is no mapping of instances to their secrets" % where)
    for name, mine in given.items():
        if not isinstance(mine, dict):
            raise BadVariable("%s.%s is no mapping; legal are %s" % (where, name, ", ".join(SECRETS)))
        for key, value in mine.items():
            if key not in SECRETS:
                raise BadVariable("%s.%s: no such key: %s: %s" % (where, name, key, nearest(key, SECRETS)))
            if value is not None and (not isinstance(value, str) or not value or not value.isprintable()):
                raise BadVariable("%s.%s.%s is no text of one line" % (where, name, key))
    return {name: {key: value for key, value in mine.items() if value is not None}
            for name, mine in given.items() if name in instances}


def check_secret_names(given, instances, mine, named, first):
    """Raise BadVariable for secrets of an instance that no node has: one that is misspelt would serve without a key.

    `named()` are the names in the whole inventory, or None. That takes time, so only the first host asks, and one that
    has an instance with nearly that name and without secrets.
    """
    for name in sorted(set(given or {}) - set(instances)):
        near = nearest(name, instances)
        if not (first or near in ["did you mean %s?" % one for one in instances if one not in mine]):
            continue
        everywhere = named()
        if everywhere is not None and name not in everywhere:
            raise BadVariable("%ssecrets: no node has an instance %s; %s" % (PREFIX, name, nearest(name, everywhere)))
