#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module reboot_gate: the documentation of an action that runs on the controller; nothing of it reaches a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: reboot_gate
short_description: Decide whether more nodes may go down
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Part of the playbook C(gpuwright.node.reboot). Counts the nodes that did not come through, and stops the run where
    they are more than C(gpuwright_reboot_budget) (0). A node of which nobody knows that it came through has failed.
  - Run it once a batch; it connects to no node.
options:
  before:
    description:
      - V(batch) fails where the budget is used up, and with that ends the run.
      - V(reboot) fails nobody, and returns which nodes of the batch are held back, since the budget is used up or since
        a member of their C(nvlink_domain) failed.
      - V(end) writes the outcome into C(reboot.json), and shows it after the last batch.
    type: str
    required: true
    choices: [batch, reboot, end]
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Returns no diff.
    support: none
  action:
    description: Runs on the controller.
    support: full
seealso:
  - module: gpuwright.node.reboot_plan
  - module: gpuwright.node.reboot_step
"""

EXAMPLES = r"""
- name: May this batch begin
  gpuwright.node.reboot_gate:
    before: batch
  run_once: true
"""

RETURN = r"""
held:
  description: The nodes that may not go down, each with the reason.
  returned: before a reboot
  type: dict
  sample: {"node3": "not rebooted: node2 of its nvlink_domain failed"}
"""
