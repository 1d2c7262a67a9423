# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on the saving of power on PCIe links, which takes microseconds to come back from.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._topology import pci, pci_config
from .finding import finding
from .gpudirect import addresses, few

_POLICY = "/sys/module/pcie_aspm/parameters/policy"


def policy(view):
    """A policy that saves power puts links to sleep between messages."""
    text = view.text(_POLICY) or ""
    chosen = text.partition("[")[2].partition("]")[0]
    if not addresses(view):
        return []
    if chosen.startswith("powers"):
        return [finding("aspm", "W", None, "the policy for PCIe links is %s: they go to sleep between messages. Write "
                        "performance into %s, or boot with pcie_aspm.policy=performance" % (chosen, _POLICY))]
    asleep = {name: pci_config.describe(view.host, address) for address, name in sorted(
        addresses(view).items(), key=lambda one: pci.order(one[0]))}
    asleep = [name for name, facts in asleep.items() if facts and facts["aspm"]]
    if asleep:
        return [finding("aspm", "I", None, "the links of %s may go to sleep (ASPM), as the firmware set them up" % (
            few(asleep)))]
    return []
