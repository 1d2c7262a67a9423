# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch ports that a node's interfaces are cabled to, as lldpd heard of them.

PRIVATE to the collection. Source: lldpcli(8). Its plain JSON lists one interface as an object and several as a list of
objects, and names a chassis by a key of its own; both are taken.
"""

from __future__ import annotations

import json

from .._host import CommandNotRun

_COMMAND = ("lldpcli", "-f", "json", "show", "neighbors")


def neighbours(host):
    """{interface: {"switch", "port"}}, or None where lldpd does not run; the first of several neighbours of a port."""
    if not host.runs_commands:
        return None
    try:
        status, text, _errors = host.run(list(_COMMAND), changes=False)
    except (CommandNotRun, OSError):
        return None
    if status != 0:
        return None
    return parse(text)


def parse(text):
    """The same from lldpcli's answer, or None if it is none."""
    try:
        entries = json.loads(text)["lldp"].get("interface", [])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    found = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        for name, told in entry.items() if isinstance(entry, dict) else ():
            for one in told if isinstance(told, list) else [told]:
                if isinstance(one, dict):
                    found.setdefault(name, {"switch": _switch(one.get("chassis")), "port": _port(one.get("port"))})
    return found


def _switch(chassis):
    """The name of the chassis, or its address where it tells no name."""
    if not isinstance(chassis, dict):
        return None
    name = next(iter(chassis), None)
    if name and isinstance(chassis[name], dict) and "value" not in chassis[name]:
        return name
    return _value(chassis.get("name")) or _value(chassis.get("id"))


def _port(port):
    """The identifier of the port; its description only where there is none."""
    if not isinstance(port, dict):
        return None
    own, words = _value(port.get("id")), _value(port.get("descr"))
    is_address = isinstance(port.get("id"), dict) and port["id"].get("type") == "mac"
    return words if is_address and words else own or words


def _value(told):
    if isinstance(told, list):
        told = told[0] if told else None
    return told.get("value") if isinstance(told, dict) else told
