# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan, the order and the outcome of role vllm_service as tables. Pure.

PRIVATE to the collection.
"""

from __future__ import annotations

import shlex

from ansible_collections.gpuwright.node.plugins.plugin_utils._report.table import paragraph, table
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm.turns import words

_MOST = 200


def of_plans(answers, width):
    """[(line, kind)]: what each node would start, with the whole command; nodes that start the same are told once."""
    merged = {}
    for host, answer in answers.items():
        for name, command in answer["commands"].items():
            said = command if isinstance(command, str) else shlex.join(str(word) for word in command)
            flags = shlex.join(str(word) for word in (answer.get("shown") or {}).get(name) or ())
            key = (name, str(answer["summaries"].get(name) or ""), said, flags, _would(name, answer, answers))
            merged.setdefault(key, []).append(host)
    lines = []
    for (name, summary, command, flags, would), hosts in list(merged.items())[:_MOST]:
        lines += [("", None)]
        lines += [(text, "drift" if would else "ok") for text in paragraph("vllm@%s on %s: %s" % (
            name, few(hosts), would or "stays as it is"), width, 2)]
        lines += [("  " + text, None) for text in paragraph(summary, width - 2, 0)] if summary else []
        lines += [("  " + command, None)] + ([("  with " + flags, None)] if flags else [])
    if len(merged) > _MOST:
        lines.append(("and %d more" % (len(merged) - _MOST), None))
    return lines


def _would(name, answer, answers):
    """What a run without check mode would do to an instance, or None; one node's start is that of its whole replica."""
    instance, runs = answer["instances"].get(name) or {}, str((answer.get("running") or {}).get(name) or "")
    several = (instance.get("several") or {}).get("nodes") or ()
    along = any(name in answers[node]["due"] for node in several if node in answers)
    if name not in answer["due"] and not along:
        return None
    if instance.get("state") == "stopped":
        return "would stop" if runs.startswith("started") else "would be there, stopped"
    if runs == "started" and not along:
        return "would be verified, and goes on running" if name in answer.get("open", ()) else "would go on running"
    return "would restart" if runs.startswith("started") else "would start"


def of_roll(made, width):
    """[(line, kind)]: which nodes restart what, in which batch."""
    if not made["batches"]:
        return [("", None), ("No instance restarts.", None)]
    rows = []
    for number, batch in enumerate(made["batches"], 1):
        units = [unit for some in batch["rounds"] for unit in some]
        rows.append(((number, few(batch["hosts"]), few(sorted({unit["name"] for unit in units})), len(batch["rounds"])),
                     None))
    return [("", None)] + table(("batch", "nodes", "instances", "rounds"), rows[:_MOST], width)


def of_outcome(made, states, stopped, width):
    """[(line, kind)]: what became of each instance on each node, and what a second run would do."""
    rows, done = [], 0
    for host, turn in made["turns"].items():
        for unit in turn["units"]:
            state = states.get((host, unit["name"])) or {}
            said = "; ".join([words(state)] + list(state.get("words") or ()))
            down = state.get("down_seconds")
            done += state.get("phase") == "kept"
            rows.append(((host, turn["batch"] + 1, unit["name"], "-" if down is None else down, said),
                         None if state.get("phase") in ("kept", None, "not_reached") else "error"))
    rows.sort(key=lambda row: row[0][1])
    bad = [row for row in rows if row[1]]
    shown = bad + [row for row in rows if not row[1]] if len(rows) > _MOST else rows
    lines = [("", None)] + table(("node", "batch", "instance", "seconds down", "result"), shown[:_MOST], width)
    lines.append(("", None))
    lines += [(text, "error") for text in paragraph("Stopped: " + stopped, width, 2)] if stopped else []
    said = "%d of %d done" % (done, len(rows))
    if done < len(rows):
        said += ". What was not reached is as it was before. Run it again once what is named is put right: what is " \
                "done is left alone"
    return lines + [(text, None) for text in paragraph(said, width, 2)]


def few(names, most=5):
    """The first of some names, and how many more there are."""
    more = " and %d more" % (len(names) - most) if len(names) > most else ""
    return ", ".join(names[:most]) + more
