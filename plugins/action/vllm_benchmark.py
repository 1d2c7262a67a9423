# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module vllm_benchmark: measures the instances of vLLM that run on nodes, and judges them."""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark.request import BadRequest
from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import kept
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import ask, parts, show
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm_benchmark import (
    execute,
    judge,
    options,
    profile,
    table,
)

_MODULE = "gpuwright.node.vllm_bench"
_SERVICE = "gpuwright.node.vllm_service"


class ActionModule(ActionBase):
    """One stage of a benchmark; what a stage leaves to the next one lies in the report folder."""

    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Enter a stage; bad input fails on every host before anything was started on one."""
        result = super().run(tmp, task_vars)
        _checked, asked = self.validate_argument_spec({
            "stage": {"type": "str", "required": True, "choices": ["look", "run", "report"]},
            "options": {"type": "dict", "default": {}}})
        place = parts.folder(task_vars, self._templar)
        try:
            result.update(getattr(self, "_" + asked["stage"])(place, asked, task_vars))
        except (BadRequest, kept.NoPlace) as error:
            result.update(failed=True, msg=str(error))
        return result

    def _look(self, place, asked, task_vars):
        """Which instances can be measured; that one cannot fails nothing yet, for then nobody would say so."""
        options.check_names(task_vars)
        meant = options.read(asked["options"])
        if meant["profile"] and len(task_vars["ansible_play_hosts_all"]) > 1:
            raise BadRequest("vllm_benchmark_profile is of one node, and the play has %d: name it with --limit"
                             % len(task_vars["ansible_play_hosts_all"]))
        if meant["against"]:
            judge.earlier(meant["against"], meant["load"])
        said = self._ask({"do": "look", "names": meant["instances"], "load": meant["load"], "allow": meant["allow"],
                          "profile": meant["profile"] or {}}, task_vars)
        if said.get("failed") and meant["profile"]:
            raise BadRequest(said["failed"])
        look = {"options": meant, "why": said.get("failed"), "instances": said.get("instances") or {}}
        kept.keep(place, "vllm_look", task_vars["inventory_hostname"], look)
        return {"why": look["why"], "instances": {name: one["why"] for name, one in look["instances"].items()}}

    def _run(self, place, _asked, task_vars):
        """All runs of the instances of this node, one after the other, and then the profile."""
        host = task_vars["inventory_hostname"]
        look = kept.everything(place, "vllm_look")[host]
        meant, parent = look["options"], os.getppid()
        means = execute.Means(lambda arguments: self._ask(arguments, task_vars),
                              lambda text: show.lines([("  %s: %s" % (host, text), None)]),
                              lambda: os.getppid() == parent, time.sleep)
        for name, one in look["instances"].items():
            for number, record in enumerate(execute.runs(name, meant, means) if one["why"] is None else (), 1):
                output = record.pop("output")
                if output:
                    record["log"] = kept.write_log(place, "vllm.%s.%s.%d" % (host, name, number), output)
                kept.keep(place, "vllm_run", "%s/%s/%d" % (host, name, number), record)
        if meant["profile"]:
            self._profile(place, host, look, means, task_vars)
        return {} if look["instances"] else {"skipped": True, "msg": look["why"]}

    def _profile(self, place, host, look, means, task_vars):
        name, meant = look["options"]["instances"][0], look["options"]
        if look["instances"][name]["why"]:
            found = {"error": look["instances"][name]["why"], "warnings": [], "checked_only": False, "restored": None}
        else:
            found = profile.carry_out(name, meant, means, lambda: self._verify(name, task_vars))
            if found["size"]:
                profile.bring(name, host, meant, means, found, place)
        kept.keep(place, "vllm_profile", host, found)

    def _verify(self, name, task_vars):
        """(True, False or None while it starts, words) of one look at an instance."""
        said = ask.ask(self, _SERVICE, {"stage": "verify", "only": [name]}, task_vars)
        wrong = ask.failure(said)["failed"]
        if wrong:
            return False, wrong
        told = said["verified"][name]
        return told["ok"], "; ".join(told["differs"]) or str(told["facts"].get("waits_for"))

    def _report(self, place, _asked, task_vars):
        """Verdicts, table, file; fails where a measurement did."""
        looks, profiles = kept.everything(place, "vllm_look"), kept.everything(place, "vllm_profile")
        if not looks:
            raise BadRequest("no host of this play was looked at")
        meant = next(iter(looks.values()))["options"]
        before = judge.earlier(meant["against"], meant["load"]) if meant["against"] else {}
        made = {"schema": judge.SCHEMA, "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "check_mode": bool(self._task.check_mode), "load": meant["load"], "runs": meant["runs"],
                "against": meant["against"], "minimum": meant["minimum"], "profiled": bool(profiles),
                "hosts": {host: dict(self._host(place, host, look, before), profile=profiles.get(host))
                          for host, look in looks.items()}}
        for host in task_vars["ansible_play_hosts_all"]:
            made["hosts"].setdefault(host, {"why": "it failed before, or could not be reached", "instances": {},
                                            "profile": None})
        verdicts = [one["verdict"] for said in made["hosts"].values() for one in said["instances"].values()]
        made["summary"] = {word: verdicts.count(word) for word in judge.VERDICTS}
        made["summary"][judge.NOT_MEASURED] += len([1 for said in made["hosts"].values() if said["why"]])
        made["path"] = path = os.path.join(place, "vllm_benchmark.json")
        kept.write(path, json.dumps(made, indent=1, default=str) + "\n")
        show.lines(table.of_document(made, show.width()))
        found = {"path": path, "summary": made["summary"]}
        wrong = judge.wrong(made, meant["may_be_unmeasured"])
        return dict(found, failed=True, msg=wrong) if wrong else found

    def _host(self, place, host, look, before):
        """What the instances of one host came to."""
        records, found = kept.everything(place, "vllm_run"), {}
        for name, one in look["instances"].items() if look["options"]["runs"] else ():
            mine = [records[key] for key in sorted(records) if key.rpartition("/")[0] == "%s/%s" % (host, name)]
            if one["why"]:
                mine = []
            told = judge.instance(mine, look["options"], before.get((host, name)))
            told["reasons"] = [one["why"]] * bool(one["why"]) + told["reasons"]
            found[name] = dict({key: one.get(key) for key in ("version", "summary", "arguments", "where", "command")},
                               **told, runs=mine)
        return {"why": look["why"], "instances": found}

    def _ask(self, arguments, task_vars):
        """What the module says; with `failed` in words where it could not say it."""
        said = ask.ask(self, _MODULE, arguments, task_vars)
        return dict(said, **ask.failure(said))
