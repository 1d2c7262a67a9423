# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool dcb in its real formats, on the drivers of dcb_node.py.

It is called with the host, {interface: driver} and its arguments, and returns (exit status, output, errors).
"""

from __future__ import annotations

import errno
import json
import os
import re

TSA = ("strict", "cbs", "ets", "vendor")
NAMES = {0: "CS0", 8: "CS1", 16: "CS2", 24: "CS3", 26: "AF31", 32: "CS4", 40: "CS5", 46: "EF", 48: "CS6", 56: "CS7"}


class Ended(Exception):
    """A tool ends here with (exit status, output, errors)."""


def dcb(host, drivers, argv):
    """iproute2's dcb."""
    flags = "".join(word.lstrip("-") for word in argv if word.startswith("-"))
    words = [word for word in argv if not word.startswith("-")]
    topic, action, _dev, name = words[:4]
    try:
        if name not in drivers:
            return 1, "\n", "Attribute read: %s\n" % os.strerror(errno.ENODEV)
        if not drivers[name].state["dcb"]:
            return 1, "\n", "Attribute read: %s\n" % os.strerror(errno.EOPNOTSUPP)
        if action == "show":
            shown = _show(topic, drivers[name])
            return 0, json.dumps(shown, separators=(",", ":")) + "\n" if "j" in flags else _plain(shown, flags), ""
        return _CHANGES[topic](drivers[name], action, words[4:])
    except Ended as end:
        return end.args[0]
    except OSError as error:
        return 1, "", "Attribute write: %s\n" % error.strerror


def _show(topic, driver):
    """What a topic shows, as JSON: always numbers, and since iproute2 6.2 a blank behind each entry."""
    state = driver.state
    if topic == "pfc":
        return {"pfc_cap": 8, "macsec_bypass": False, "delay": state["cable_len"],
                "prio_pfc": [number in state["pfc"] for number in range(8)]}
    if topic == "ets":
        zero = [0] * 8
        return {"willing": False, "ets_cap": 8, "cbs": False, "tc_bw": state["bandwidth"], "pg_bw": zero,
                "tc_tsa": state["tsa"], "prio_tc": state["prio_tc"], "reco_tc_bw": zero,
                "reco_tc_tsa": ["strict"] * 8, "reco_prio_tc": zero}
    if topic == "app":
        return {"dscp_prio": [pair + [" "] for pair in state["app"]]} if state["app"] else {}
    return {flag.replace("-", "_"): True for flag in state["flags"]}


def _plain(shown, flags):
    """The same for people: without -N a DSCP that has a name shows by it."""
    entries = ["%s:%d" % (number if "N" in flags else NAMES.get(number, number), priority)
               for number, priority, _blank in shown.pop("dscp_prio", ())]
    lines = ["dscp-prio " + " ".join(entries)] if entries else []
    return "".join(line + "\n" for line in lines + ["%s %s" % pair for pair in shown.items()])


def _mapping(words, key, values, known):
    """Words such as all:off 3:on up to the next key, put into a list of eight."""
    while words and ":" in words[0]:
        place, _colon, value = words.pop(0).partition(":")
        if value not in known or (place != "all" and not place.isdigit()) or (place.isdigit() and int(place) > 7):
            raise Ended((1, "", "Invalid %s mapping %s:%s\n" % (key, place, value)))
        for number in range(8) if place == "all" else [int(place)]:
            values[number] = value


def _pfc(driver, action, words):
    switches = ["on" if number in driver.state["pfc"] else "off" for number in range(8)]
    _expect(words.pop(0), "prio-pfc")
    _mapping(words, "pfc", switches, ("on", "off"))
    driver.state["pfc"] = [number for number in range(8) if switches[number] == "on"]
    return 0, "", ""


def _ets(driver, action, words):
    now = {"tc-tsa": list(driver.state["tsa"]), "tc-bw": [str(share) for share in driver.state["bandwidth"]],
           "prio-tc": [str(number) for number in driver.state["prio_tc"]]}
    known = {"tc-tsa": TSA, "tc-bw": [str(share) for share in range(101)], "prio-tc": list("01234567")}
    while words:
        key = words.pop(0)
        _expect(key, *now)
        _mapping(words, key, now[key], known[key])
    shares, any_ets = [int(share) for share in now["tc-bw"]], "ets" in now["tc-tsa"]
    if sum(shares) != 100 and (any_ets or sum(shares)):
        return 1, "", "Bandwidth percentages in tc-bw sum to %d%%, expected %d%%\n" % (sum(shares), 100 * any_ets)
    driver.set_ets(now["tc-tsa"], shares, [int(number) for number in now["prio-tc"]])
    return 0, "", ""


def _app(driver, action, words):
    _expect(words.pop(0), "dscp-prio")
    pairs = []
    for word in words:
        match = re.match(r"(\d+):(\d+)$", word)
        if not match or int(match.group(1)) > 63 or int(match.group(2)) > 7:
            return 1, "", "In DSCP:PRIO mapping, DSCP is expected to be 0..63\nInvalid mapping %s\n" % word
        pairs.append((int(match.group(1)), int(match.group(2))))
    if action == "replace":
        return _replace(driver, pairs)
    for dscp, priority in list(driver.state["app"]) if action == "flush" else pairs:
        if action == "add":
            driver.set_app(dscp, priority)
        else:
            driver.del_app(dscp, priority)
    return 0, "", ""


def _replace(driver, pairs):
    """New entries, then the old ones of the same DSCPs go: mlx5 has done that already. The exit status is always 0."""
    before = driver.entries
    for dscp, priority in pairs:
        if before.get(dscp) != priority:
            driver.set_app(dscp, priority)
    replaced = [dscp for dscp, priority in pairs if before.get(dscp, priority) != priority]
    said = "Attribute write: %s\nCould not remove replaced APP entries\n" % os.strerror(errno.ENOENT)
    return 0, "", said if replaced else ""


def _dcbx(driver, action, words):
    if not words:
        return 0, "", "Usage: dcb dcbx set dev STRING\n"
    driver.set_dcbx(words)
    return 0, "", ""


def _expect(word, *known):
    if word not in known:
        raise Ended((1, "", 'What is "%s"?\n' % word))


_CHANGES = {"pfc": _pfc, "ets": _ets, "app": _app, "dcbx": _dcbx}
