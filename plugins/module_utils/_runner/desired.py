# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked of a role, kept on the node as it was asked: /etc/gpuwright/desired/ROLE.json.

PRIVATE to the collection. Schema 1: {schema, role, values, options, take_over}. The engine writes these files, through
its journal; the runner plans them again at boot, and the playbook reboot asks them what is pending.
"""

from __future__ import annotations

import json

FOLDER = "/etc/gpuwright/desired"
SCHEMA = 1
_PARTS = {"values": dict, "options": dict, "take_over": list}


class DamagedDesired(Exception):
    """A file of desired settings is not as we write it; the text names the file and says what is wrong."""


def path(role):
    """The file of a role."""
    return "%s/%s.json" % (FOLDER, role)


def text(role, request):
    """The file's whole text: canonical, so that the same request always gives the same bytes."""
    kept = {part: request[part] for part in _PARTS}
    return json.dumps(dict(kept, schema=SCHEMA, role=role), indent=1, sort_keys=True) + "\n"


def parse(content, name="desired settings"):
    """The request in the text of a file called `name`, as the engine takes it. Raises DamagedDesired."""
    try:
        found = json.loads(content)
        schema, role = found["schema"], found["role"]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedDesired("%s is damaged (%s): apply its role again" % (name, _words(error)))
    if schema != SCHEMA:
        raise DamagedDesired("%s has schema %s, this version knows %s: it was written by another version of "
                             "gpuwright.node" % (name, schema, SCHEMA))
    wrong = [part for part, shape in sorted(_PARTS.items()) if not isinstance(found.get(part), shape)]
    if wrong or not isinstance(role, str):
        raise DamagedDesired("%s is damaged (%s has another shape): apply its role again"
                             % (name, ", ".join(wrong) or "role"))
    return dict({part: found[part] for part in _PARTS}, role=role, origins={}, allow=[],
                absent_ok=True)


def _words(error):
    return "no %s" % error if isinstance(error, KeyError) else str(error)


def roles(host):
    """The roles that have a file, sorted; a hidden or half-written file belongs to none."""
    return sorted(name[:-len(".json")] for name in host.names(FOLDER)
                  if name.endswith(".json") and not name.startswith("."))


def read(host, role):
    """The request of one role. Raises DamagedDesired."""
    name = path(role)
    try:
        content = host.read(name)
    except OSError as error:
        raise DamagedDesired("%s cannot be read: %s" % (name, error.strerror))
    request = parse(content, name)
    if request["role"] != role:
        raise DamagedDesired("%s says it is of role %s: apply that role again" % (name, request["role"]))
    return request


def load(host):
    """The requests of all roles. Raises DamagedDesired for the first file that is not as we write it."""
    return [read(host, role) for role in roles(host)]
