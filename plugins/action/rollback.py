# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module rollback: runs it on the node, and keeps what came back for the report."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import ask, parts


class ActionModule(ActionBase):
    """The module does the work; this is the controller's side of it."""

    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Let the node give back what was changed."""
        result = super().run(tmp, task_vars)
        result.update(ask.ask(self, "gpuwright.node.rollback", self._task.args, task_vars))
        parts.keep(task_vars["inventory_hostname"], "rollback", ask.answer(result, self._task.check_mode),
                   parts.folder(task_vars, self._templar))
        return result
