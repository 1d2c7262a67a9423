#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module nccl_benchmark: the documentation of an action on the controller, which starts runs by module nccl_run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nccl_benchmark
short_description: Plan, carry out and judge runs of nccl-tests
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Part of the role C(gpuwright.node.nccl_benchmark), whose tasks are its stages.
  - The expectation is computed from the fact C(topology) of the nodes that take part, the verdict is V(pass), V(fail)
    or V(not_measured), and nothing that was left out is a pass.
  - C(benchmark.json) lies in C(report) in the folder in which ansible-playbook was started, or in the folder that the
    variable C(gpuwright_report_dir) names. There too are the pictures, and in C(benchmark) the whole output of each
    run.
options:
  stage:
    description:
      - V(look) checks the variables and says whether the node can take part.
      - V(plan) decides, once for a batch, which runs there are in which rounds.
      - V(run) carries out the runs of a round that begin on this node, and says how far they are.
      - V(report) judges, writes and shows. It fails where a measurement failed, or was not made.
    type: str
    required: true
    choices: [look, plan, run, report]
  options:
    description: The variables of the role, without their prefix.
    type: dict
    default: {}
  after:
    description: The plan that was carried out before. With it the next one searches for what is at fault.
    type: str
  plan:
    description: The plan to carry out.
    type: str
  round:
    description: Which of its rounds, from 0 on.
    type: int
attributes:
  check_mode:
    description: Says which command would be started where, and starts none.
    support: full
  diff_mode:
    description: Returns no diff.
    support: none
  action:
    description: Runs on the controller, and module C(nccl_run) on the nodes.
    support: full
seealso:
  - module: gpuwright.node.nccl_run
  - module: gpuwright.node.topology_facts
  - module: gpuwright.node.health_facts
"""

EXAMPLES = r"""
- name: All nodes together, by Slurm
  hosts: training
  gather_facts: false
  tasks:
    - name: Topology
      gpuwright.node.topology_facts:
    - name: NCCL
      ansible.builtin.import_role:
        name: gpuwright.node.nccl_benchmark
      vars:
        nccl_benchmark_scope: group
        nccl_benchmark_launcher: srun
        nccl_benchmark_launcher_options: [--mpi=pmix]
"""

RETURN = r"""
ready:
  description: Whether the node can take part.
  returned: stage look
  type: bool
why:
  description: Why it cannot.
  returned: stage look
  type: str
plan:
  description: The name of the plan.
  returned: stage plan
  type: str
rounds:
  description: How many rounds it has.
  returned: stage plan
  type: int
path:
  description: The report that was written.
  returned: stage report
  type: str
  sample: /home/me/report/benchmark.json
summary:
  description: How many measurements passed, failed and were not made.
  returned: stage report
  type: dict
  sample: {"pass": 10, "fail": 0, "not_measured": 0}
plots:
  description: The pictures that were written.
  returned: stage report
  type: list
  elements: str
blame:
  description: The nodes and links that the pairs say are at fault, null where there were none.
  returned: stage report
  type: dict
"""
