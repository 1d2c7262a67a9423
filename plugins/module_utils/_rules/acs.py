# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on PCIe access control services: off where they send GPU-NIC traffic astray, on where a platform needs them.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from .._derive import acs
from .._topology import pci, pci_config, rdma_topo
from .finding import finding
from .gpudirect import addresses, few, is_virtual, serving, severity

ROW = "pci/ACSCtl"
_BRIDGE = 0x0604
_UNITS = "/etc/systemd/system"
_BY_HAND = re.compile(r"setpci|\bacs\b|[-_]acs[-_.]|[-_]acs\b", re.IGNORECASE)
_SUPERCHIP = re.compile(r"\bG[BH]\d{2,3}\b")
_ARGUMENTS = ("disable_acs_redir", "config_acs")


def why_not(view):
    """Why the bits are not ours to change on this node, or None."""
    virtual = is_virtual(view)
    if virtual:
        return "this is a virtual machine or a container (%s): the bits belong to the host below" % virtual
    given = _given_away(view)
    if given:
        return "%s: what is given to virtual machines is kept apart by these bits" % given
    return None


def _given_away(view):
    """What this host gives to virtual machines, in words, or None."""
    held = [name for name in view.host.names("/sys/bus/pci/drivers/vfio-pci") if ":" in name]
    if held:
        return "%s is held by vfio-pci" % few(held, 2)
    functions = [name for name in view.host.names(pci.DEVICES) if pci.is_virtual_function(view.host, name)]
    return "SR-IOV functions are here (%s)" % few(functions, 2) if functions else None


def _answer(view):
    """What rdma_topo says, asked once."""
    if "rdma_topo" not in view.host.facts:
        view.host.facts["rdma_topo"] = rdma_topo.check(view.host)
    return view.host.facts["rdma_topo"]


def _direct(view):
    """Why this is a platform where the NIC has a way of its own to the GPU, or None."""
    told = _answer(view)
    if told:
        return "rdma_topo says so" if told["platform"] else None
    if view.topology("cpu")["vendor"] == "NVIDIA" or any(_SUPERCHIP.search(gpu["name"] or "")
                                                         for gpu in view.topology("gpus")):
        return "GPUs and CPUs of NVIDIA's on one module"
    devices = {address: tuple(_number(view, address, name) for name in ("vendor", "device"))
               for address in view.host.names(pci.DEVICES)}
    names = addresses(view)
    gpus = [address for address, name in names.items() if name.startswith("GPU ")]
    return acs.direct_nic(devices, gpus, [address for address in names if address not in gpus])


def _number(view, address, name):
    text = pci.attribute(view.host, "%s/%s/%s" % (pci.DEVICES, address, name)) or ""
    return int(text, 16) if text.startswith("0x") else None


def r24_direct_nic(view):
    """On NVIDIA's Direct NIC platforms some bits must stay on, and rdma_topo alone knows which."""
    reason = _direct(view) if serving(view) and not is_virtual(view) else None
    if reason is None:
        return []
    step, told, found = view.step(ROW), _answer(view), []
    if step:
        found.append(finding("R24", "E", ROW, "this is a Direct NIC platform (%s), where clearing these bits breaks "
                             "GPUDirect: set gpudirect_acs to null, and leave them to rdma_topo" % reason))
    if told is None:
        found.append(finding("R24", "I", None, "this is a Direct NIC platform (%s): install rdma_topo of rdma-core, "
                             "and see what rdma_topo check says of the bits that must be on" % reason))
    elif told["failures"]:
        found.append(finding("R24", severity(view), None, "rdma_topo check: %s. Put it right with rdma_topo "
                             "write-grub-acs and a boot; rdma_topo setpci-acs, until then, lets any program cause "
                             "errors that stop the platform" % few(told["failures"], 3)))
    return found


def r24_redirect(view):
    """Behind one switch, traffic between GPU and NIC that is redirected goes up to the root complex and back."""
    if not serving(view) or is_virtual(view) or _direct(view):
        return []
    ports = sorted(acs.bridges(view.topology("pci_paths"), view.topology("gpu_nics")), key=pci.order)
    known = view.topology("kernel")["acs"] or {}
    found = [port for port in ports if known.get(port)]
    if found:
        return _redirected(view, ports, known, found)
    if ports and all(known.get(port) is None for port in ports):
        return [finding("R24", "I", None, "whether access control services redirect what goes between GPUs and NICs "
                        "cannot be told without root")]
    return []


def _redirected(view, ports, known, found):
    clearing = {step["target"].partition("/")[0] for step in view.steps
                if step["name"] == ROW and "_restore" not in step and step["status"] in ("ok", "drift")}
    left = [port for port in found if port not in clearing]
    if not left:
        return []
    pairs = sorted((path["kind"], path["gpu"], path["device"]) for path in view.topology("pci_paths")
                   if path["device"] in serving(view) and path["kind"] in ("PIX", "PXB")
                   and set(left) & set(path["path"] or ()))
    words = "access control services (%s) at %s send what goes between %s through the root complex" % (
        " ".join(known[left[0]]), few(left), few(["GPU %d and %s" % pair[1:] for pair in pairs], 2))
    given = _given_away(view)
    if given:
        return [finding("R24", "W", None, "%s; %s, which need that" % (words, given))]
    return [finding("R24", severity(view), None, "%s: set gpudirect_acs: redirect-off, or boot with the kernel "
                    "argument %s" % (words, acs.kernel_argument(left, view.topology("system")["kernel"])))]


def r27_cleared_by_hand(view):
    """The kernel switches redirection on with the IOMMU: ports where it is off were written to, until the next boot."""
    if not serving(view) or is_virtual(view) or _direct(view) or view.topology("kernel")["iommu"] in ("off", None):
        return []
    words = view.text("/proc/cmdline") or ""
    if view.step(ROW) or view.is_ours(ROW) or any(argument in words for argument in _ARGUMENTS) or unit(view):
        return []
    ports = acs.bridges(view.topology("pci_paths"), view.topology("gpu_nics"))
    tree = pci.read(view.host)
    control = {address: (pci_config.describe(view.host, address) or {}).get("acs")
               for address in tree if (tree[address]["class"] or 0) >> 8 == _BRIDGE}
    control = {address: word for address, word in control.items() if word is not None}
    redirecting = [address for address, word in control.items() if word & acs.REDIRECTING]
    cleared = sorted(ports & set(control), key=pci.order)
    if cleared and redirecting and not ports & set(redirecting):
        return [finding("R27", "W", None, "redirection by access control services is off at %s and on elsewhere (%s), "
                        "and no kernel argument, unit or setting of ours does that: it was done by hand, and is gone "
                        "after the next boot; gpudirect_acs: redirect-off keeps it" % (
                            few(cleared), few(sorted(redirecting, key=pci.order), 2)))]
    return []


def unit(view):
    """A service of the administrator's that seems to write to configuration space, or None."""
    return next((name for name in view.host.names(_UNITS) if name.endswith(".service")
                 and _BY_HAND.search(view.text("%s/%s" % (_UNITS, name)) or "")), None)


def override(view):
    """pcie_acs_override= is of a patch that no maintained kernel has, and only pretends that devices are apart."""
    words = (view.text("/proc/cmdline") or "").split()
    if any(word.partition("=")[0] == "pcie_acs_override" for word in words):
        return [finding("acs-override", "E", None, "the kernel argument pcie_acs_override= is given: it is not in the "
                        "mainline kernel, and where it works it calls devices isolated that are not, which is the "
                        "opposite of what GPUDirect needs. Take it out of the boot loader's configuration")]
    return []
