# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that derive what several network interfaces in one subnet need."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

try:
    import netaddr
except ImportError:  # pragma: no cover
    netaddr = None

from ansible_collections.gpuwright.node.plugins.filter.topology import thaw
from ansible_collections.gpuwright.node.plugins.module_utils._derive import rails


def shared_subnet_rails(topology):
    """See shared_subnet_rails.yml."""
    topology = thaw(topology)
    if not isinstance(topology, dict) or "nics" not in topology:
        raise AnsibleFilterError("gpuwright.node.shared_subnet_rails needs the section nics of the fact of "
                                 "gpuwright.node.topology_facts: run that module first in the play")
    return rails.shared_subnet_rails(topology["nics"], _network)


def _network(address):
    """The subnet of an address."""
    if netaddr is None:
        raise AnsibleFilterError("gpuwright.node.shared_subnet_rails needs the Python package netaddr on the "
                                 "controller: pip install netaddr")
    try:
        return str(netaddr.IPNetwork(address).cidr)
    except (netaddr.AddrFormatError, ValueError) as error:
        raise AnsibleFilterError("gpuwright.node.shared_subnet_rails: %r: %s" % (address, error)) from error


def rail_routes(names, base=52000, gateways=None):
    """See rail_routes.yml."""
    try:
        return rails.rail_routes(names, int(base), gateways)
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError("gpuwright.node.rail_routes: %s" % error) from error


class FilterModule:
    """The filters of this file, by name."""

    def filters(self):
        """Name to function."""
        return {"rail_routes": rail_routes, "shared_subnet_rails": shared_subnet_rails}
