# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action rollback: passes on what the node says, and keeps what came back for the report."""

from __future__ import annotations

import types

from ansible_collections.gpuwright.node.plugins.action import rollback
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts


def test_what_came_back_is_kept(tmp_path, monkeypatch):
    task = types.SimpleNamespace(args={"roles": ["vm"]}, async_val=0, check_mode=True, diff=False)
    connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
    templar = types.SimpleNamespace(template=lambda value: value)
    action = rollback.ActionModule(task, connection, None, None, templar, None)
    asked = {}

    def execute(**arguments):
        asked.update(arguments)
        return {"changed": True, "settings": [{"name": "vm.swappiness"}], "files": ["/etc/x"], "diff": {}}

    monkeypatch.setattr(action, "_execute_module", execute)
    result = action.run(task_vars={"inventory_hostname": "node1", "gpuwright_report_dir": str(tmp_path)})
    assert asked["module_name"] == "gpuwright.node.rollback"
    assert asked["module_args"] == {"roles": ["vm"]}
    assert result["settings"] == [{"name": "vm.swappiness"}]
    assert parts.of_host("node1", str(tmp_path))["rollback"] == {
        "settings": [{"name": "vm.swappiness"}], "files": ["/etc/x"], "changed": True, "check_mode": True,
        "rules": None, "reboot_required": None, "notes": None, "failed": None}
