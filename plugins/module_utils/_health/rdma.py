# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the RDMA ports: whether each is up and at which rate, and the counters of errors that are not zero.

PRIVATE to the collection. Counters keep the names that the kernel and the drivers (mlx5, bnxt_re, irdma, efa) give
them.
"""

from __future__ import annotations

import re

from .._topology import nic, pci
from .._topology import rdma as topology_rdma

# Which counters tell of trouble, by their names; congestion (port_xmit_wait, cnp, ecn) is not an error.
_ERROR = re.compile(r"err|discard|drop|downed|recover|overrun|integrity|timeout|out_of_|nak|retrans|icrc|VL15_dropped"
                    r"|symbol|duplicate_request|slow_restart(?!_cnps)", re.IGNORECASE)
# What is counted when a queue pair is closed, or asked for by the other side while all is well.
_NORMAL = re.compile(r"flush_error|roce_adp_|link_error_recovery_\w+_time|rnr_nak_retry_err_ok")


def read(host, _found):
    """The section `rdma_devices`, by PCI address, then name: [{name, pci_address, ports: [...]}]."""
    devices = []
    for name in host.names(nic.RDMA):
        folder = "%s/%s" % (nic.RDMA, name)
        device = nic.device_folder(host, folder)
        ports = sorted((port for port in host.names(folder + "/ports") if port.isdigit()), key=int)
        devices.append({"name": name, "pci_address": pci.above(host, device) if device else None,
                        "ports": [_port(host, "%s/ports/%s" % (folder, port), int(port)) for port in ports]})
    return sorted(devices, key=lambda device: (pci.order(device["pci_address"] or "ffffffff:ff:ff.7"), device["name"]))


def _port(host, folder, port):
    return {
        "port": port,
        "link_layer": pci.attribute(host, folder + "/link_layer") or None,
        "state": topology_rdma.word(pci.attribute(host, folder + "/state")),
        "phys_state": topology_rdma.word(pci.attribute(host, folder + "/phys_state")),
        "rate": topology_rdma.rate(pci.attribute(host, folder + "/rate")),
        "errors": errors(host, folder),
    }


def errors(host, folder):
    """{counter: value} of the error counters that are not zero."""
    found = {}
    for kind in ("counters", "hw_counters"):
        for name in host.names("%s/%s" % (folder, kind)):
            if _ERROR.search(name) and not _NORMAL.search(name):
                value = pci.number(host, "%s/%s/%s" % (folder, kind, name))
                if value:
                    found[name] = value
    return found
