# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept on a node of each instance: with which files it runs, and until that is verified what was there before.

PRIVATE to the collection. /var/lib/gpuwright/vllm/NAME.json, for root alone since the files before may hold secrets:
  phase        "switching" and "putting_back" while that is done, "switched" until it is verified, then "kept"
  since        when that phase began
  runs         {path: digest of what of it the engine was started with}
  invocations  {unit: InvocationID of the start that used them}
  previous     {files, units, runs, ours, instance, deployment}: what was there before, until the new configuration is
               verified; else None
  down_since   when the engine that served before was stopped, or None
  error        what went wrong in the phase, or None
  instance, deployment   what was asked for, without its secrets
"""

from __future__ import annotations

import json

from ..._kinds.vllm_instance import FOLDER

SCHEMA = 1
SWITCHING, SWITCHED, KEPT, PUTTING_BACK = "switching", "switched", "kept", "putting_back"
_EMPTY = {"schema": SCHEMA, "phase": None, "since": None, "runs": {}, "invocations": {}, "previous": None,
          "down_since": None, "error": None, "instance": None, "deployment": None}


def path(name):
    """The file of an instance."""
    return "%s/%s.json" % (FOLDER, name)


def read(host, name):
    """What is kept; nothing of what is damaged, with a note. Raises OSError where it may not be read."""
    try:
        text = host.read(path(name))
    except FileNotFoundError:
        return dict(_EMPTY)
    try:
        kept = json.loads(text)
        if kept["schema"] != SCHEMA:
            raise ValueError("schema %s is not known" % kept["schema"])
        return {key: kept[key] for key in _EMPTY}
    except (ValueError, KeyError, TypeError) as error:
        host.note("%s is damaged (%s): what runs is not known, and is taken to be older" % (path(name), error))
        return dict(_EMPTY, phase=SWITCHING)


def names(host):
    """The instances of which something is kept; the folder holds other things too."""
    found = []
    for file in host.names(FOLDER):
        try:
            kept = json.loads(host.read("%s/%s" % (FOLDER, file))) if file.endswith(".json") else None
        except (OSError, ValueError):
            continue
        if isinstance(kept, dict) and "phase" in kept:
            found.append(file[:-len(".json")])
    return found


def save(host, name, kept, **changed):
    """Write it at once; returns what is kept now."""
    kept = dict(kept, **changed)
    host.make_folder(FOLDER.rpartition("/")[0])
    host.make_folder(FOLDER, 0o700)
    host.write_file(path(name), json.dumps(kept, indent=1, sort_keys=True).encode(), mode=0o600)
    return kept


def remove(host, name):
    """Forget an instance."""
    if host.is_folder(FOLDER):
        host.remove_file(path(name))


def public(deployment):
    """A deployment without the texts of its files, of which some are secret."""
    return dict({key: value for key, value in deployment.items() if key != "files"},
                files={name: {"mode": file["mode"], "secret": file["secret"]}
                       for name, file in deployment["files"].items()})
