# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule R11 on one node: whether the PCI order of its ports, by which NCCL counts them, is that of the rails.

PRIVATE to the collection. How nodes compare with one another is in _derive/rdma_rails.py, for the report.
"""

from __future__ import annotations

from .._derive import nccl_hcas
from .finding import finding
from .rdma_node import named, topology


def r11_rail_order(view):
    """Warn where they differ, or nothing tells the rails of a fabric that is declared to have some."""
    if view.options.get("nccl_env_fabric") != "rail" or not view.topology("rdma_devices"):
        return []
    compute_nics, storage_nics = named(view)
    fact = dict(topology(view), gpus=view.topology("gpus"))
    ports, _left = nccl_hcas.select(fact, compute_nics, storage_nics)
    if len(ports) < 2:
        return []
    order = [nccl_hcas.label(port) for port in ports]
    rails, words = nccl_hcas.rails(fact, ports, compute_nics)
    if rails is None:
        return [finding("R11", "W", None, "whether the PCI order of the NICs (%s) is that of the rails is not known, "
                        "for %s: nccl_env_compute_nics names them in the order of the rails"
                        % (", ".join(order), words))]
    if rails == sorted(rails):
        return []
    by_rail = [label for _rail, label in sorted(zip(rails, order), key=lambda pair: pair[0])]
    return [finding("R11", "W", None, "NCCL counts the NICs by their PCI addresses (%s), and the rails, by %s, are in "
                    "another order (%s). Nodes that are all cabled so are served well; beside nodes that are not, a "
                    "ring goes from rail to rail through the spine. Cable rail 0 to the NIC with the lowest PCI address"
                    % (", ".join(order), words, ", ".join(by_rail)))]
