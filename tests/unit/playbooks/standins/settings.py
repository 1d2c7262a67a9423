#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for module settings in the tests of the playbooks: it touches nothing and does what the values tell it.

vm.swappiness 200 fails; any other value of it that is not 10 is a drift, changed unless in check mode.
"""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec={
        "role": {"type": "str"}, "values": {"type": "dict"}, "options": {"type": "dict"}, "origins": {"type": "dict"},
        "take_over": {"type": "list"}, "allow": {"type": "list"}, "sysroot": {"type": "path"}},
        supports_check_mode=True)
    with open(os.environ["GPUWRIGHT_TEST_LOG"], "a") as log:
        log.write("%s %s\n" % (module.params["role"], "check" if module.check_mode else "apply"))
    settings = [step(name, str(value), module) for name, value in module.params["values"].items()
                if value not in (None, "", {})]
    told = {"settings": settings, "rules": [], "reboot_required": False, "notes": [],
            "changed": any(one["status"] == "drift" for one in settings)}
    if str(module.params["values"].get("vm.swappiness")) == "200":
        module.fail_json(msg="planted failure", **told)
    module.exit_json(**told)


def step(name, value, module):
    drift = name == "vm.swappiness" and value != "10"
    made = {"name": name, "kind": "sysctl", "target": name, "desired": value, "running": "60" if drift else value,
            "configured": None, "status": "drift" if drift else "ok", "disruption": "none", "file": "/etc/x",
            "reason": "not persisted" if drift else "", "why": module.params["origins"].get(name, "default")}
    if drift and not module.check_mode:
        made.update(changed=True, after=value)
    return made


if __name__ == "__main__":
    main()
