# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was given back and waits for the next boot, kept where a boot forgets it.

PRIVATE to the collection. A setting that is no longer managed has no role to say that it is pending, so that the
playbook reboot reads it here: /run/gpuwright-pending.json, [{role, name, target, running, desired}].
"""

from __future__ import annotations

import json

PATH = "/run/gpuwright-pending.json"


def waiting(steps):
    """The steps that take effect at the next boot only and are not in force yet."""
    return [step for step in steps if step["disruption"] == "reboot" and step["status"] in ("drift", "pending_reboot")
            and step["running"] != step["desired"] and "error" not in step]


def noted(host):
    """What waits, [] for nothing; a damaged file says nothing, for the next boot ends what it said anyway."""
    try:
        return [dict(item) for item in json.loads(host.read(PATH))]
    except (OSError, ValueError, TypeError):
        return []


def note(host, role, steps):
    """Add what these steps of a role gave back; what the role asks for again is taken out by `forget`."""
    new = [{"role": role, "name": step["name"], "target": step["target"], "running": step["running"],
            "desired": step["desired"]} for step in waiting(steps)]
    if new:
        _write(host, [item for item in noted(host) if item["target"] not in {one["target"] for one in new}] + new)


def forget(host, targets):
    """What is managed again no longer waits for the old value."""
    old = noted(host)
    left = [item for item in old if item["target"] not in targets]
    if left != old:
        _write(host, left)


def _write(host, items):
    if items:
        host.write_file(PATH, json.dumps(items, indent=1, sort_keys=True).encode())
    else:
        host.remove_file(PATH)
