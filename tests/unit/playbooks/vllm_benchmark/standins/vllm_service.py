# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#!/usr/bin/python
"""A stand-in of module vllm_service: stage verify, by whether the engine has its plain command."""

from __future__ import annotations

import os
import pathlib

from ansible.module_utils.basic import AnsibleModule


def main():
    """Look once."""
    module = AnsibleModule(argument_spec={"stage": {}, "only": {"type": "list", "elements": "str"}})
    node = pathlib.Path(os.environ["GPUWRIGHT_TEST_NODE"])
    command = pathlib.Path("/proc/%s/cmdline" % (node / "pid").read_text()).read_text()
    module.exit_json(changed=False, verified={name: {
        "ok": "nsys" not in command, "differs": [], "facts": {}} for name in module.params["only"]})


if __name__ == "__main__":
    main()
