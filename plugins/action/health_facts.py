# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module health_facts: runs it on the node; one that cannot be reached fails instead of being left out."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import ask, parts


class ActionModule(ActionBase):
    """The module does the work; this is the controller's side of it."""

    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Ask the node for its health, and keep its verdict for the report."""
        result = super().run(tmp, task_vars)
        args = dict(self._task.args)
        thaw = getattr(args.get("before"), "_non_lazy_copy", None)  # A fact of an earlier task is a lazy container.
        if thaw:
            args["before"] = thaw()
        result.update(ask.ask(self, "gpuwright.node.health_facts", args, task_vars))
        health = (result.get("ansible_facts") or {}).get("health") or result.get("health") or {}
        parts.keep(task_vars["inventory_hostname"], "health",
                   dict(rules=[_rule(found) for found in health.get("verdict") or ()], **ask.failure(result)),
                   parts.folder(task_vars, self._templar))
        return result


def _rule(found):
    """A finding of the verdict as the rules of a role give theirs."""
    device = "%s: " % found["device"] if found["device"] and found["device"] not in found["message"] else ""
    return {"rule": "health", "severity": found["severity"], "setting": None, "message": device + found["message"]}
