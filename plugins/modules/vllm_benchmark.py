#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vllm_benchmark: the documentation of an action on the controller, which starts runs by module vllm_bench."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vllm_benchmark
short_description: Measure and judge the instances of vLLM that run on nodes
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Part of the role C(gpuwright.node.vllm_benchmark), whose tasks are its stages.
  - The verdict of an instance is V(pass), V(fail) (a request failed, or it is slower than before) or V(not_measured),
    and nothing that was left out is a pass.
  - C(vllm_benchmark.json) lies in C(report) in the folder in which ansible-playbook was started, or in the folder that
    the variable C(gpuwright_report_dir) names. The output of each run is in C(benchmark) there, and profiles are in
    C(vllm_benchmark).
options:
  stage:
    description:
      - V(look) checks the variables, and says which instances of the node can be measured.
      - V(run) measures them, and profiles one if that was asked for.
      - V(report) judges, writes and shows. It fails where a measurement failed, or was not made.
    type: str
    required: true
    choices: [look, run, report]
  options:
    description: The variables of the role, without their prefix.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Says which command would be started where, and starts none.
    support: full
  diff_mode:
    description: Returns no diff.
    support: none
  action:
    description: Runs on the controller, and module C(vllm_bench) on the nodes.
    support: full
seealso:
  - module: gpuwright.node.vllm_bench
  - module: gpuwright.node.vllm_service
"""

EXAMPLES = r"""
- name: Is it as fast as before the change
  hosts: inference
  gather_facts: false
  become: true
  tasks:
    - name: Benchmark
      ansible.builtin.import_role:
        name: gpuwright.node.vllm_benchmark
      vars:
        vllm_benchmark_instances: [llama]
        vllm_benchmark_against: before/vllm_benchmark.json
"""

RETURN = r"""
why:
  description: Why no instance of the node can be measured.
  returned: stage look
  type: str
instances:
  description: Instance to why it cannot be measured, null where it can.
  returned: stage look
  type: dict
path:
  description: The report that was written.
  returned: stage report
  type: str
  sample: /home/me/report/vllm_benchmark.json
summary:
  description: How many instances passed, failed and were not measured.
  returned: stage report
  type: dict
  sample: {"pass": 2, "fail": 0, "not_measured": 0}
"""
