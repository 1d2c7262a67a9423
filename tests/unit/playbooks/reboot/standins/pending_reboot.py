#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for module pending_reboot in the tests of reboot.yml: what waits for a boot, from the file of the node."""

from __future__ import annotations

import json
import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec={"also": {"type": "list"}}, supports_check_mode=True)
    with open(os.path.join(os.environ["GPUWRIGHT_TEST_WORLD"], os.environ["NODE"] + ".json")) as file:
        node = json.load(file)
    steps = [dict(step, status="pending_reboot", reason="") for step in node["pending"]]
    done = [dict(step, status=node.get("after_boot", "ok"), reason="planted") for step in node.get("taken", [])]
    wish = "the distribution" if module.params["also"] and node.get("distribution") else None
    module.exit_json(changed=False, settings=steps + done, pending=node["pending"], given_back=[], jobs=node["jobs"],
                     boot_id="boot-%d" % node["boot"], schedulers=node["schedulers"], notes=[], distribution=wish,
                     reboot_required=bool(node["pending"] or wish))


if __name__ == "__main__":
    main()
