# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module pending_reboot: runs it on the node, and keeps what came back for module reboot_plan."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import state, variables
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import ask, parts


class ActionModule(ActionBase):
    """The module does the work; this is the controller's side of it."""

    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Ask the node what waits for its next boot."""
        result = super().run(tmp, task_vars)
        try:
            meant = variables.of_node(task_vars, self._templar)
        except variables.BadVariable as error:
            return dict(result, failed=True, msg=str(error))
        result.update(ask.ask(self, "gpuwright.node.pending_reboot", self._task.args, task_vars))
        if not result.get("failed"):
            place = parts.folder(task_vars, self._templar)
            answer = {name: value for name, value in result.items() if name not in ("settings", "invocation")}
            try:
                state.keep_answer(place, task_vars["inventory_hostname"], parts.current_run(),
                                  {"answer": answer, "variables": meant})
            except OSError as error:
                parts.warn(place, error)
        return result
