# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that places the replicas of a model on the GPUs of hosts."""

from __future__ import annotations

from collections.abc import Mapping

from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter.topology import thaw
from ansible_collections.gpuwright.node.plugins.module_utils._derive import placement
from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement_cluster import KEYS


def place_model(hosts, tensor_parallel_size=None, pipeline_parallel_size=1, replicas=1, **options):
    """See place_model.yml."""
    hosts = thaw(hosts)
    if tensor_parallel_size is None:
        raise AnsibleFilterError("gpuwright.node.place_model needs tensor_parallel_size, the GPUs of one group")
    if isinstance(hosts, dict):
        hosts = {name: _plain(host) for name, host in hosts.items()}
    try:
        return placement.place(hosts, tensor_parallel_size, pipeline_parallel_size=pipeline_parallel_size,
                               replicas=replicas, **options)
    except ValueError as error:
        raise AnsibleFilterError("gpuwright.node.place_model: %s" % error) from error


def _plain(host):
    """A host as a dict: of its entry in hostvars, which is lazy and long, only what matters here."""
    if isinstance(host, dict) or not isinstance(host, Mapping):
        return thaw(host)
    return {key: thaw(host[key]) for key in KEYS if key in host}


class FilterModule:
    """The filters of this file, by name."""

    def filters(self):
        """Name to function."""
        return {"place_model": place_model}
