#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module reboot_plan: the documentation of an action that runs on the controller; nothing of it reaches a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: reboot_plan
short_description: Decide which nodes are rebooted, in which batches
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Part of the playbook C(gpuwright.node.reboot). Takes what M(gpuwright.node.pending_reboot) found on the nodes of the
    play, makes batches, shows them with the reason for each node, and writes C(reboot.json) into the report folder.
  - A batch takes no two nodes of one C(rack) (a host variable; a node without it stands alone), or as many as
    C(gpuwright_reboot_per_rack) says. Nodes with the same C(nvlink_domain) are in one batch, and the members on which
    nothing waits are drained with the others. C(gpuwright_serial) has the sizes of the batches.
  - A node that an earlier run drained or rebooted and did not put back into service comes first.
  - Fails, before anything goes down, where a node cannot be asked, or where C(gpuwright_drain) is V(none) and a
    scheduler runs on the node.
  - Run it once, delegated to localhost with C(delegate_facts), so that a later play can take its order from there.
    In check mode that order is empty.
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
  - module: gpuwright.node.pending_reboot
  - module: gpuwright.node.reboot_gate
  - module: gpuwright.node.reboot_step
"""

EXAMPLES = r"""
- name: Plan
  gpuwright.node.reboot_plan:
  run_once: true
  delegate_to: localhost
  delegate_facts: true
"""

RETURN = r"""
batches:
  description: The nodes of each batch.
  returned: when there is a plan
  type: list
  elements: list
  sample: [[node1], [node2, node7]]
skipped_nodes:
  description: The nodes on which nothing waits.
  returned: when there is a plan
  type: list
  elements: str
ansible_facts:
  description: What a later play takes its hosts and its serial from; both empty in check mode.
  returned: when there is a plan
  type: dict
  contains:
    reboot_order: {description: The nodes in the order of the batches, returned: always, type: list, elements: str}
    reboot_serial: {description: The sizes of the batches, returned: always, type: list, elements: int}
    reboot_left: {description: The nodes that failed so far - none, returned: always, type: list, elements: str}
"""
