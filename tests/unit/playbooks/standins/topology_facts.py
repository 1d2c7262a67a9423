#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for module topology_facts in the tests of the playbooks."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec={
        "sysroot": {"type": "path"}, "gather": {"type": "list"}, "compute_nics": {"type": "list"},
        "storage_nics": {"type": "list"}}, supports_check_mode=True)
    node = {"id": 0, "cpus": "0-3", "memory": 8 << 30, "distances": {"0": 10}, "kind": "cpu", "hugepages": {}}
    module.exit_json(changed=False, ansible_facts={"topology": {
        "schema": 1, "numa_nodes": [node], "cpu": {"online": "0-3"}, "gpus": [], "nics": [], "pci_paths": [],
        "gpu_nics": {}, "rdma_devices": [], "nvme": [], "system": {"kernel": "6.1.0"},
        "kernel": {}, "notes": [], "sources": {}}})


if __name__ == "__main__":
    main()
