#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module pending_reboot: says what on a node waits for its next boot, and changes nothing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pending_reboot
short_description: Say what on a node waits for its next boot
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Plans again, without writing, every role whose settings M(gpuwright.node.settings) kept in
    C(/etc/gpuwright/desired), and returns those that are configured but do not run yet. What a rollback left to the
    next boot is among them.
  - Says too which boot this is, who computes on the node now, and which scheduler hands it work, for that is what
    decides whether it may be rebooted. The playbook C(gpuwright.node.reboot) asks it before and after.
options:
  also:
    description:
      - Whose wish for a reboot counts besides ours. V(distribution) stands for C(/run/reboot-required) of Debian and
        Ubuntu, and for C(needs-restarting -r) of the RHEL family.
    type: list
    elements: str
    choices: [distribution]
    default: []
  sysroot:
    description: The folder below which the machine lies. Below another one than V(/) no command is started.
    type: path
    default: /
attributes:
  check_mode:
    description: Can run in check mode. It never changes anything.
    support: full
  diff_mode:
    description: Returns no diff.
    support: none
seealso:
  - module: gpuwright.node.settings
  - module: gpuwright.node.reboot_plan
"""

EXAMPLES = r"""
- name: What waits for a reboot
  gpuwright.node.pending_reboot:
  register: node

- name: Show it
  ansible.builtin.debug:
    msg: "{{ node.pending }}"
"""

RETURN = r"""
settings:
  description: Every step of every role whose settings are kept on the node, as from M(gpuwright.node.settings).
  returned: always
  type: list
  elements: dict
pending:
  description: What waits for a boot.
  returned: always
  type: list
  elements: dict
  contains:
    role: {description: The role of the setting, returned: always, type: str, sample: cpu_isolation}
    name: {description: Name of the setting, returned: always, type: str, sample: isolcpus}
    target: {description: The place, returned: always, type: str, sample: isolcpus}
    running: {description: The value in force, returned: always, type: str, sample: ""}
    desired: {description: The value after the boot, returned: always, type: str, sample: "4-7"}
given_back:
  description: Those of C(pending) that a rollback left to the boot.
  returned: always
  type: list
  elements: dict
boot_id:
  description: The kernel's name for this boot.
  returned: always
  type: str
  sample: 5c3e6d2c-6b4f-4f0a-9a57-0d2a54b7d0c1
jobs:
  description: Processes that hold a GPU or an RDMA device, and running Slurm steps, each with pid, comm and holds.
  returned: always
  type: list
  elements: dict
schedulers:
  description: Which of C(slurmd) and C(kubelet) run on the node.
  returned: always
  type: list
  elements: str
  sample: [slurmd]
distribution:
  description: Why the distribution asks for a reboot, where it was asked and does.
  returned: always
  type: str
reboot_required:
  description: Whether anything waits for a boot.
  returned: always
  type: bool
notes:
  description: What could not be read, in words.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpuwright.node.plugins.module_utils._conflicts import UnknownOwner
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._journal import ForeignJournal
from ansible_collections.gpuwright.node.plugins.module_utils._reboot.pending import UnknownRole, pending_reboot
from ansible_collections.gpuwright.node.plugins.module_utils._runner.desired import DamagedDesired


def main():
    """Ask the node and say what it answered."""
    module = AnsibleModule(
        argument_spec={
            "also": {"type": "list", "elements": "str", "choices": ["distribution"], "default": []},
            "sysroot": {"type": "path", "default": "/"},
        },
        supports_check_mode=True,
    )
    host = Host(module.params["sysroot"])
    try:
        found = pending_reboot(host, module.params["also"])
    except (BadInput, DamagedDesired, ForeignJournal, UnknownOwner, UnknownRole) as error:
        module.fail_json(msg="what waits for a reboot cannot be told: %s" % error)
    module.exit_json(changed=False, notes=host.notes, **found)


if __name__ == "__main__":
    main()
