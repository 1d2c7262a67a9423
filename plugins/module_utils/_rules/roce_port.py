# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on RDMA ports: up, as fast as expected, with an MTU that lets RoCE send 4096 bytes (R26).

PRIVATE to the collection.
"""

from __future__ import annotations

from .finding import finding
from .isolation import listed
from .rdma_node import compute, label, ports, rails, roce, storage

_LEAST_MTU, _ACTIVE_MTU = 4200, 4096
_FIX = "network_mtu sets it"


def port_state(view):
    """Ports of rails are up; of others it is only said, for many a card has a port that nobody cabled."""
    expected = {device["name"] for device in rails(view)} | set(view.options.get("rdma_roce_storage_nics") or ())
    found = {"W": [], "I": []}
    for name, port in ports(view.topology("rdma_devices")):
        if port["state"] not in ("ACTIVE", None):
            severity = "W" if name in expected or port["netdev"] in expected else "I"
            found[severity].append("%s is %s, physically %s" % (
                label(name, port), port["state"], port["phys_state"] or "unknown"))
    hints = {"W": ". Look at the cable, the transceiver and the switch port", "I": ""}
    return [finding("port-state", severity, None, listed(words) + hints[severity])
            for severity, words in found.items() if words]


def port_rate(view):
    """A rail has the rate that the operator expects, or else that of most rails."""
    given = view.options.get("rdma_roce_expected_rate")
    seen = [(name, port) for name, port in ports(rails(view)) if port["state"] == "ACTIVE" and port["rate"]]
    if given is not None:
        serving = set(compute(view)) | set(storage(view))
        seen = [(name, port) for name, port in ports(view.topology("rdma_devices"))
                if port["state"] == "ACTIVE" and port["rate"] and (name in serving or _own(given, name, port))]
    rates = [port["rate"] for _name, port in seen]
    usual = max(rates, key=rates.count) if rates else None
    wrong = []
    for name, port in seen:
        expected = _expected(given, name, port) if given is not None else usual
        if expected is not None and float(port["rate"]) != float(expected):
            wrong.append("%s has %s Gb/s, not %s" % (label(name, port), port["rate"], expected))
    if not wrong:
        return []
    why = "as rdma_roce_expected_rate says" if given is not None else "as most rails of this node"
    return [finding("port-rate", "W", None, "%s, %s. Look at the transceiver, and at the speed of the switch port"
                    % (listed(wrong), why))]


def _own(given, name, port):
    return isinstance(given, dict) and (name in given or port["netdev"] in given)


def _expected(given, name, port):
    """The rate for one port, None where nothing legal is said of it."""
    value = given.get(name, given.get(port["netdev"])) if isinstance(given, dict) else given
    try:
        return float(value) if not isinstance(value, bool) and value is not None else None
    except (TypeError, ValueError):
        return None


def r26_mtu(view):
    """RoCE sends 4096 bytes in a packet only where the interface's MTU has room for them, on every rail."""
    mtus = {nic["name"]: nic["mtu"] for nic in view.topology("nics")}
    expected = view.options.get("rdma_roce_mtu")
    low, other, seen = [], [], {}
    for name, port in ports(roce(view), "Ethernet"):
        mtu = mtus.get(port["netdev"])
        if mtu is None:
            mtu = _mtu(view, port["netdev"])
        if mtu is None or port["state"] not in ("ACTIVE", None):
            continue
        seen.setdefault(mtu, []).append(label(name, port))
        if mtu < _LEAST_MTU or port["active_mtu"] not in (_ACTIVE_MTU, None):
            low.append("%s has MTU %d, so RoCE sends %s bytes" % (
                label(name, port), mtu, port["active_mtu"] or "fewer"))
        elif expected is not None and str(mtu) != str(expected):
            other.append("%s has MTU %d" % (label(name, port), mtu))
    found = []
    if low:
        found.append("%s: 4096 need an MTU of %d or more here and on the switches; %s" % (
            listed(low), _LEAST_MTU, _FIX))
    if other:
        found.append("%s, not %s as rdma_roce_mtu says; %s" % (listed(other), expected, _FIX))
    if len(seen) > 1:
        found.append("the MTU differs between ports of this node: %s; network_mtu gives all the same" % listed(
            "%d on %s" % (mtu, listed(names)) for mtu, names in sorted(seen.items())))
    return [finding("R26", "W", None, words) for words in found]


def _mtu(view, netdev):
    """The MTU of an interface that is no device of its own, such as a bond."""
    text = view.text("/sys/class/net/%s/mtu" % netdev) if netdev else None
    return int(text) if text and text.isdigit() else None
