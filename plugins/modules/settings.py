#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module settings: brings the settings of one role to their values, or says what it would do."""

from __future__ import annotations

DOCUMENTATION = r"""
module: settings
short_description: Bring the settings of one role to their values
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Compares what is asked for with what runs and with what is persisted, and puts right what differs.
  - A value is written to the kernel, read back, and persisted in a drop-in file that this collection owns as a whole.
    What was found before is kept in C(/var/lib/gpuwright/journal.json), for M(gpuwright.node.rollback).
  - Check mode reports exactly the steps that a run without it would carry out, and writes nothing.
  - Meant to be called by the roles of this collection, one call a role.
options:
  role:
    description: The role whose settings these are.
    type: str
    required: true
    choices: [cpu_isolation, gpudirect, nccl_env, network, numa, nvme, rdma_roce, thp, vm]
  values:
    description:
      - Setting to value. A setting that is null or left out is not managed; if it was before, what was found then
        comes back.
    type: dict
    required: true
  options:
    description: Options of the role that are no settings, such as attestations that a rule asks for.
    type: dict
    default: {}
  origins:
    description: Setting to where its value was set. Filled in by the action plugin of this module.
    type: dict
    default: {}
  take_over:
    description:
      - Owners whose hold on our settings is handed to us, where one is in conflict. V(tuned) stays active, with a
        profile that leaves our settings out. V(sysctl.d), V(tmpfiles.d) and V(udev) stand for any other file there (for
        udev, of rules), and the path of a file for that one; their files are not touched, ours sorts past them.
    type: list
    elements: str
    default: []
  allow:
    description:
      - What is allowed on this run. With V(link), what may stall traffic is done although a job is running. With
        V(unverified), kernel arguments are written by way of a boot loader that could not be tried in our tests.
    type: list
    elements: str
    choices: [link, unverified]
    default: []
  sysroot:
    description: The folder below which the machine lies. Below another one than V(/) no command is started.
    type: path
    default: /
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Returns one diff for all its settings.
    support: full
seealso:
  - module: gpuwright.node.rollback
"""

EXAMPLES = r"""
- name: Memory is not swapped out eagerly
  gpuwright.node.settings:
    role: vm
    values:
      vm.swappiness: 10
      vm.max_map_count: 1048576
"""

RETURN = r"""
settings:
  description: One entry for every setting and place.
  returned: always
  type: list
  elements: dict
  contains:
    name: {description: Name of the setting, returned: always, type: str, sample: vm.swappiness}
    kind: {description: The kind of place it lives in, returned: always, type: str, sample: sysctl}
    target: {description: The place, returned: always, type: str, sample: node0/hugepages-2048kB}
    desired: {description: The value asked for, returned: always, type: str, sample: "10"}
    running: {description: The value in force when the plan was made, returned: always, type: str, sample: "60"}
    configured: {description: The value that a file of ours persists, returned: always, type: str, sample: "10"}
    generated:
      description: The value in the boot loader's entries.
      returned: for kernel arguments
      type: str
      sample: "2-23"
    status:
      description: >-
        C(ok), C(drift) (differs; changed unless in check mode), C(pending_reboot), C(not_applicable), C(unreadable),
        C(conflict) (another owner wins over us) or C(refused).
      returned: always
      type: str
      sample: drift
    reason: {description: Why it has that status, returned: always, type: str}
    disruption: {description: What a change of it disturbs, returned: always, type: str, sample: none}
    why: {description: Where the value was set, returned: always, type: str, sample: default}
    file: {description: The file that persists it, returned: always, type: str}
    changed: {description: Whether it was changed, returned: when it was to be changed, type: bool}
    after: {description: The value read back, returned: when it was changed, type: str}
    error: {description: What went wrong, returned: when it failed, type: str}
rules:
  description: Findings of the rules between settings, each with rule, severity (E, W or I), setting and message.
  returned: always
  type: list
  elements: dict
reboot_required:
  description: Whether something takes effect at the next boot only.
  returned: always
  type: bool
notes:
  description: What could not be read, in words.
  returned: always
  type: list
  elements: str
"""

from functools import partial

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpuwright.node.plugins.module_utils._apply import apply
from ansible_collections.gpuwright.node.plugins.module_utils._conflicts import UnknownOwner
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host, Locked
from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._journal import ForeignJournal
from ansible_collections.gpuwright.node.plugins.module_utils._plan import build
from ansible_collections.gpuwright.node.plugins.module_utils._result import failures, result
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES


def main():
    """Plan, carry the plan out unless in check mode, and say what came of it."""
    module = AnsibleModule(
        argument_spec={
            "role": {"type": "str", "required": True, "choices": sorted(ROLES)},
            "values": {"type": "dict", "required": True},
            "options": {"type": "dict", "default": {}},
            "origins": {"type": "dict", "default": {}},
            "take_over": {"type": "list", "elements": "str", "default": []},
            "allow": {"type": "list", "elements": "str", "choices": ["link", "unverified"], "default": []},
            "sysroot": {"type": "path", "default": "/"},
        },
        supports_check_mode=True,
    )
    request = module.params
    role = request["role"]
    host = Host(request["sysroot"], read_only=module.check_mode)
    make_plan = partial(build, host, role, ROLES[role], request["values"], request)
    try:
        plan = make_plan()
        if module.check_mode:
            for said in failures(plan):
                module.warn("role %s: an apply would fail: %s" % (role, said))
            module.exit_json(**result(plan))
        if plan.due and not host.is_root():
            planned = result(plan)
            planned["changed"] = False
            module.fail_json(msg="role %s: changing settings needs root: run with become" % role, **planned)
        plan = apply(make_plan, {"what": "role %s" % role})
    except (BadInput, ForeignJournal, UnknownOwner) as error:
        module.fail_json(msg="role %s: nothing was changed: %s" % (role, error))
    except Locked as error:
        module.fail_json(msg="another run is changing this node, nothing was changed: %s" % error)
    except OSError as error:  # The journal or the lock cannot be written: a full or read-only file system.
        module.fail_json(msg="role %s: %s: %s" % (role, error.filename, error.strerror))
    said = failures(plan)
    if said:
        module.fail_json(msg="role %s: %s" % (role, "; ".join(said)), **result(plan))
    module.exit_json(**result(plan))


if __name__ == "__main__":
    main()
