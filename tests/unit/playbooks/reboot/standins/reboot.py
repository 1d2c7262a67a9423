# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for action reboot in the tests of reboot.yml: what the node's file says under `boots` comes true."""

from __future__ import annotations

import json
import os

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """A node with `dies` never comes back, one with `lost` cannot even be told to go down."""

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        path = os.path.join(os.environ["GPUWRIGHT_TEST_WORLD"], task_vars["inventory_hostname"] + ".json")
        with open(path) as file:
            node = json.load(file)
        log(task_vars["inventory_hostname"])
        if node.get("lost"):
            raise AnsibleConnectionFailure("no route to host")
        if node.get("dies"):
            return dict(result, failed=True, msg="Timed out waiting for last boot time check (timeout=1800)")
        node.update(taken=node["pending"], pending=[], boot=node["boot"] + 1)
        node.update(node.get("boots", {}))
        with open(path, "w") as file:
            json.dump(node, file)
        return dict(result, changed=True, rebooted=True, elapsed=42)


def log(host):
    with open(os.environ["GPUWRIGHT_TEST_LOG"], "a") as file:
        file.write("reboot %s\n" % host)
