# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module nccl_benchmark: looks at nodes, plans runs, carries them out and judges them, on the controller."""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark.request import BadRequest
from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import (
    document,
    execute,
    judge,
    kept,
    options,
    pictures,
    plan,
    table,
)
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import ask, parts, show

_MODULE = "gpuwright.node.nccl_run"
# With more runs at once nobody could follow each size of each.
_MANY = 8


class ActionModule(ActionBase):
    """One stage of a benchmark; what a stage leaves to the next one lies in the report folder."""

    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Enter a stage; bad input fails on every host before anything was started on one."""
        result = super().run(tmp, task_vars)
        _checked, asked = self.validate_argument_spec({
            "stage": {"type": "str", "required": True, "choices": ["look", "plan", "run", "report"]},
            "options": {"type": "dict", "default": {}}, "after": {"type": "str"}, "plan": {"type": "str"},
            "round": {"type": "int"}})
        place = parts.folder(task_vars, self._templar)
        try:
            result.update(getattr(self, "_" + asked["stage"])(place, asked, task_vars))
        except (BadRequest, kept.NoPlace) as error:
            result.update(failed=True, msg=str(error))
        return result

    def _look(self, place, asked, task_vars):
        """Whether this node can take part; that it cannot fails nothing yet, for then nobody would say so."""
        host = task_vars["inventory_hostname"]
        options.check_names(task_vars)
        meant = options.read(asked["options"])
        topology = _thawed((task_vars.get("ansible_facts") or {}).get("topology")) or {}
        look = {"options": meant, "topology": topology, "why": None, "programs": {}, "jobs": [], "conf": {},
                "complete": None, "left": [], "gpus": meant["gpus"] or len(topology.get("gpus") or ()),
                "nvlink_domain": task_vars.get("nvlink_domain"), "health": _health(host, place)}
        look["why"] = _unfit(meant, topology)
        if look["why"] is None:
            said = self._ask({"do": "look", **{name: meant[name] for name in (
                "operations", "launcher", "path", "command_prefix", "allow")}}, task_vars)
            look["why"] = said.get("failed")
            look.update({name: said[name] for name in ("programs", "jobs", "complete", "left", "conf") if name in said})
        kept.keep(place, "look", host, look)
        return {"ready": look["why"] is None, "why": look["why"]}

    def _plan(self, place, asked, task_vars):
        """The rounds of runs, and after a plan that was carried out the rounds that search for what is at fault."""
        looks = _looks(place, task_vars)
        if asked["after"]:
            judged = self._judged(place, looks)
            rounds = [] if self._task.check_mode else plan.search(looks, judge.suspects(judged))
        else:
            rounds = plan.first(looks)
        parts.prune(place)
        name = "%d" % (len(kept.everything(place, "plan")) + 1)
        kept.keep(place, "plan", name, rounds)
        show.lines(table.of_plan(rounds, bool(asked["after"]), show.width()))
        return {"plan": name, "rounds": len(rounds)}

    def _run(self, place, asked, task_vars):
        """The run of this round that begins on this host, if there is one."""
        host = task_vars["inventory_hostname"]
        rounds = kept.everything(place, "plan")[asked["plan"]]
        mine = [run for run in rounds[asked["round"]] if run["hosts"][0] == host]
        parent, many = os.getppid(), len(rounds[asked["round"]]) > _MANY
        for run in mine:
            works = execute.carry_out(run, lambda arguments: self._ask(arguments, task_vars),
                                      (lambda _text: None) if many else _say, lambda: os.getppid() == parent)
            for record, output in works:
                name = _name(run, record)
                if output:
                    record["log"] = kept.write_log(place, name, output)
                kept.keep(place, "run", name, record)
                if many:
                    _say("%s: %s" % (name, record["error"] or "done in %d s" % record["seconds"]))
        return {} if mine else {"skipped": True, "msg": "no run of this round begins here"}

    def _report(self, place, _asked, task_vars):
        """Verdicts, table, files; fails where a measurement did."""
        looks = kept.everything(place, "look")
        judged = self._judged(place, looks)
        alive = set(task_vars["ansible_play_hosts"])
        lost = [host for host in task_vars["ansible_play_hosts_all"] if host not in alive and host not in looks]
        shared = plan.of_run(looks) if looks else {}
        head = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "check_mode": bool(self._task.check_mode),
                "minimum": shared.get("minimum"), "launcher": shared.get("launcher"), "scope": shared.get("scope")}
        made = document.build(judged, looks, lost, head)
        path = os.path.join(place, "benchmark.json")
        plots, said = pictures.write(made["runs"], place, shared.get("plot"))
        made.update(plots=plots, files=["written: %s" % ", ".join([path] + plots)] + said)
        kept.write(path, json.dumps(made, indent=1, default=str) + "\n")
        show.lines(table.of_document(made, show.width()))
        found = {"path": path, "summary": made["summary"], "plots": plots, "blame": made["blame"]}
        wrong = document.wrong(made, shared.get("may_be_unmeasured"))
        return dict(found, failed=True, msg=wrong) if wrong else found

    def _judged(self, place, looks):
        shared, records = plan.of_run(looks) if looks else {}, kept.everything(place, "run")
        planned = [_name(run, work) for rounds in kept.everything(place, "plan").values() for runs in rounds
                   for run in runs for work in run["work"]]
        return judge.judge([records[name] for name in planned if name in records], looks, shared.get("minimum"))

    def _ask(self, arguments, task_vars):
        """What the module says; with `failed` in words where it could not say it."""
        said = ask.ask(self, _MODULE, arguments, task_vars)
        return dict(said, **ask.failure(said))


def _looks(place, task_vars):
    """The looks of the hosts of this batch."""
    looks = kept.everything(place, "look")
    found = {host: looks[host] for host in task_vars["ansible_play_batch"] if host in looks}
    if not found:
        raise BadRequest("no host of this play was looked at")
    return found


def _unfit(meant, topology):
    """Why a node cannot take part, by what it is."""
    there = len(topology.get("gpus") or ())
    if not topology:
        return "its topology is not known: gpuwright.node.topology_facts goes before the benchmark"
    if not there:
        return "it has no GPU"
    if meant["gpus"] and meant["gpus"] > there:
        return "nccl_benchmark_gpus is %d, and it has %d" % (meant["gpus"], there)
    return None


def _health(host, place):
    """What health_facts of this run found that no job should run on."""
    rules = (parts.of_host(host, place).get("health") or {}).get("rules") or ()
    return [found["message"] for found in rules if found["severity"] == "E"]


def _thawed(fact):
    thaw = getattr(fact, "_non_lazy_copy", None)  # A lazy container costs 0.3 ms per kB to walk.
    return thaw() if thaw else fact


def _name(run, work):
    """The name of a measurement."""
    return ".".join(word for word in (run["id"], work["operation"], work["variant"]) if word)


def _say(text):
    show.lines([("  " + text, None)])
