# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module reboot_gate: decides on the controller whether more nodes may go down, and shows how it ended."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import plan, state, table
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts, show


class ActionModule(ActionBase):
    """Runs once for the hosts of a batch; connects to no node."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Look at how far the nodes of this run came."""
        result = super().run(tmp, task_vars)
        _checked, arguments = self.validate_argument_spec(
            {"before": {"type": "str", "required": True, "choices": ["batch", "reboot", "end"]}})
        place = parts.folder(task_vars, self._templar)
        try:
            made = state.read_plan(place, parts.current_run())
            states = {host: state.load(place, host) for host in made["nodes"]}
        except state.DamagedState as error:
            return dict(result, failed=True, msg=str(error))
        batch = made["nodes"][task_vars["inventory_hostname"]]["batch"]
        if arguments["before"] == "batch":
            lost = plan.failed(made, states, batch - 1)
            if len(lost) > made["budget"]:
                return dict(result, failed=True, msg="no further batch: %s" % plan.exhausted(made, lost))
        elif arguments["before"] == "reboot":
            hosts = [host for host in task_vars["ansible_play_batch"] if states[host].get("phase") == "ready"]
            result["held"] = plan.held(made, states, batch, hosts)
        else:
            result["ansible_facts"] = {"reboot_left": _close(place, made, states, batch)}
        return result


def _close(place, made, states, batch):
    """Write down how it stands, show it if nothing more is to come, and return the nodes that did not come through."""
    made["outcome"] = {host: table.outcome(entry, states[host]) for host, entry in made["nodes"].items()}
    state.write_plan(place, made)
    lost = plan.failed(made, states, batch)
    stopped = plan.exhausted(made, lost) if len(lost) > made["budget"] else None
    if stopped or batch == len(made["batches"]):
        show.lines(table.of_outcome(made, states, stopped, show.width()))
    return [host for host, entry in made["nodes"].items()
            if entry["batch"] <= batch and states[host].get("phase") != "done"]
