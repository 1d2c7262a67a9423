# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on the IOMMU: between GPUs and NICs addresses must be as they are, and in a virtual machine it is not ours.

PRIVATE to the collection.
"""

from __future__ import annotations

from .. import _cmdline
from .._topology import pci, pci_config
from .finding import finding
from .gpudirect import addresses, few, is_virtual, serving, severity

_GROUP = pci.DEVICES + "/%s/iommu_group/type"
_X86 = "x86_64"


def r23_translated(view):
    """An IOMMU that translates sends what goes from device to device up to the root, if it lets it through at all."""
    if not serving(view) or is_virtual(view) or view.topology("kernel")["ats"]:
        return []
    translated = [name for address, name in sorted(addresses(view).items(), key=lambda one: pci.order(one[0]))
                  if (view.text(_GROUP % address) or "").startswith("DMA")]
    if not translated and view.topology("kernel")["iommu"] != "translated":
        return []
    step = view.step("iommu")
    who = few(translated) or "all devices"
    if step and step["status"] in ("ok", "drift", "pending_reboot"):
        return [finding("R23", "W", "iommu", "the IOMMU translates addresses for %s until the next boot" % who)]
    x86 = view.topology("system")["architecture"] in (_X86, None)
    return [finding("R23", severity(view), None, "the IOMMU translates addresses for %s, so that GPUs and NICs do not "
                    "reach each other directly: %s" % (who, "set gpudirect_iommu: pt (kernel argument iommu=pt)" if x86
                                                       else "boot with iommu.passthrough=1"))]


def r23_virtual_machine(view):
    """In a virtual machine the hypervisor translates: pt there needs devices that ask for translations (ATS)."""
    given = _cmdline.value(view.text("/proc/cmdline") or "", "iommu")
    if not is_virtual(view) or given != "pt" or not serving(view):
        return []
    if view.topology("kernel")["iommu"] == "off":
        return [finding("R23", "I", None, "iommu=pt does nothing here: this virtual machine has no IOMMU")]
    if any(_asks_for_translations(view, address) for address in addresses(view)):
        return []
    return [finding("R23", severity(view), None, "iommu=pt is given in a virtual machine (%s) whose NICs and GPUs do "
                    "not use ATS: take it out, or have the hypervisor switch ATS on" % is_virtual(view))]


def _asks_for_translations(view, address):
    """Whether ATS is on; where nobody may look, it is not held against the node."""
    facts = pci_config.describe(view.host, address)
    return facts is None or bool(facts["ats"])
