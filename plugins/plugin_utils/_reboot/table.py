# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan and the outcome of a reboot run as tables. Pure.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.plugin_utils._report.table import paragraph, table

_MOST = 200
_PARTS = {"reboot": "reboot", "look": "look only", "along": "drain only"}
_ENDS = {"done": "ok", "planned": "not reached", "held": "held"}


def of_plan(plan, width):
    """[(line, None)]: who is rebooted, in which batch, and why."""
    lines = [("", None)]
    rows = [((host, entry["batch"], entry["rack"] or "-", entry["nvlink_domain"] or "-", entry["drain"],
              _PARTS[entry["part"]], "%s%s" % (entry["why"], _busy(entry))), None)
            for host, entry in list(plan["nodes"].items())[:_MOST]]
    if rows:
        lines += table(("node", "batch", "rack", "nvlink_domain", "drain", "what", "why"), rows, width)
    else:
        lines += [("Nothing waits for a reboot.", None)]
    said = ["%d of %d nodes in %d batches" % (
        len(plan["nodes"]), len(plan["nodes"]) + len(plan["skipped"]) + len(plan["lost"]), len(plan["batches"]))]
    said += ["nothing waits on %s" % _few(plan["skipped"])] if plan["skipped"] else []
    said += ["no answer from %s" % _few(plan["lost"])] if plan["lost"] else []
    lines += [("", None)] + [(text, None) for text in paragraph("; ".join(said), width, 2)]
    return lines + [(text, "warning") for said in plan["warnings"] + plan["refused"]
                    for text in paragraph(said, width, 2)]


def of_outcome(plan, states, stopped, width):
    """[(line, kind)]: what became of each node, why the run was `stopped` if so, and what a second run would do."""
    rows = [_row(host, entry, states[host]) for host, entry in plan["nodes"].items()]
    bad = [row for row in rows if row[1]]
    shown = bad + [row for row in rows if not row[1]] if len(rows) > _MOST else rows
    lines = [("", None)] + table(("node", "batch", "pending", "health", "seconds down", "result"), shown[:_MOST], width)
    lines += [("", None)]
    done = sum(states[host].get("phase") == "done" for host in plan["nodes"])
    said = "%d of %d nodes done" % (done, len(plan["nodes"]))
    if done < len(plan["nodes"]):
        said += ". Run it again once what is named is put right: nodes that are done are left alone, one that was " \
                "rebooted is looked at and not rebooted again"
    lines += [(text, "error") for text in paragraph("Stopped: " + stopped, width, 2)] if stopped else []
    return lines + [(text, None) for text in paragraph(said, width, 2)]


def outcome(entry, state):
    """What report/reboot.json says of a node."""
    before, after = state.get("before") or {}, state.get("after") or {}
    return {"result": _ENDS.get(state.get("phase"), state.get("phase")), "message": state.get("message"),
            "in_service": not state.get("open", False), "seconds_down": state.get("seconds"),
            "pending_before": before.get("pending", entry["pending"]), "pending_after": after.get("pending"),
            "health_before": before.get("verdict"), "health_after": after.get("verdict"),
            "boot_id_before": before.get("boot_id"), "boot_id_after": after.get("boot_id")}


def _row(host, entry, state):
    said = outcome(entry, state)
    phase = state.get("phase")
    result = said["result"] or "not reached"
    if said["message"]:
        result = "%s: %s" % (result, said["message"])
    if state.get("open") and phase != "done":
        result += " (still drained)" if entry["drain"] != "none" else ""
    return ((host, entry["batch"], _change(_count(said["pending_before"]), _count(said["pending_after"])),
             _change(said["health_before"], said["health_after"]),
             "-" if said["seconds_down"] is None else said["seconds_down"], result),
            "error" if phase not in ("done", "planned") else None)


def _count(pending):
    return None if pending is None else len(pending)


def _change(before, after):
    return "%s -> %s" % tuple("?" if value is None else value for value in (before, after))


def _busy(entry):
    """Who computes on the node now, though the drain may empty it."""
    if not entry["jobs"]:
        return ""
    return " (busy now: %s)" % _few(["%s, process %s" % (job["comm"], job["pid"]) for job in entry["jobs"]])


def _few(names, most=5):
    more = " and %d more" % (len(names) - most) if len(names) > most else ""
    return ", ".join(names[:most]) + more
