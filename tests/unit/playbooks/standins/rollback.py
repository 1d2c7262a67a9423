#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for module rollback in the tests of the playbooks."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule


def main():
    options = {"roles": {"type": "list"}, "allow": {"type": "list"}}
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    with open(os.environ["GPUWRIGHT_TEST_LOG"], "a") as log:
        log.write("rollback %s\n" % ("check" if module.check_mode else "apply"))
    step = {"name": "vm.swappiness", "kind": "sysctl", "target": "vm.swappiness", "desired": "60", "running": "10",
            "configured": None, "status": "drift", "disruption": "none", "file": None, "why": "rollback",
            "reason": "back to what was found before us"}
    if not module.check_mode:
        step.update(changed=True, after="60")
    module.exit_json(changed=True, settings=[step], rules=[], reboot_required=False, files=["/etc/x"], owners=[])


if __name__ == "__main__":
    main()
