# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stop a change: the rules between settings, and the jobs that a change could hurt.

PRIVATE to the collection. A rule is a function of a View that returns findings; one of severity E that names a setting
which is about to change refuses that change.
"""

from __future__ import annotations

from ._input import KINDS, BadInput
from ._owners import consumers, jobs
from ._topology import cpu, numa
from ._topology.node import UnknownNic, read_topology


class View:
    """What a rule may look at: the values as they will be after this plan, and what is so on this machine."""

    def __init__(self, plan, options):
        self.steps = plan.steps
        self.options = options
        self.host = plan.host
        self._journal = plan.journal

    def step(self, name):
        """The first step of a setting that is asked for, or None."""
        return next((step for step in self.steps if step["name"] == name and "_restore" not in step), None)

    def given_back(self, name):
        """The step that gives a setting back, or None."""
        return next((step for step in self.steps if step["name"] == name and "_restore" in step), None)

    def value(self, name, path=None):
        """What a setting will be once this plan is applied, or None; `path` is where it lives if no sysctl key."""
        step = self.step(name) or self.given_back(name)
        if step and step["status"] in ("ok", "drift"):
            return step["_force"]
        if any(step["_row"] and step["_row"].twin == name and step["status"] in ("ok", "drift") for step in self.steps):
            return "0"
        return self.text(path or "/proc/sys/" + name.replace(".", "/"))

    def number(self, name):
        """The same as an int, or None where it is none."""
        value = self.value(name)
        return int(value) if value and value.lstrip("-").isdigit() else None

    def text(self, path):
        """The text of a file, or None."""
        return self.host.text(path)

    def exists(self, path):
        """Whether a path is there."""
        return self.host.exists(path)

    def changed_at(self, name):
        """When we first changed a running value, in seconds since the epoch, or None if it is as we found it."""
        step = self.step(name)
        return next((entry["since"] for entry in self._journal["entries"].values()
                     if entry["name"] == name and step and entry["original"] != step["running"]), None)

    def is_ours(self, name):
        """Whether a setting was changed by us and has not been given back."""
        return any(entry["name"] == name for entry in self._journal["entries"].values())

    def jobs(self):
        """The processes that hold a GPU or an RDMA device."""
        return jobs.live_jobs(self.host)[0]

    def consumers(self):
        """Who computes here, and in which control groups: see _owners/consumers.py."""
        if "consumers" not in self.host.facts:
            self.host.facts["consumers"] = consumers.read(self.host)
        return self.host.facts["consumers"]

    def started_at(self, pid):
        """When a process was started, in seconds since the epoch, or None."""
        return jobs.started_at(self.host, pid)

    def topology(self, section):
        """A section of the topology: `cpu` or `numa_nodes`, or with more work another, as in the schema of the fact.

        It is read once for all plans that are made of one host. Raises BadInput for a NIC that is named and not here.
        """
        found = self.host.facts.setdefault("cpus", {"sources": {}, "notes": []})
        for name, reader in (("cpu", cpu), ("numa_nodes", numa)):
            if name not in found:
                found[name] = reader.read(self.host, found)
        if section in found:
            return found[section]
        nics = self._nics("compute"), self._nics("storage")
        found = self.host.facts.setdefault("topology %s %s" % nics, {})
        try:
            return read_topology(self.host, (section,), nics[0], nics[1], found)[section]
        except UnknownNic as error:
            named = sorted(name for name, value in self.options.items()
                           if name.endswith(("_compute_nics", "_storage_nics")) and value is not None)
            raise BadInput(["%s: %s" % (", ".join(named), error)])

    def _nics(self, purpose):
        """The operator's word on which NICs serve GPUs or storage, where the role has it as an option."""
        return next((value for name, value in self.options.items() if name.endswith("_%s_nics" % purpose)), None)


def consult(plan, rules, options):
    """The findings of the rules; refuses the changes that they forbid."""
    view = View(plan, options)
    findings = [found for rule in rules for found in rule(view)]
    for found in findings:
        for step in plan.steps:
            if found["severity"] == "E" and found["setting"] in (step["name"], step["target"]) and (
                    step["status"] == "drift"):
                step.update(status="refused", reason="%s: %s" % (found["rule"], found["message"]))
    return findings


def protect_jobs(plan, allow):
    """Refuse what may drop or stall traffic while a job runs here, unless this run is allowed to."""
    exposed = [step for step in plan.changing if step["disruption"] == "link"]
    if not exposed or "link" in allow:
        return
    running, complete = jobs.live_jobs(plan.host)
    running = [job for job in running if not _is_ended(plan, job["pid"])]
    if running:
        first = running[0]
        words = "a job is running: process %s (%s) holds %s" % (first["pid"], first["comm"], first["holds"])
        if len(running) > 1:
            words += ", and %d more" % (len(running) - 1)
    elif not complete:
        words = "whether a job is running cannot be told without root"
    else:
        return
    for step in exposed:
        step.update(status="refused", reason=words + "; gpuwright_allow: [link] lets it through")


def _is_ended(plan, pid):
    """Whether this plan stops the unit of a process before it changes anything else."""
    units = [step["target"] for step in plan.changing if hasattr(KINDS[step["kind"]], "leave") and "error" not in step]
    group = plan.host.text("/proc/%s/cgroup" % pid) if units else None
    return any("/%s" % unit in (group or "") for unit in units)


def hold_back(plan, allow, option=None):
    """Mark what this node sets in a way that was never tried on the real thing, and refuse to change it so, or at all,
    without a word of the operator's. What was set so, and outlives no boot, comes back so without another word.
    `option` is the role's own for that word, if it has one.
    """
    for step in plan.steps:
        kind = KINDS[step["kind"]]
        if step["status"] == "not_applicable":
            continue
        words = kind.unverified(plan.host) if hasattr(kind, "unverified") else None
        if words:
            step["unverified"] = words
        if step["status"] == "drift":
            refusal = kind.refusal(plan.host) if hasattr(kind, "refusal") else None
            let_go = "_restore" in step and kind.VOLATILE
            if refusal is None and words and "unverified" not in allow and not let_go:
                refusal = "%s; %s lets it through" % (
                    words, "%s: true" % option if option else "gpuwright_allow: [unverified]")
            if refusal and kind.VOLATILE and step["running"] == step["_force"]:
                refusal = "as wanted now, and not put back at boot: " + refusal
            if refusal:
                step.update(status="refused", reason=refusal)
