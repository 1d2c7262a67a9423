# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for module health_facts in the tests of the playbooks: with GPUWRIGHT_TEST_SICK a node gets worse."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec={"sysroot": {"type": "path"}, "gather": {"type": "list"},
                                          "before": {"type": "dict"}}, supports_check_mode=True)
    if module.params["before"] and os.environ.get("GPUWRIGHT_TEST_SICK"):
        module.fail_json(msg="worse than before: planted", health={"schema": 1, "verdict": []})
    module.exit_json(changed=False, ansible_facts={"health": {"schema": 1, "verdict": []}})


if __name__ == "__main__":
    main()
