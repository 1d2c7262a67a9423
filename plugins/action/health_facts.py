# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module health_facts: runs it on the node; one that cannot be reached fails instead of being left out."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import ask


class ActionModule(ActionBase):
    """The module does the work; this is the controller's side of it."""

    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Ask the node for its health."""
        result = super().run(tmp, task_vars)
        result.update(ask.ask(self, "gpuwright.node.health_facts", self._task.args, task_vars))
        return result
