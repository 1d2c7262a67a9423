# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in words: a table per role for a few hosts, one line per difference for many.

PRIVATE to the collection. Lines are (text, what it is), the latter one of the statuses of build.py or None.
"""

from __future__ import annotations

import collections

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import partitions, rails, versions
from ansible_collections.gpuwright.node.plugins.plugin_utils._report.build import STATUSES, status_of
from ansible_collections.gpuwright.node.plugins.plugin_utils._report.table import paragraph, table

# Up to so many hosts each gets its own tables; more are merged.
FEW = 3
# What one role, and one list of hosts, may take of the screen; audit.json has the rest.
_MOST_LINES = 40
_MOST_DIFFERENCES = 5000
# From so many devices on, those of which all is alike share a row.
_ALIKE = 3
_HEADS = ("setting", "running", "desired", "status", "why")
_SEVERITIES = {"E": "error", "W": "warning", "I": "note"}


def of_few(hosts, width):
    """The tables of each of `[(name, host)]`, then which CPUs are for what, and whether rails and versions agree."""
    found, agreed, same = partitions.none(), rails.none(), versions.none()
    lines = []
    for name, host in hosts:
        partitions.add(found, name, host)
        rails.add(agreed, name, host)
        versions.add(same, name, host)
        lines += of_host(name, host, width)
    return lines + partitions.lines(found, width) + rails.lines(agreed, width) + versions.lines(same, width)


def of_host(name, host, width):
    """The tables of one host, a table a role, then what the rules found."""
    title = "%s (%s)" % (name, ", ".join(host["classes"])) if host["classes"] else name
    lines = [("", None)]
    lines += [(text, None) for text in paragraph(title + _hardware(host["topology"]), width, 2)]
    for role, told in host["roles"].items():
        steps = [step for step in host["settings"] if step["role"] == role]
        lines += [("", None), (role, None)]
        rows = _rows([step for step in steps if step["name"] not in _absent(steps)])
        nothing = _nothing(None if told.get("failed") else role)
        found_some = role == "health" and any(found["role"] == role for found in host["rules"])
        lines += table(_HEADS, rows, width) if rows else [] if found_some or steps else [("  %s" % nothing, None)]
        lines += _nowhere(steps, width)
        for what in ("files", "owners"):
            if told.get(what):
                words = "  %s given back: %s" % (what, ", ".join(told[what]))
                lines += [(text, None) for text in paragraph(words, width, 4)]
        lines += [(text, _worst_of(found)) for found in host["rules"] if found["role"] == role
                  for text in paragraph("  %s" % _finding(found), width, 4)]
    return lines + [("", None)] + [(text, _worst(host)) for text in paragraph(host_line(name, host), width, 2)]


def _rows(steps):
    """A row a step, or one for several devices of which all is alike: audit.json names each of them."""
    alike = {}
    for step in steps:
        told = (_running(step), _text(step["desired"]), status_of(step), _why(step))
        device, slash, name = (step["target"] or "").partition("/")
        one = (name,) if slash and name == step["name"] else (None, step["target"])
        alike.setdefault((one, told), []).append((device, step))
    rows = []
    for (one, told), found in alike.items():
        if len(found) < _ALIKE:
            rows += [((_name(step),) + told, told[2]) for _device, step in found]
        else:
            rows.append((("%s (%s and %d more)" % (one[0], found[0][0], len(found) - 1),) + told, told[2]))
    return rows


def _absent(steps):
    """The settings that apply nowhere here, for one reason. A device that is missing among others stays a row."""
    told = {}
    for step in steps:
        told.setdefault(step["name"], set()).add((status_of(step), step.get("reason")))
    return {name for name, found in told.items() if len(found) == 1 and next(iter(found))[0] == "not_applicable"}


def _nowhere(steps, width):
    """What does not apply here, a sentence a reason."""
    reasons, absent = {}, _absent(steps)
    for step in steps:
        if step["name"] in absent:
            reasons.setdefault(step["reason"], {})[step["name"].replace("{device}.", "")] = None
    said = ["  not_applicable: %s: %s" % (", ".join(names), reason) for reason, names in reasons.items()]
    return [(text, None) for sentence in said for text in paragraph(sentence, width, 4)]


def host_line(name, host):
    """One line on one host: `node1: 14 ok, 2 drift, 1 conflict`."""
    counts = collections.Counter(status_of(step) for step in host["settings"])
    said = ["%d %s" % (counts[status], status) for status in reversed(STATUSES) if counts[status]]
    said = said or [_nothing("rollback" if "rollback" in host["roles"] and host["status"] == "answered" else None)]
    rules = collections.Counter(found["severity"] for found in host["rules"])
    said += ["%s from rules" % _plural(rules[letter], word) for letter, word in _SEVERITIES.items() if rules[letter]]
    if host["reboot_required"]:
        said.append("a reboot is required")
    if host["status"] != "answered":
        said.insert(0, "%s (%s)" % (host["status"].upper().replace("_", " "), host["message"]))
    return "%s: %s" % (name, ", ".join(said))


def _nothing(role):
    if role is None:
        return "no setting was checked"
    return {"rollback": "nothing to give back", "health": "nothing to worry about"}.get(role, "nothing to set here")


def empty_merge():
    """What `merge` adds to."""
    return {"roles": {}, "findings": {}, "classes": {}, "trouble": [], "lost": 0, "partitions": partitions.none(),
            "rails": rails.none(), "versions": versions.none()}


def merge(merged, name, host):
    """Add one of many hosts: what is not ok by what it is, so that a thousand equal hosts are one line."""
    partitions.add(merged["partitions"], name, host)
    rails.add(merged["rails"], name, host)
    versions.add(merged["versions"], name, host)
    for role in host["roles"]:
        merged["roles"].setdefault(role, {"hosts": 0, "ok": 0, "lines": {}})["hosts"] += 1
    for step in host["settings"]:
        role, status = merged["roles"][step["role"]], status_of(step)
        if status in ("ok", "not_applicable"):
            role["ok"] += status == "ok"
            continue
        key = (_name(step), _running(step), _text(step["desired"]), status)
        _add(merged, role["lines"], key, name, _why(step))
    for found in host["rules"]:
        _add(merged, merged["findings"], (found["severity"], _finding(found)), name, "")
    for group in host["classes"] or ["no class"]:
        merged["classes"].setdefault(group, collections.Counter())[_worst(host)] += 1
    if host["status"] != "answered":
        merged["trouble"].append(host_line(name, host) if len(merged["trouble"]) < _MOST_LINES else name)


def _add(merged, lines, key, name, why):
    if key not in lines and len(lines) >= _MOST_DIFFERENCES:
        merged["lost"] += 1
        return
    line = lines.setdefault(key, {"hosts": 0, "first": name, "why": why, "same": True, "last": None})
    line["hosts"] += line["last"] != name
    line["last"] = name
    line["same"] = line["same"] and line["why"] == why


def of_many(merged, width):
    """The merged report of many hosts."""
    lines = []
    for role, part in merged["roles"].items():
        lines += [("", None), ("%s: %s, %d settings ok" % (role, _plural(part["hosts"], "host"), part["ok"]), None)]
        rows = [((_hosts(line), *key, line["why"] if line["same"] else _several(line)), key[3])
                for key, line in _first(part["lines"])]
        if rows:
            lines += table(("hosts", *_HEADS), rows, width)
        lines += _rest(part["lines"])
    if merged["findings"]:
        lines += [("", None), ("rules", None)]
        for (severity, text), line in _first(merged["findings"]):
            lines += [(part, _worst_of({"severity": severity}))
                      for part in paragraph("  %s: %s" % (_hosts(line), text), width, 4)]
        lines += _rest(merged["findings"])
    lines += partitions.lines(merged["partitions"], width) + rails.lines(merged["rails"], width)
    lines += versions.lines(merged["versions"], width)
    lines.append(("", None))
    for text in merged["trouble"][:_MOST_LINES]:
        lines += [(part, "error") for part in paragraph(text, width, 2)]
    if len(merged["trouble"]) > _MOST_LINES:
        lines.append(("and %d more that were not, or not wholly, checked" % (len(merged["trouble"]) - _MOST_LINES),
                      "error"))
    if merged["lost"]:
        lines.append(("%d more differences are only in audit.json" % merged["lost"], "error"))
    for group, counts in sorted(merged["classes"].items()):
        said = ", ".join("%d %s" % (counts[status], _WORST[status]) for status in _WORST if counts[status])
        lines += [(text, None) for text in paragraph("%s: %s" % (group, said), width, 2)]
    return lines


_WORST = {"unfinished": "not wholly checked", "error": "with errors", "refused": "with something refused",
          "conflict": "with a conflict", "unreadable": "with something unreadable", "drift": "with drift",
          "pending_reboot": "with a reboot pending", "changed": "changed", "nothing": "with no setting checked",
          "ok": "ok"}


def _worst(host):
    """The worst thing about a host, a key of _WORST."""
    if host["status"] != "answered":
        return "unfinished"
    found = {status_of(step) for step in host["settings"]}
    if any(rule["severity"] == "E" for rule in host["rules"]):
        found.add("error")
    return next((status for status in STATUSES if status in found and status in _WORST), "nothing")


def _worst_of(found):
    return {"E": "error", "W": "drift"}.get(found["severity"])


def _first(lines):
    """The lines that are shown: those of most hosts, then in the order of their names."""
    return sorted(lines.items(), key=lambda item: (-item[1]["hosts"], item[0]))[:_MOST_LINES]


def _rest(lines):
    more = len(lines) - _MOST_LINES
    return [("  and %d more lines like these, in audit.json" % more, "drift")] if more > 0 else []


def _hosts(line):
    return line["first"] if line["hosts"] == 1 else "%d hosts" % line["hosts"]


def _several(line):
    return "differs by host; %s: %s" % (line["first"], line["why"])


def _plural(number, word):
    return "%d %s%s" % (number, word, "" if number == 1 else "s")


def _name(step):
    name, target = step["name"], step["target"]
    if target in (None, name):
        return name
    return target if name in target or "{device}" in name else "%s %s" % (name, target)


def _running(step):
    after = step.get("after")
    if step.get("changed") and after is not None and after != step["running"]:
        return "%s -> %s" % (_text(step["running"]), _text(after))
    return _text(step["running"])


def _text(value):
    return "-" if value is None or value == "" else str(value)


def _why(step):
    """Why this value, and for whatever is not simply right also why this status."""
    said = [step.get("why"), step.get("error")]
    if status_of(step) not in ("ok", "changed"):
        # Its column says what is running.
        said.append(", ".join(part for part in (step.get("reason") or "").split(", ")
                              if part != "running %s" % step["running"]))
    return "; ".join(part for part in said if part)


def _finding(found):
    setting = "%s: " % found["setting"] if found.get("setting") else ""
    return "%s (%s) %s%s" % (found["rule"], _SEVERITIES.get(found["severity"], "?"), setting, found["message"])


def _hardware(topology):
    """What the node is, in a few words, from its topology; nothing if that was not read."""
    if not topology:
        return ""
    said = [_plural(len(topology.get("numa_nodes") or []), "NUMA node")]
    gpus = topology.get("gpus") or []
    names = sorted({gpu.get("name") or "unnamed" for gpu in gpus})
    said.append("%s (%s)" % (_plural(len(gpus), "GPU"), ", ".join(names)) if gpus else "no GPU")
    said.append(_plural(len(topology.get("rdma_devices") or []), "RDMA device"))
    said.append(_plural(len(topology.get("nvme") or []), "NVMe drive"))
    system = topology.get("system") or {}
    return ": %s, %s" % (", ".join(said), "kernel %s" % system["kernel"] if system.get("kernel") else "kernel unknown")
