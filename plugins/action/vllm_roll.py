# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module vllm_roll: checks instances on the controller, and restarts them node by node.

Each stage is a task of the role vllm_service; what a stage leaves to the next one lies in the report folder.
"""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance_values import BadInstance
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import ask, parts, show
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import (
    agree,
    instances,
    kept,
    options,
    planned,
    roll,
    table,
    turns,
)

_MODULE = "gpuwright.node.vllm_service"
_MOST_WORDS = 600  # Installers say much.
TAKEN = {
    "stage": {"type": "str", "required": True,
              "choices": ["check", "plan", "agree", "unstaged", "order", "rounds", "switch", "verify", "settle",
                          "end"]},
    "options": {"type": "dict", "default": {}},
    "secrets": {"type": "raw", "no_log": True},
    "take_over": {"type": "list", "elements": "str", "default": []},
    "allow": {"type": "list", "elements": "str", "default": []},
    "round": {"type": "str"}}


class ActionModule(ActionBase):
    """One stage; bad input fails before anything is changed on a node."""

    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Enter a stage."""
        result = super().run(tmp, task_vars)
        _checked, asked = self.validate_argument_spec(TAKEN)
        place = parts.folder(task_vars, self._templar)
        try:
            result.update(getattr(self, "_" + asked["stage"])(place, asked, task_vars))
        except (BadInstance, options.BadVariable, kept.NoPlace) as error:
            result.update(failed=True, msg="%s: %s" % (self._untouched(asked), error))
            self._keep_failure(place, asked["stage"], result, task_vars)
        return result

    def _untouched(self, asked):
        """What a failure may say of the nodes: once engines and models were brought, only that nothing restarted."""
        brought = asked["options"].get("staged") or asked["stage"] not in ("check", "plan", "agree")
        return "no instance was touched" if brought and not self._task.check_mode else "nothing was changed"

    def _keep_failure(self, place, stage, result, task_vars):
        """The report says of each node why it was not planned."""
        if stage in ("check", "plan", "agree"):
            parts.keep(task_vars["inventory_hostname"], "vllm_service", ask.answer(result, self._task.check_mode),
                       place)

    def _check(self, place, asked, task_vars):
        """The node's instances in normal form; asks no node."""
        host, given = task_vars["inventory_hostname"], asked["options"]
        if host == task_vars["ansible_play_hosts_all"][0] and not self._task.check_mode:
            planned.forget(place)
        options.check_names(task_vars)
        options.sizes(given.get("serial"))
        found = instances.of_host(host, given, options.defaults(given), task_vars["hostvars"])
        mine = options.secrets(asked["secrets"], found)
        options.check_secret_names(asked["secrets"], found, mine, lambda: instances.named(given, task_vars["hostvars"]),
                                   host == task_vars["ansible_play_hosts_all"][0])
        if found:
            kept.keep(place, "instances", host, {"instances": found, "secrets": sorted(mine)})
        return {"names": list(found)}

    def _plan(self, place, asked, task_vars):
        """What the node would have to change for its instances; changes nothing."""
        host = task_vars["inventory_hostname"]
        found = _instances(place, host)
        answer = self._ask(dict(asked, stage="plan"), found, task_vars)
        told = planned.of_answer(found, answer, self._untouched(asked))
        if found or told["due"]:
            kept.keep(place, "plan", host, told)
        would = bool(told["due"] and self._task.check_mode)  # Else it is the switch that changes.
        parts.keep(host, "vllm_service", ask.answer(
            dict(answer, msg=told["wrong"], failed=bool(told["wrong"]), changed=would), self._task.check_mode), place)
        if told["wrong"]:  # A failure prints its whole result, and the report has the steps.
            return {"failed": True, "msg": told["wrong"]}
        again = bool(asked["options"].get("staged"))  # One difference is shown once.
        result = {name: answer[name] for name in ("settings", "rules", "diff")[:2 if again else 3] if name in answer}
        result.update(instances=[one for one in found.values() if one["state"] != "absent"], due=told["due"],
                      commands=told["commands"], changed=would and not again)
        return result

    def _agree(self, place, asked, task_vars):
        """What the nodes of a replica must have alike, for the replicas of this node."""
        host = task_vars["inventory_hostname"]
        mine = kept.one(place, "plan", host)
        nodes = {host} | {node for one in mine["instances"].values() if one["several"]
                          for node in one["several"]["nodes"]}
        answers = {node: kept.one(place, "plan", node) for node in sorted(nodes)
                   if node in task_vars["ansible_play_hosts"]}
        answers = {node: answer for node, answer in answers.items() if answer}
        staged = asked["options"].get("staged") and not self._task.check_mode
        wrong = agree.problems(mine, answers, nodes - set(answers), staged, task_vars["ansible_play_hosts_all"])
        if wrong:
            raise BadInstance("; ".join(wrong))
        return {}

    def _unstaged(self, place, asked, task_vars):
        """What kept the engine or a model from the node, in the report too: other modules bring them."""
        words = " ".join(str(asked["options"].get("words") or "").split())
        words = "%s: %s" % (self._untouched({"options": {"staged": True}}), words[:_MOST_WORDS])
        planned.keep_report(place, task_vars["inventory_hostname"], {}, [words])
        return {"failed": True, "msg": words}

    def _order(self, place, asked, task_vars):
        """Which nodes restart what in which batch; the facts tell a later play."""
        answers = self._answers(place, task_vars)
        order = task_vars["ansible_play_hosts_all"]
        alive = set(task_vars["ansible_play_hosts"])
        lost = [host for host in order if host not in alive]
        if lost:
            return {"failed": True, "msg": "nothing was restarted: no plan of %s: leave it out with --limit"
                    % ", ".join(lost[:10])}
        made = roll.make(order, answers, options.sizes(asked["options"].get("serial")))
        shown = table.of_plans(answers, show.width()) if self._task.check_mode else []
        show.lines(shown + table.of_roll(made, show.width()))
        go = not self._task.check_mode
        if go:
            kept.keep(place, "roll", "roll", made)
            for host, turn in made["turns"].items():
                kept.keep(place, "turn", host, turn)
        batches = [batch["hosts"] for batch in made["batches"]] if go else []
        return {"batches": [batch["hosts"] for batch in made["batches"]], "ansible_facts": {
            "vllm_order": [host for batch in batches for host in batch], "vllm_serial": [len(one) for one in batches]}}

    def _rounds(self, place, _asked, task_vars):
        """The rounds of the nodes of this batch."""
        made, here = kept.one(place, "roll", "roll") or {"batches": []}, set(task_vars["ansible_play_batch"])
        split = [", ".join(batch["hosts"]) for batch in made["batches"]
                 if here & set(batch["hosts"]) and not here.issuperset(batch["hosts"])]
        if split:
            return {"failed": True, "msg": "these restart together, and are not in one batch of this play: %s: leave "
                    "serial to vllm_service_serial" % "; ".join(split)}
        return {"rounds": ["%d.%d" % (number, index) for number, batch in enumerate(made["batches"])
                           if here.issuperset(batch["hosts"]) for index in range(len(batch["rounds"]))]}

    def _switch(self, place, asked, task_vars):
        """Restart what is this round's on this node."""
        host, units = self._units(place, asked, task_vars)
        if not units:
            return {"skipped": True, "msg": "nothing of this round is on this node"}
        answer = turns.switch(place, host, units, self._asker(place, host, asked, task_vars))
        told = kept.one(place, "plan", host)
        return {"changed": bool(answer) and not answer.get("failed"),
                "diff": planned.diff_of(told, [unit["name"] for unit in units]) if answer else []}

    def _verify(self, place, asked, task_vars):
        """Look until this round's instances serve."""
        host, units = self._units(place, asked, task_vars)
        if not units:
            return {"skipped": True, "msg": "nothing of this round is on this node"}
        turns.verify(place, host, units, self._asker(place, host, asked, task_vars), _limits(place, host), _say)
        return {}

    def _settle(self, place, asked, task_vars):
        """Keep what serves; put back what does not, on all nodes of its replica, and fail."""
        host, units = self._units(place, asked, task_vars)
        if not units:
            return {"skipped": True, "msg": "nothing of this round is on this node"}
        wrong = turns.settle(place, host, units, self._asker(place, host, asked, task_vars), _limits(place, host))
        states = {unit["name"]: kept.outcome(place, host, unit["name"]) for unit in units}
        planned.keep_report(place, host, states, wrong)
        return {"failed": True, "msg": "; ".join(wrong)} if wrong else {}

    def _end(self, place, _asked, task_vars):
        """How it ended, in a table and in vllm_service.json, once nothing more is to come."""
        made = kept.one(place, "roll", "roll")
        if not made or not made["batches"]:
            return {}
        states = {(state["host"], state["instance"]): state for state in kept.everything(place, "outcome").values()}
        stopped, last = kept.one(place, "stopped", "why"), set(made["batches"][-1]["hosts"])
        if stopped or last & set(task_vars["ansible_play_batch"]) or not task_vars["ansible_play_hosts"]:
            show.lines(table.of_outcome(made, states, stopped, show.width()))
        return {"path": planned.write(place, made, states, stopped)}

    def _answers(self, place, task_vars):
        """The plans of the hosts of this play, or of its batch, that answered."""
        plans, here = kept.everything(place, "plan"), task_vars["ansible_play_batch"]
        return {host: plans[host] for host in here if host in plans}

    def _units(self, place, asked, task_vars):
        host = task_vars["inventory_hostname"]
        return host, turns.mine(place, host, asked["round"])

    def _asker(self, place, host, asked, task_vars):
        """A function that asks the node's module; what it answers has `failed` in words where it could not."""
        found = _instances(place, host)
        return lambda extra: self._ask(dict(asked, **extra), found, task_vars)

    def _ask(self, asked, found, task_vars):
        arguments = {"stage": asked["stage"], "instances": list(found.values()),
                     "secrets": options.secrets(asked["secrets"], found), "take_over": asked["take_over"],
                     "allow": asked["allow"]}
        if asked.get("only"):
            arguments["only"] = asked["only"]
        said = ask.ask(self, _MODULE, arguments, task_vars)
        return dict(said, **ask.failure(said))


def _instances(place, host):
    """The instances of a node in normal form; most nodes of a fleet may have none."""
    return (kept.one(place, "instances", host) or {"instances": {}})["instances"]


def _limits(place, host):
    """{instance: seconds until it must serve}; what leaves has none."""
    return {name: instance["health_timeout"] for name, instance in _instances(place, host).items()}


def _say(lines):
    show.lines([("  " + line, None) for line in lines])
