# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on PCIe links: what they carry against what the port needs, payload sizes, read requests, and BAR1.

PRIVATE to the collection. Figures are per direction.
"""

from __future__ import annotations

import re

from .._topology import pci, pci_config
from .acs import unit
from .finding import finding
from .gpudirect import addresses, few, is_virtual, serving, severity

ROW = "pci/MaxReadReq"
_AFTER_RESET = 512
_RESEAT = "reseat the card, see the riser and the slot's settings in firmware"


def gigabits(speed, width):
    """What a link carries in each direction in Gb/s, with what its encoding takes off; None where it is unknown."""
    match = re.match(r"\d+(\.\d+)?", speed or "")
    if not match or not width:
        return None
    rate = float(match.group())
    return rate * width * (0.8 if rate < 8 else 128 / 130 if rate < 64 else 242 / 256)


def _ends(view):
    """[(address, name, port rate or 0)] of the GPUs and of all RDMA devices, in PCI order."""
    found = [(gpu["pci_address"], "GPU %d" % gpu["index"], 0) for gpu in view.topology("gpus")]
    for device in view.topology("rdma_devices"):
        rates = [port["rate"] or 0 for port in device["ports"] if port["state"] == "ACTIVE"]
        found.append((device["pci_address"], device["name"], max(rates, default=0)))
    return sorted((one for one in found if one[0]), key=lambda one: pci.order(one[0]))


def r14_links(view):
    """A link that carries less than the port, or that trained narrower or slower than both of its ends can."""
    tree, found = pci.read(view.host), []
    for address, name, rate in _ends(view):
        link = pci.link(view.host, address)
        above = (tree.get(address) or {}).get("path")
        slot = pci.link(view.host, above[-1]) if above else {}
        widths = [most for most in (link["max_width"], slot.get("max_width")) if most]
        speeds = [most for most in (link["max_speed"], slot.get("max_speed")) if gigabits(most, 1)]
        best = min(speeds, key=lambda speed: gigabits(speed, 1), default=None), min(widths, default=None)
        found += _judged(view, "%s (%s)" % (name, address), (link["speed"], link["width"]), best, rate)
    return found


def _judged(view, who, now, best, rate):
    """The finding on one link: `now` and `best` are its speed and width, `rate` is the port's in Gb/s, 0 for none."""
    carries, could = gigabits(*now), gigabits(*best)
    if carries and rate > carries:
        fix = "it could run at %s x%d: %s" % (best + (_RESEAT,)) if could and could > carries * 1.01 else \
              "use a slot of a later generation or with more lanes"
        return [_r14(view, "%s: its link, %s x%d, carries %s GB/s in each direction, its port %s: %s" % (
            who, now[0], now[1], _gigabytes(carries), _gigabytes(rate), fix))]
    if now[1] and best[1] and now[1] < best[1]:
        return [_r14(view, "%s: its link trained at %d lanes of %d: %s" % (who, now[1], best[1], _RESEAT))]
    if now[0] and best[0] and gigabits(now[0], 1) < gigabits(best[0], 1):
        is_gpu = who.startswith("GPU ")
        return [finding("R14", "I" if is_gpu else "W", None, "%s: its link runs at %s and could at %s%s" % (
            who, now[0], best[0], ", unless it is idle: look again under load" if is_gpu else ": " + _RESEAT))]
    return []


def _r14(view, words):
    """The finding; of a link that a hypervisor shows, the truth is known below only."""
    return finding("R14", "W" if is_virtual(view) else severity(view), None, words)


def _gigabytes(rate):
    return ("%.1f" % (rate / 8)).replace(".0", "") if rate else "unknown"


def payloads(view):
    """All functions on a way have to agree on the largest payload: what is larger is dropped as malformed."""
    tree, odd = pci.read(view.host), []
    for address, name in sorted(addresses(view).items(), key=lambda one: pci.order(one[0])):
        chain = ((tree.get(address) or {}).get("path") or []) + [address]
        known = {step: pci_config.describe(view.host, step) for step in chain}
        sizes = {step: facts["max_payload"] for step, facts in known.items() if facts and facts["max_payload"]}
        if len(set(sizes.values())) > 1:
            least = min(sizes, key=sizes.get)
            odd.append("%s (%d bytes at %s, %d elsewhere)" % (name, sizes[least], least, max(sizes.values())))
    if odd:
        return [finding("max-payload", "W", None, "MaxPayload differs on the way from the root to %s: boot with "
                        "pci=pcie_bus_safe, which makes all of a way equal, or pci=pcie_bus_perf" % few(odd, 3))]
    return []


def r27_read_request(view):
    """A read request size that was written by hand is gone after the next boot."""
    if view.step(ROW) or view.is_ours(ROW) or is_virtual(view):
        return []
    sizes = {name: (pci_config.describe(view.host, address) or {}).get("max_read_request")
             for address, name in addresses(view).items() if name in serving(view)}
    sizes = {name: size for name, size in sizes.items() if size}
    changed = sorted(name for name, size in sizes.items() if size != _AFTER_RESET)
    if not changed or unit(view):
        return []
    words = "MaxReadReq of %s is %s, not the %d of a reset" % (
        few(changed), few(sorted({sizes[name] for name in changed})), _AFTER_RESET)
    if len(set(sizes.values())) == 1:
        return [finding("R27", "I", None, words + ", on all NICs that serve GPUs: firmware may do that")]
    return [finding("R27", "W", None, words + " as on the others, and nothing here does that at boot: set "
                    "gpudirect_max_read_request to have it on all of them, also after the next boot")]


def bar1(view):
    """NICs reach a GPU's memory through its BAR1: of one that is smaller they reach but a part."""
    small, could = [], []
    if view.topology("kernel")["ats"]:
        return []
    for gpu in view.topology("gpus"):
        window = max(pci_config.bars(view.host, gpu["pci_address"]).values(), default=0) if gpu["pci_address"] else 0
        if gpu["memory"] and 0 < window < gpu["memory"]:
            facts = pci_config.describe(view.host, gpu["pci_address"]) or {"resizable": {}}
            largest = max([most or 0 for _now, most in facts["resizable"].values()], default=0)
            (could if largest >= gpu["memory"] else small).append("GPU %d (%d MB of %d)" % (
                gpu["index"], window >> 20, gpu["memory"] >> 20))
    words = "BAR1 shows only a part of the memory of %s to NICs and other GPUs"
    found = [finding("bar1", "W", None, (words + ", though it could be larger: switch on Above 4G Decoding and "
                                         "Resizable BAR in the firmware") % few(could, 3))] if could else []
    return found + ([finding("bar1", "I", None, words % few(small, 3))] if small else [])
