#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for module vllm_service in the tests of the other playbooks: a node without instances."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec={
        "stage": {"type": "str"}, "instances": {"type": "list"}, "only": {"type": "list"}, "allow": {"type": "list"},
        "secrets": {"type": "dict", "no_log": True}, "take_over": {"type": "list"}}, supports_check_mode=True)
    module.exit_json(changed=False, settings=[], rules=[], due=[])


if __name__ == "__main__":
    main()
