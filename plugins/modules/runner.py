#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module runner: installs the command gpuwright on a node, and an audit on a timer that writes metrics."""

from __future__ import annotations

DOCUMENTATION = r"""
module: runner
short_description: Install the command gpuwright on a node
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Puts the engine of this collection on the node as one file, C(/usr/local/lib/gpuwright/gpuwright.pyz), and the
    command C(gpuwright) beside it, with C(audit), C(topology), C(health), C(explain), C(bind), C(rollback) and C(boot).
    It needs Python 3.8 or later on the node, and nothing else.
  - With O(metrics_dir), a timer has the node audited, and the result written for the textfile collector of Prometheus'
    node_exporter.
  - Roles whose settings nothing native persists, such as RoCE's traffic classes, install the part of it that puts them
    back at boot by themselves, with or without this module.
  - On a node with the file C(/etc/gpuwright/disabled), or with the kernel argument C(gpuwright=off), nothing is put
    back and nothing audited by itself; the metrics then say that it is off.
options:
  state:
    description:
      - With V(absent), every file that this module wrote goes, and what was there before comes back. What settings of
        roles still need at boot stays, and RV(kept_for) names the roles.
    type: str
    choices: [present, absent]
    default: present
  metrics_dir:
    description:
      - The folder that node_exporter was given with C(--collector.textfile.directory). It must be there. The file
        C(gpuwright.prom) in it is written at each audit.
      - Without it nothing is audited on a timer.
    type: path
  audit_interval:
    description:
      - The time from the end of an audit to the next, from V(1min) to V(7d), as a number with V(s), V(min), V(h) or
        V(d). A tenth of it is added at random, so that a fleet does not audit in step.
    type: str
    default: 1h
  sysroot:
    description: The folder below which the machine lies. Below another one than V(/) no command is started.
    type: path
    default: /
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Returns one diff that names the files.
    support: full
seealso:
  - module: gpuwright.node.settings
  - module: gpuwright.node.rollback
"""

EXAMPLES = r"""
- name: The command gpuwright, and metrics of drift
  gpuwright.node.runner:
    metrics_dir: /var/lib/node_exporter/textfile_collector
    audit_interval: 30min

- name: Without the command
  gpuwright.node.runner:
    state: absent
"""

RETURN = r"""
files:
  description: The files that were written.
  returned: always
  type: list
  elements: str
  sample: [/usr/local/bin/gpuwright]
given_back:
  description: The files of the runner that went, or got their old content back.
  returned: always
  type: list
  elements: str
kept_for:
  description: The roles whose settings need the rest of the runner at boot, which therefore stays.
  returned: always
  type: list
  elements: str
  sample: [cpu_isolation]
"""

from functools import partial

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host, Locked
from ansible_collections.gpuwright.node.plugins.module_utils._journal import ForeignJournal
from ansible_collections.gpuwright.node.plugins.module_utils._runner import setup, switch


def main():
    """Plan, carry the plan out unless in check mode, and say what came of it."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "metrics_dir": {"type": "path"},
            "audit_interval": {"type": "str", "default": "1h"},
            "sysroot": {"type": "path", "default": "/"},
        },
        supports_check_mode=True,
    )
    asked = module.params
    host = Host(asked["sysroot"], read_only=module.check_mode)
    make_plan = partial(setup.plan, host, asked["state"] == "present", asked["metrics_dir"], asked["audit_interval"])
    try:
        plan = make_plan()
        if plan.due and not module.check_mode:
            if not host.is_root():
                module.fail_json(msg="installing the runner needs root: run with become")
            plan = setup.carry_out(make_plan)
    except setup.BadWish as error:
        module.fail_json(msg=str(error))
    except ForeignJournal as error:
        module.fail_json(msg=str(error))
    except Locked as error:
        module.fail_json(msg="another run is changing this node, nothing was changed: %s" % error)
    except OSError as error:  # The journal or the lock cannot be written: a full or read-only file system.
        module.fail_json(msg="%s: %s" % (error.filename, error.strerror))
    if plan.errors:
        module.fail_json(msg="; ".join(plan.errors), **plan.result())
    off = switch.off(host)
    if off and asked["state"] == "present":
        module.warn("the node runner is installed, and switched off on this node: %s" % off)
    if plan.kept_for:
        module.warn("the node runner's part that puts settings back at boot stays, for role %s needs it: give the "
                    "role back first" % ", ".join(plan.kept_for))
    module.exit_json(**plan.result())


if __name__ == "__main__":
    main()
