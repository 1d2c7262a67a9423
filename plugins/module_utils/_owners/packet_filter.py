# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a firewall lets in: the chains of nftables that close a node, and what their rules accept.

PRIVATE to the collection. ufw, firewalld and today's iptables all show as nftables. This is no proof: what a rule with
more conditions than a port and an address accepts does not count.
"""

from __future__ import annotations

import json

from .._host import CommandNotRun
from . import modprobe

_ALL = (0, 65535)
_SHUT = ("drop", "reject")


def closing(host):
    """[{name, open, peers}] of the input chains that drop what nothing accepts.

    `open` are the TCP ports that anybody reaches, [(first, last)]; `peers` whether some address or interface that is
    not this node's own may send to any port. Empty where nft cannot be asked, or where asking would load the module.
    """
    if not host.runs_commands or not modprobe.is_loaded(host, "nf_tables"):
        return []
    try:
        status, output, _errors = host.run(["nft", "-j", "list", "ruleset"], changes=False)
        entries = json.loads(output or "{}").get("nftables", []) if status == 0 else []
    except (CommandNotRun, OSError, ValueError):
        return []
    chains = [entry["chain"] for entry in entries if "chain" in entry]
    rules = {}
    for entry in entries:
        if "rule" in entry:
            rules.setdefault(_place(entry["rule"], "chain"), []).append(entry["rule"].get("expr", []))
    found = []
    for chain in chains:
        if chain.get("hook") == "input" and chain.get("type") == "filter":
            reached = _reached(_place(chain, "name"), rules)
            if chain.get("policy") == "drop" or any(_verdict(one) in _SHUT and not _matches(one) for one in reached):
                found.append(dict(_accepted(reached), name=" ".join(_place(chain, "name"))))
    return found


def _place(item, name):
    return item.get("family", ""), item.get("table", ""), item.get(name, "")


def _reached(start, rules):
    """The rules of a chain and of all chains that it leads to."""
    waiting, seen, found = [start], set(), []
    while waiting:
        place = waiting.pop()
        if place not in seen:
            seen.add(place)
            for one in rules.get(place, []):
                found.append(one)
                waiting += [place[:2] + (step[word]["target"],) for step in one for word in ("jump", "goto")
                            if isinstance(step.get(word), dict)]
    return found


def _verdict(rule):
    return next((word for step in rule for word in ("accept", "drop", "reject") if word in step), None)


def _matches(rule):
    return [step["match"] for step in rule if "match" in step]


def _accepted(rules):
    opened, peers = [], False
    for one in rules:
        if _verdict(one) != "accept":
            continue
        about = [_subject(match) for match in _matches(one)]
        if all(name in ("tcp dport", "protocol") for name, _value in about):
            named = [_numbers(value) for name, value in about if name == "tcp dport"]
            opened += named[0] if named else [_ALL] if not about else []
        elif all(name in ("address", "interface") for name, _value in about):
            peers = peers or any(value != "lo" for _name, value in about)
    return {"open": opened, "peers": peers}


def _subject(match):
    """(what a match is about, its value)."""
    left, value = match.get("left"), match.get("right")
    if not isinstance(left, dict) or match.get("op") == "!=":
        return "something else", None
    payload, meta = left.get("payload") or {}, left.get("meta") or {}
    about = (payload.get("protocol"), payload.get("field"))
    if about in (("tcp", "dport"), ("th", "dport")):
        return "tcp dport", value
    if about in (("ip", "saddr"), ("ip6", "saddr")):
        return "address", value
    if meta.get("key") in ("iif", "iifname"):
        return "interface", value
    return ("protocol", value) if meta.get("key") in ("l4proto", "nfproto") else ("something else", value)


def _numbers(value):
    """The ports of a match as [(first, last)]."""
    items = value.get("set", [value]) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    found = []
    for one in items:
        if isinstance(one, dict) and isinstance(one.get("range"), list):
            found.append(tuple(one["range"]))
        elif isinstance(one, int):
            found.append((one, one))
    return [pair for pair in found if all(isinstance(number, int) for number in pair)]


def ports(words):
    """Ports and ranges of ports from text, [(first, last)]: 8000 50000-51000."""
    pairs = [word.partition("-") for word in words]
    return [(int(low), int(high or low)) for low, _dash, high in pairs if low.isdigit() and (high or low).isdigit()]


def covers(opened, wanted):
    """Whether one of some ranges of ports holds all of another one."""
    return any(low <= wanted[0] and wanted[1] <= high for low, high in opened)
