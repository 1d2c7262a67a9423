#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module rollback: gives back everything that this collection changed on a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback
short_description: Give back everything that this collection changed on a node
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Puts values, files, folders and owners back to what they were before the first run, from the journal alone; it needs
    neither the roles nor facts.
  - Units of role C(vllm_service) are stopped and disabled before their files go. Models and engines stay on the disk,
    and are named.
  - The journal goes when nothing is left in it. What cannot be given back stays in it, and the task fails and names it.
options:
  roles:
    description: Give back only the settings of these roles. Without it, everything.
    type: list
    elements: str
    choices: [cpu_isolation, gpudirect, nccl_env, network, numa, nvme, rdma_roce, thp, vllm_service, vm]
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
    description: Returns one diff for all that comes back.
    support: full
seealso:
  - module: gpuwright.node.settings
"""

EXAMPLES = r"""
- name: The node is as it was before the first run
  gpuwright.node.rollback:
"""

RETURN = r"""
settings:
  description: One entry for every setting that comes back, as from M(gpuwright.node.settings).
  returned: always
  type: list
  elements: dict
files:
  description: The files of this collection that go, or get their old content back.
  returned: always
  type: list
  elements: str
notes:
  description: What could not be read, and what stays on the disk, such as models and engines of role vllm_service.
  returned: always
  type: list
  elements: str
owners:
  description: The tools that get back what was taken over from them.
  returned: always
  type: list
  elements: str
"""

from functools import partial

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host, Locked
from ansible_collections.gpuwright.node.plugins.module_utils._journal import ForeignJournal
from ansible_collections.gpuwright.node.plugins.module_utils._rollback import carry_out, plan_rollback
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import GIVEN_BACK


def main():
    """Plan from the journal, carry the plan out unless in check mode, and say what came of it."""
    module = AnsibleModule(
        argument_spec={
            "roles": {"type": "list", "elements": "str", "choices": GIVEN_BACK, "default": []},
            "allow": {"type": "list", "elements": "str", "choices": ["link", "unverified"], "default": []},
            "sysroot": {"type": "path", "default": "/"},
        },
        supports_check_mode=True,
    )
    host = Host(module.params["sysroot"], read_only=module.check_mode)
    make_plan = partial(plan_rollback, host, module.params["roles"], module.params["allow"])
    try:
        plan = make_plan()
        if plan.due and not module.check_mode:
            if not host.is_root():
                said = plan.result()
                said["changed"] = False
                module.fail_json(msg="giving settings back needs root: run with become", **said)
            plan = carry_out(make_plan)
    except ForeignJournal as error:
        module.fail_json(msg=str(error))
    except Locked as error:
        module.fail_json(msg="another run is changing this node, nothing was changed: %s" % error)
    except OSError as error:  # The journal or the lock cannot be written: a full or read-only file system.
        module.fail_json(msg="%s: %s" % (error.filename, error.strerror))
    if plan.errors:
        module.fail_json(msg="not everything came back: " + "; ".join(plan.errors), **plan.result())
    module.exit_json(**plan.result())


if __name__ == "__main__":
    main()
