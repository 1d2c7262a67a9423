# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes are rebooted, in which batches and why; and how far a run came. Pure.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._derive.reboot_batches import batches


def make(nodes, wishes):
    """{batches, nodes: {host: entry}, skipped, refused} from what the nodes answered, in the order of the inventory.

    A node is {host, answer, variables, state}: what module pending_reboot said, what its variables are, and what an
    earlier run left of it. `wishes` is {serial, budget, per_rack}. `refused` has a sentence for each node that must not
    be rebooted like this. Raises ValueError where gpuwright_serial is no list of sizes.
    """
    entries = {node["host"]: _entry(node) for node in nodes}
    _take_along(nodes, entries)
    chosen = [node for node in nodes if entries[node["host"]]["part"] != "nothing"]
    made = batches([{"host": node["host"], "rack": node["variables"]["rack"],
                     "nvlink_domain": node["variables"]["nvlink_domain"],
                     "first": entries[node["host"]]["resumes"], "down": entries[node["host"]]["part"] == "reboot"}
                    for node in chosen], wishes["serial"], wishes["per_rack"])
    units = _units(chosen)
    for number, batch in enumerate(made, 1):
        for host in batch:
            entries[host].update(batch=number, unit=units[host])
    return {"batches": made,
            "nodes": {host: entries[host] for batch in made for host in batch},
            "skipped": [host for host, entry in entries.items() if entry["part"] == "nothing"],
            "refused": [said for node in chosen for said in _refused(node)]}


def _entry(node):
    """What is to be done with a node: reboot, look (it was rebooted, and not yet looked at), or nothing."""
    answer, state = node["answer"], node["state"]
    waits = bool(answer["reboot_required"])
    unfinished = bool(state.get("open"))
    part = "reboot" if waits and not _was_rebooted_for(answer, state) else "look" if unfinished else "nothing"
    return {"part": part, "resumes": unfinished, "why": _why(answer, state, part), "pending": answer["pending"],
            "jobs": answer["jobs"], "rack": node["variables"]["rack"],
            "nvlink_domain": node["variables"]["nvlink_domain"], "drain": node["variables"]["drain"],
            "drain_tasks": node["variables"]["drain_tasks"], "undrain_tasks": node["variables"]["undrain_tasks"],
            "allow": node["variables"]["allow"]}


def _was_rebooted_for(answer, state):
    """Whether an earlier run rebooted the node for just what is pending still: another reboot would not help."""
    before = state.get("before") if state.get("open") else None
    return bool(before) and before["boot_id"] != answer["boot_id"] and before["pending"] == answer["pending"]


def _why(answer, state, part):
    """The words in the plan on why a node is in it."""
    said = ["%s: %s -> %s" % (step["name"], _shown(step["running"]), _shown(step["desired"]))
            for step in answer["pending"]]
    if answer.get("distribution"):
        said.append(answer["distribution"])
    if state.get("open"):
        said.insert(0, "an earlier run left it %s%s" % (state.get("phase"), ", rebooted" if part == "look" else ""))
    return "; ".join(said)


def _shown(value):
    return "(none)" if value in (None, "") else str(value)


def _take_along(nodes, entries):
    """The other members of an NVLink domain of which one goes down are drained with it, and looked at after."""
    down = {node["variables"]["nvlink_domain"] for node in nodes if entries[node["host"]]["part"] == "reboot"}
    for node in nodes:
        domain, entry = node["variables"]["nvlink_domain"], entries[node["host"]]
        if domain is not None and domain in down and entry["part"] == "nothing":
            entry.update(part="along", why="drained along: nvlink_domain %s" % domain)


def _units(chosen):
    """{host: all that go down with it, itself among them}"""
    members = {}
    for node in chosen:
        members.setdefault(node["variables"]["nvlink_domain"], []).append(node["host"])
    return {node["host"]: [node["host"]] if node["variables"]["nvlink_domain"] is None
            else members[node["variables"]["nvlink_domain"]] for node in chosen}


def _refused(node):
    """Sentences on a node that must not be rebooted with these variables."""
    if node["variables"]["drain"] == "none" and node["answer"]["schedulers"]:
        yield ("%s: %s runs there, and gpuwright_drain is none: say slurm or kubernetes, or name files of tasks in "
               "gpuwright_drain_tasks and gpuwright_undrain_tasks" % (node["host"], " and ".join(
                   node["answer"]["schedulers"])))
    if node["variables"]["local"]:
        yield "%s: it is the controller itself (connection local): reboot it by hand" % node["host"]


def failed(plan, states, batch, well=("done", "held"), now=()):
    """The hosts of the batches up to `batch` (1, 2, ...) that did not come through, and those that were never asked.

    A host of an earlier batch is well once it is done, or given back before it went down; one of this batch also in a
    phase of `now`. What is not known to be well has failed: a node that was lost says nothing.
    """
    return list(plan["lost"]) + [
        host for host, entry in plan["nodes"].items()
        if entry["batch"] <= batch and states[host].get("phase") not in well + (now if entry["batch"] == batch else ())]


def held(plan, states, batch, hosts):
    """{host: why it may not go down} for the `hosts` of a batch that are ready."""
    lost = failed(plan, states, batch, now=("ready", "looking"))
    if len(lost) > plan["budget"]:
        return dict.fromkeys(hosts, "not rebooted: %s" % exhausted(plan, lost))
    missing = set(lost)
    found = {}
    for host in hosts:
        others = [other for other in plan["nodes"][host]["unit"] if other in missing]
        if others:
            found[host] = "not rebooted: %s of its nvlink_domain failed" % ", ".join(others)
    return found


def exhausted(plan, lost):
    """The sentence on a failure budget that is used up."""
    return "%d node%s failed (%s%s), gpuwright_reboot_budget is %d" % (
        len(lost), "" if len(lost) == 1 else "s", ", ".join(lost[:10]), ", ..." if len(lost) > 10 else "",
        plan["budget"])
