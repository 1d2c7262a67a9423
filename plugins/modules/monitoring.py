#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module monitoring: the documentation of an action that runs on the controller; nothing of it reaches a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: monitoring
short_description: Write what Prometheus and Grafana read of the nodes
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - What the playbook C(gpuwright.node.monitoring) runs. Writes, on the controller and from the inventory alone,
    C(targets/*.json) for C(file_sd_configs), C(scrape_configs.yml), C(alerts.yml), and two dashboards of Grafana.
  - vLLM is scraped at C(monitoring_address), else C(ansible_host), else the host's name, and the port of each entry of
    C(vllm_service_instances), and of each replica of C(vllm_service_placement); one that runs on several nodes at the
    first of them.
  - A variable that begins with C(monitoring_) and is none of the options below is an error, unless the list
    C(gpuwright_ignore_variables) names it.
  - Run it once for all hosts of a play.
options:
  directory:
    description: Where the files go. Without it C(monitoring) in the report folder (C(report), or what
      C(gpuwright_report_dir) names). The playbook takes it from C(monitoring_directory).
    type: path
  thresholds:
    description:
      - What an alert begins at; each is also the variable of its name with C(monitoring_) before it, and null leaves an
        alert, or an exporter, out. They are the same for all hosts.
      - The times are a start, for what a service may promise differs from model to model.
    type: dict
    suboptions:
      node_port:
        description: The port of node_exporter, whose textfile collector shows the node's own audit.
        type: int
        default: 9100
      dcgm_port:
        description: The port of DCGM's exporter, usually 9400. Without it there are no alerts on Xid and GPU memory.
        type: int
      targets_directory:
        description: Where Prometheus finds the folder.
        type: str
        default: /etc/prometheus/gpuwright
      time_to_first_token_seconds:
        description: The 95th percentile of the time to the first token, in seconds.
        type: float
        default: 2
      inter_token_seconds:
        description: That of the time between tokens, in seconds. The buckets of vLLM begin at 0.01.
        type: float
        default: 0.1
      queue_seconds:
        description: That of the time in the queue, in seconds.
        type: float
        default: 1
      baseline_factor:
        description: How many times slower than before is too slow.
        type: float
        default: 2
      baseline_offset:
        description: When before was, as Prometheus writes durations.
        type: str
        default: 1d
      kv_cache_usage:
        description: The share of the KV cache in use above which requests that wait, or are computed again, alert.
        type: float
        default: 0.9
      error_share:
        description: The share of requests that may end in an error.
        type: float
        default: 0.01
      least_requests_per_second:
        description: Below so many requests a second a share says nothing, and does not alert.
        type: float
        default: 0.1
      waiting_requests:
        description: How many requests may wait. Guides say 100, and what is much depends on the model.
        type: int
      audit_age_seconds:
        description: How old the node's own audit may be, in seconds.
        type: int
        default: 7200
attributes:
  check_mode:
    description: Can run in check mode, and writes nothing then.
    support: full
  diff_mode:
    description: Returns the difference of each file.
    support: full
  action:
    description: Runs on the controller.
    support: full
"""

EXAMPLES = r"""
- name: Monitoring
  hosts: inference
  gather_facts: false
  tasks:
    - name: Targets, alerts and dashboards
      gpuwright.node.monitoring:
        directory: /etc/prometheus/gpuwright
        thresholds:
          time_to_first_token_seconds: 0.5
          dcgm_port: 9400
      run_once: true
"""

RETURN = r"""
directory:
  description: Where the files are.
  returned: success
  type: str
  sample: /home/me/report/monitoring
written:
  description: The files that were not as they shall be, by their place in it.
  returned: success
  type: list
  elements: str
  sample: [alerts.yml]
targets:
  description: How many targets each job has.
  returned: success
  type: dict
  sample: {vllm: 4, node: 2, dcgm: 0}
"""
