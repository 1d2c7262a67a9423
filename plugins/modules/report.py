#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module report: the documentation of an action that runs on the controller; nothing of it reaches a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Show what the nodes of this run answered, and write it to audit.json
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Builds C(audit.json) from what M(gpuwright.node.topology_facts), M(gpuwright.node.settings) and
    M(gpuwright.node.rollback) kept on the controller during this run of ansible-playbook, and shows the nodes that are
    new in it. Up to three nodes get a table a role, more are merged into one line for each difference.
  - It runs on the controller and connects to no node. Every node that the run was to visit is in the report. One that
    failed, could not be reached, or was not reached yet is listed as such.
  - The report lies in C(report) in the folder in which ansible-playbook was started, or in the folder that the variable
    C(gpuwright_report_dir) names. A folder that cannot be written is a warning, not a failure.
  - Put it into C(always) with C(run_once), as the playbooks of this collection do, so that it comes out after a failure
    too.
options:
  begin:
    description:
      - Only record the nodes of the play as not reached yet, and show nothing.
      - Used in a first play over all nodes of a run.
    type: bool
    default: false
  classes:
    description: Groups of which a node may be in one only. A node of the play that is in two of them is an error.
    type: list
    elements: str
    default: []
  failed:
    description:
      - Only remember, for this node, what failed on it. For C(rescue), after which the play goes on and the report
        would not know of the failure.
    type: str
  must_be_complete:
    description: Fail, once the report is shown, unless every node of the run gave a whole answer.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check mode. It writes the report in check mode too, for that is on the controller.
    support: full
  diff_mode:
    description: Returns no diff.
    support: none
  action:
    description: Runs on the controller.
    support: full
seealso:
  - module: gpuwright.node.settings
  - module: gpuwright.node.topology_facts
"""

EXAMPLES = r"""
- name: Tune the memory of the inference nodes, and always show what came of it
  hosts: inference
  gather_facts: false
  tasks:
    - name: Settings, then the report
      block:
        - name: Virtual memory
          ansible.builtin.import_role:
            name: gpuwright.node.vm
      always:
        - name: Report
          gpuwright.node.report:
          run_once: true
"""

RETURN = r"""
path:
  description: The report that was written.
  returned: when it could be written
  type: str
  sample: /home/me/report/audit.json
summary:
  description: >-
    How many hosts and how many settings have which status, how many findings have which severity, and how many hosts
    were changed or require a reboot, of the whole run so far.
  returned: when it could be written
  type: dict
"""
