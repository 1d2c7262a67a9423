# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module reboot_step: keeps how far a node came, and compares what it is with what it was."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import compare, plan, state
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import ask, parts


class NoAnswer(Exception):
    """The node could not be asked; the text says why."""


class ActionModule(ActionBase):
    """One phase of a node on its way out of service, through its reboot, and back."""

    def run(self, tmp=None, task_vars=None):
        """Enter a phase; fail where the node may not."""
        result = super().run(tmp, task_vars)
        _checked, arguments = self.validate_argument_spec({
            "phase": {"type": "str", "required": True,
                      "choices": ["begin", "ready", "go", "verify", "done", "failed", "left", "end"]},
            "held": {"type": "dict", "default": {}},
            "seconds": {"type": "int"},
            "message": {"type": "str"}})
        host, place = task_vars["inventory_hostname"], parts.folder(task_vars, self._templar)
        try:
            entry = state.read_plan(place, parts.current_run())["nodes"][host]
            result.update(getattr(self, "_" + arguments["phase"])(place, host, entry, arguments, task_vars))
        except (NoAnswer, state.DamagedState) as error:
            result.update(failed=True, msg=str(error))
        return result

    def _begin(self, place, host, entry, _arguments, _task_vars):
        """The node is taken out of service from here on; a second run would take it up."""
        looking = entry["part"] == "look"
        # What a node was before counts until it is back in service, and not for its next reboot.
        forgotten = {} if state.load(place, host).get("open") else {"before": None, "after": None, "seconds": None}
        state.update(place, host, open=True, phase="looking" if looking else "draining", **forgotten)
        return {"drain": None if looking else entry["drain_tasks"], "undrain": entry["undrain_tasks"],
                "reboots": entry["part"] == "reboot", "looks": looking}

    def _ready(self, place, host, entry, _arguments, task_vars):
        """Keep what the node is, unless an earlier run did; refuse while somebody computes on it."""
        topology, health, answer = self._ask(task_vars)
        if not state.load(place, host).get("before"):
            state.update(place, host, before=compare.snapshot(topology, health, answer))
        busy = compare.forbids(health, answer, entry["allow"])
        if busy:
            return {"failed": True, "msg": busy}
        # A domain's other members are counted on here as much as those that go down.
        state.update(place, host, phase="ready")
        return {}

    def _go(self, place, host, _entry, arguments, _task_vars):
        """From here on the node may be down at any time."""
        if host in arguments["held"]:
            state.update(place, host, phase="held", message=arguments["held"][host])
            return {"failed": True, "msg": arguments["held"][host]}
        state.update(place, host, phase="rebooting")
        return {}

    def _verify(self, place, host, entry, arguments, task_vars):
        """Compare what the node is now with what it was before the first attempt."""
        before = state.load(place, host).get("before")
        topology, health, answer = self._ask(task_vars)
        after = compare.snapshot(topology, health, answer)
        before = before or after
        down = {} if arguments["seconds"] is None else {"seconds": arguments["seconds"]}
        state.update(place, host, after=after, **down)
        wrong = compare.wrong(before, after, answer["settings"], entry["part"])
        if wrong:
            return {"failed": True, "msg": "not as before, and so not back in service: %s" % "; ".join(wrong)}
        state.update(place, host, phase="verified")
        return {}

    def _done(self, place, host, _entry, _arguments, _task_vars):
        """The node is back in service."""
        state.update(place, host, open=False, phase="done", message=None)
        return {"changed": True}

    def _failed(self, place, host, _entry, arguments, _task_vars):
        """Keep why; a node that was only held back before it went down is given back."""
        held = state.load(place, host).get("phase") == "held"
        if not held:
            state.update(place, host, phase="failed", message=arguments["message"])
        return {"give_back": held}

    def _left(self, place, host, entry, _arguments, _task_vars):
        """The end of a node that did not come through.

        It fails at once only where the run ends with it: a batch that fails as a whole would end it in any case.
        """
        kept = state.load(place, host)
        if kept["phase"] == "held":
            kept = state.update(place, host, open=False)
        made = state.read_plan(place, parts.current_run())
        states = {name: state.load(place, name) for name in made["nodes"]}
        lost = plan.failed(made, states, entry["batch"])
        over = len(lost) > made["budget"] or entry["batch"] == len(made["batches"])
        return {"failed": over, "msg": kept["message"]}

    def _end(self, place, host, _entry, _arguments, _task_vars):
        """What the whole run came to, for a node that failed within the budget."""
        return {"failed": True, "msg": state.load(place, host)["message"]}

    def _ask(self, task_vars):
        """(topology, health, what waits for a boot) of the node now."""
        found = []
        for module in ("topology_facts", "health_facts", "pending_reboot"):
            said = ask.ask(self, "gpuwright.node." + module, {}, task_vars)
            if said.get("failed"):
                raise NoAnswer("%s: %s" % (module, ask.failure(said)["failed"]))
            found.append(said)
        topology, health, answer = found
        return topology["ansible_facts"]["topology"], health["ansible_facts"]["health"], answer
