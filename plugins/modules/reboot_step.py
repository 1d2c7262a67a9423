#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module reboot_step: the documentation of an action that runs on the controller and asks the node by other modules."""

from __future__ import annotations

DOCUMENTATION = r"""
module: reboot_step
short_description: Keep how far a node came on its way through a reboot
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Part of the playbook C(gpuwright.node.reboot). Keeps in C(reboot/HOST.json) of the report folder how far the node
    came and what it was before the first attempt, so that a second run takes it up.
  - Asks the node with M(gpuwright.node.topology_facts), M(gpuwright.node.health_facts) and
    M(gpuwright.node.pending_reboot). A node that cannot be reached fails, and is never merely unreachable.
options:
  phase:
    description:
      - V(begin) notes that the node is taken out of service, and returns the files of tasks that drain it.
      - V(ready) keeps what the node is, and fails while a process computes on one of its GPUs.
      - V(go) notes that the node may be down from here on, and fails where it is in O(held).
      - V(verify) fails unless the boot is another one, nothing waits for a boot any more, the health is not worse and
        the fingerprint (GPUs, NVLink, ports, PCIe links, drives, CPUs, memory) is equal.
      - V(done) notes that the node is back in service.
      - V(failed) keeps O(message); V(left) fails with it where the run ends here; V(end) always does.
    type: str
    required: true
    choices: [begin, ready, go, verify, done, failed, left, end]
  held:
    description: The nodes that may not go down, from M(gpuwright.node.reboot_gate).
    type: dict
    default: {}
  seconds:
    description: How long the node was down.
    type: int
  message:
    description: What failed.
    type: str
attributes:
  check_mode:
    description: The playbook plays no node in check mode.
    support: none
  diff_mode:
    description: Returns no diff.
    support: none
  action:
    description: Runs on the controller, and modules of it on the node.
    support: full
seealso:
  - module: gpuwright.node.reboot_plan
  - module: gpuwright.node.reboot_gate
"""

EXAMPLES = r"""
- name: Begin
  gpuwright.node.reboot_step:
    phase: begin
  register: begun
"""

RETURN = r"""
drain:
  description: The file of tasks that takes the node out of service, or null.
  returned: when it begins
  type: str
undrain:
  description: The file of tasks that puts the node back into service, or null.
  returned: when it begins
  type: str
reboots:
  description: Whether the node is to be rebooted, and not only drained along with its NVLink domain.
  returned: when it begins
  type: bool
looks:
  description: Whether an earlier run rebooted the node already, so that it is only compared and put back.
  returned: when it begins
  type: bool
give_back:
  description: Whether the node was held back before it went down, and so goes back into service.
  returned: after a failure
  type: bool
"""
