#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for module health_facts in the tests of reboot.yml: the node's health from its file."""

from __future__ import annotations

import json
import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    with open(os.path.join(os.environ["GPUWRIGHT_TEST_WORLD"], os.environ["NODE"] + ".json")) as file:
        node = json.load(file)
    module.exit_json(changed=False, ansible_facts={"health": node["health"]})


if __name__ == "__main__":
    main()
