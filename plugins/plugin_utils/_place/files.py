# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a placement into the report folder: all of it as JSON, and the variables of its hosts as YAML.

PRIVATE to the collection.
"""

from __future__ import annotations

import json
import os

import yaml

VARIABLE = "vllm_service_placement"
_HEAD = """---
# Written by the playbook gpuwright.node.place. For each host what the replicas ask of it: use it with -e @FILE, or put
# it into group_vars. GPUs are numbered in PCI order: CUDA_DEVICE_ORDER=PCI_BUS_ID.
"""


def write(folder, made):
    """Write placement.json and placement.yml, each at once; returns their paths."""
    os.makedirs(folder, exist_ok=True)
    plain = json.loads(json.dumps(made, default=str))
    variables = yaml.dump({VARIABLE: plain["hosts"]}, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper),
                          sort_keys=False, width=110, default_flow_style=None)
    texts = {"placement.json": json.dumps(plain, indent=1) + "\n", "placement.yml": _HEAD + variables}
    paths = {os.path.join(folder, name): text for name, text in texts.items()}
    new = {path: "%s.new-%d" % (path, os.getpid()) for path in paths}
    try:
        for path, text in paths.items():
            _keep(new[path], text)
        for path in paths:
            os.replace(new[path], path)
    finally:
        for path in new.values():
            if os.path.exists(path):
                os.unlink(path)
    return list(paths)


def _keep(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
