# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module topology_facts: runs it on the node, and keeps the topology for the report."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import ask, parts


class ActionModule(ActionBase):
    """The module does the work; this is the controller's side of it."""

    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Ask the node for its topology."""
        result = super().run(tmp, task_vars)
        result.update(ask.ask(self, "gpuwright.node.topology_facts", self._task.args, task_vars))
        topology = (result.get("ansible_facts") or {}).get("topology")
        thaw = getattr(topology, "_non_lazy_copy", None)  # A lazy container costs 0.3 ms per kB to walk.
        parts.keep(task_vars["inventory_hostname"], "topology",
                   dict(topology=thaw() if thaw else topology, **ask.failure(result)),
                   parts.folder(task_vars, self._templar))
        return result
