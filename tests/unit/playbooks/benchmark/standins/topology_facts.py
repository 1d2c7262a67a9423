#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for module topology_facts: the topology that the world of the test has for every node."""

from __future__ import annotations

import json
import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec={
        "sysroot": {"type": "path"}, "gather": {"type": "list"}, "compute_nics": {"type": "list"},
        "storage_nics": {"type": "list"}}, supports_check_mode=True)
    with open(os.path.join(os.environ["GPUWRIGHT_TEST_WORLD"], "topology.json"), encoding="utf-8") as file:
        topology = json.load(file)
    if os.environ["NODE"] in os.environ.get("GPUWRIGHT_TEST_NO_GPU", "").split():
        topology["gpus"] = []
    module.exit_json(changed=False, ansible_facts={"topology": topology})


if __name__ == "__main__":
    main()
