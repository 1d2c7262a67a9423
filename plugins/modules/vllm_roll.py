#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vllm_roll: the documentation of an action on the controller, which restarts by module vllm_service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vllm_roll
short_description: Check instances of vLLM, and restart them node by node
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Part of the role C(gpuwright.node.vllm_service), whose tasks are its stages. What a stage leaves to the next one
    lies in the report folder, and secrets are never among it.
  - Nodes that share a replica are always in one batch and restart together. In a batch each node restarts one
    instance after the other, so that its others keep serving. After a failure nothing more restarts.
  - C(vllm_service.json) in the report folder has what became of each instance. It lies in C(report) in the folder in
    which ansible-playbook was started, or in the folder that the variable C(gpuwright_report_dir) names. A run removes
    what an earlier one wrote, and writes its own after each batch. One that restarts nothing, or is stopped before,
    leaves none.
options:
  stage:
    description:
      - V(check) brings the instances of a node into their normal form. It asks no node, and fails on what is misspelt,
        unknown or out of range.
      - V(plan) asks the node what it would have to change.
      - V(agree) compares what the nodes of a replica must have alike.
      - V(unstaged) says, in the report too, that the engine or a model could not be brought, and fails.
      - V(order) decides, once, which nodes restart in which batch, and in check mode shows each instance's command.
        Delegated to localhost with C(delegate_facts), a later play takes C(vllm_order) and C(vllm_serial) from there.
        In check mode both are empty.
      - V(rounds) says, once for a batch, which rounds it has.
      - V(switch) restarts what is of a round on this node, V(verify) looks until it serves or its time is up, and
        V(settle) keeps it, or puts the old configuration back on all nodes of the replica, and fails.
      - V(end) shows, once, how it ended.
    type: str
    required: true
    choices: [check, plan, agree, unstaged, order, rounds, switch, verify, settle, end]
  options:
    description:
      - The variables of the role, without their prefix. For V(agree) C(staged), which says that engine and model are
        there, and are compared too. For V(unstaged) C(words), which say why.
    type: dict
    default: {}
  secrets:
    description: The secrets of the instances, by their names, each a mapping with C(api_key) and C(hf_token).
    type: raw
  take_over:
    description: Whose units and files are handed over to the role.
    type: list
    elements: str
    default: []
  allow:
    description: What is allowed for this run although something speaks against it.
    type: list
    elements: str
    default: []
  round:
    description: One of those that V(rounds) named, as batch and number with a dot between them.
    type: str
attributes:
  check_mode:
    description: Says what would restart, with its command and the difference, and restarts nothing.
    support: full
  diff_mode:
    description: Shows the files of each instance before and after. Secrets are left out.
    support: full
  action:
    description: Runs on the controller, and module M(gpuwright.node.vllm_service) on the nodes.
    support: full
seealso:
  - module: gpuwright.node.vllm_service
  - module: gpuwright.node.place
"""

EXAMPLES = r"""
- name: Two instances on each node
  hosts: inference
  become: true
  gather_facts: false
  tasks:
    - name: Topology
      gpuwright.node.topology_facts:
    - name: Models
      ansible.builtin.import_role:
        name: gpuwright.node.vllm_service
      vars:
        vllm_service_instances:
          - {name: small, model: /models/small, gpus: 1, port: 8000}
          - {name: large, model: /models/large, gpus: 4, port: 8001, arguments: {tensor_parallel_size: 4}}
"""

RETURN = r"""
instances:
  description: The instances of the node in their normal form, without secrets.
  returned: stage plan
  type: list
  elements: dict
due:
  description: The names of those that must restart.
  returned: stage plan
  type: list
  elements: str
commands:
  description: The whole command of each instance.
  returned: stage plan
  type: dict
batches:
  description: The nodes of each batch.
  returned: stage order
  type: list
  elements: list
rounds:
  description: The names of the rounds.
  returned: stage rounds
  type: list
  elements: str
path:
  description: The report that was written.
  returned: stage end
  type: str
"""
