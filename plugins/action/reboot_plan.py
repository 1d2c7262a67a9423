# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module reboot_plan: decides on the controller which nodes are rebooted, in which batches, and shows it."""

from __future__ import annotations

import time

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import plan, state, table, variables
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts, show


class ActionModule(ActionBase):
    """Runs once for the hosts of a play, after module pending_reboot; connects to no node."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Make the plan, write it down, show it; the facts say in which order a later play takes the nodes."""
        result = super().run(tmp, task_vars)
        self.validate_argument_spec({})
        place = parts.folder(task_vars, self._templar)
        try:
            made = self._make(place, task_vars)
        except (ValueError, variables.BadVariable, state.DamagedState) as error:
            return dict(result, failed=True, msg=str(error))
        except OSError as error:
            return dict(result, failed=True, msg="no reboot without a place to keep what the nodes were before: %s: "
                        "%s: set gpuwright_report_dir" % (error.filename, error.strerror))
        show.lines(table.of_plan(made, show.width()))
        wrong = _wrong(made)
        go = not wrong and not self._task.check_mode
        order = [host for batch in made["batches"] for host in batch] if go else []
        result.update(batches=made["batches"], skipped_nodes=made["skipped"], ansible_facts={
            "reboot_order": order, "reboot_serial": [len(batch) for batch in made["batches"]] if go else [],
            "reboot_left": []})
        return dict(result, failed=True, msg=wrong) if wrong else result

    def _make(self, place, task_vars):
        wishes = variables.of_run(task_vars, self._templar)
        run = parts.current_run()
        nodes, lost = [], []
        for host in task_vars["ansible_play_hosts_all"]:
            told = state.answer(place, host, run) if host in task_vars["ansible_play_hosts"] else None
            if told is None:
                lost.append(host)
            else:
                nodes.append(dict(told, host=host, state=state.load(place, host)))
        made = plan.make(nodes, wishes)
        made.update(schema=1, run=run, when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), lost=lost,
                    check_mode=bool(self._task.check_mode), budget=wishes["budget"],
                    warnings=_elsewhere(made, task_vars))
        if not self._task.check_mode:
            for host, entry in made["nodes"].items():
                state.update(place, host, phase="planned", message=None, run=run, part=entry["part"])
        state.write_plan(place, made)
        return made


def _wrong(made):
    """Why nothing may be rebooted, or None."""
    if made["refused"]:
        return "nothing was rebooted: " + "; ".join(made["refused"])
    if len(made["lost"]) > made["budget"]:
        return ("nothing was rebooted: %s; a node that cannot be asked is left out with --limit"
                % plan.exhausted(made, made["lost"]))
    return None


def _elsewhere(made, task_vars):
    """Sentences on members of an NVLink domain that this run leaves out, though others of it go down."""
    domains = {entry["nvlink_domain"] for entry in made["nodes"].values() if entry["nvlink_domain"] is not None}
    if not domains:
        return []
    inside, left_out = set(task_vars["ansible_play_hosts_all"]), {}
    for host in (task_vars.get("groups") or {}).get("all") or ():
        domain = None if host in inside else task_vars["hostvars"][host].get("nvlink_domain")
        if domain is not None and str(domain) in domains:
            left_out.setdefault(str(domain), []).append(host)
    return ["nvlink_domain %s: %s is not in this run, and is not drained" % (domain, ", ".join(hosts))
            for domain, hosts in sorted(left_out.items())]
