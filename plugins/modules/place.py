#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module place: the documentation of an action that runs on the controller; nothing of it reaches a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: place
short_description: Place the replicas of a model on the GPUs of the nodes
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - What the playbook C(gpuwright.node.place) runs. Takes the topology that M(gpuwright.node.topology_facts) gathered on
    the hosts of the play, or a recorded one, and places all replicas, or fails and says what is missing.
    P(gpuwright.node.place_model#filter) says by which rules.
  - Shows a table, and writes two files into the report folder (C(report), or what C(gpuwright_report_dir) names) -
    C(placement.json) with everything, and C(placement.yml) with the variable C(vllm_service_placement), which has for
    each host what role C(vllm_service) starts there. Where it fails, neither is touched.
  - The playbook takes each option from the variable of the same name with C(place_) before it. A variable with that
    prefix that is none of these is an error, unless the list C(gpuwright_ignore_variables) names it.
  - Host variables that count are C(rack), C(nvlink_domain), C(place_busy) - the GPUs that others use, or how many of
    the first - and C(place_address), by which the other nodes reach a node, without which it is C(ansible_host).
  - GPUs on which somebody computes now count as free, for it may be the model itself, and are named where they are
    placed upon, if M(gpuwright.node.health_facts) ran on the hosts too. Name those of others in C(place_busy).
  - Run it once. A host without a topology is left out, and said.
options:
  tensor_parallel_size:
    description: GPUs of one tensor-parallel group.
    type: int
    required: true
  pipeline_parallel_size:
    description: Groups of one replica, each with its part of the layers.
    type: int
    default: 1
  replicas:
    description: How many independent copies of the model there are to be.
    type: int
    default: 1
  within:
    description: How far a tensor-parallel group may reach.
    type: str
    choices: [node, rack, cluster]
    default: cluster
  gpu:
    description: Only GPUs with this text in their name, in whatever case.
    type: str
  attention_heads:
    description: The model's attention heads, which O(tensor_parallel_size) must divide. Not checked without.
    type: int
  layers:
    description: The model's layers, for the cost of communication, as the options below. The defaults are Llama 70B.
    type: int
    default: 80
  hidden_size:
    description: The model's hidden size.
    type: int
    default: 8192
  dtype:
    description: What activations are computed in.
    type: str
    choices: [auto, bfloat16, float16, half, float32]
    default: bfloat16
  batch_size:
    description: Sequences that are decoded together.
    type: int
    default: 32
  tokens_per_second:
    description: The target for each sequence; its inverse is the time that a step may take.
    type: float
    default: 30
  network_gbps:
    description: Gb/s of each node for a group that spans nodes, instead of the NICs nearest to its GPUs.
    type: float
  master_port:
    description: The port of the first node of a replica; a node that is the first of several takes the next ones.
    type: int
    default: 29501
  from:
    description:
      - A recorded C(audit.json), from which topologies are taken instead of the facts.
      - The hosts of the play count, of which those that are not in it are left out. A play of localhost alone has all
        that are in it.
    type: path
attributes:
  check_mode:
    description: Can run in check mode. It writes its files in check mode too, for they are on the controller.
    support: full
  diff_mode:
    description: Returns no diff.
    support: none
  action:
    description: Runs on the controller.
    support: full
seealso:
  - plugin: gpuwright.node.place_model
    plugin_type: filter
  - module: gpuwright.node.topology_facts
"""

EXAMPLES = r"""
- name: Where the model goes
  hosts: inference
  gather_facts: false
  tasks:
    - name: Topology
      gpuwright.node.topology_facts:
    - name: Placement
      gpuwright.node.place:
        tensor_parallel_size: 8
        pipeline_parallel_size: 2
        replicas: 4
        attention_heads: 64
      run_once: true
"""

RETURN = r"""
path:
  description: The placement that was written.
  returned: success
  type: str
  sample: /home/me/report/placement.json
variables_path:
  description: The variables of its hosts, for C(-e @FILE).
  returned: success
  type: str
  sample: /home/me/report/placement.yml
placement:
  description: The placement in short - its objective, how it was found, and what was left out.
  returned: success
  type: dict
  contains:
    objective: {description: What the placement costs - the most important first, returned: always, type: dict}
    method: {description: How it was found, returned: always, type: str}
    proved: {description: Whether no other placement costs less, returned: always, type: bool}
    notes: {description: What was left out or is not known, returned: always, type: list, elements: str}
    left_out: {description: Hosts without a topology, returned: always, type: list, elements: str}
"""
