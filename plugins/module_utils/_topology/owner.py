# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other tools that own host settings on this node: tuned, kubelet, nodewright (skyhook), irqbalance, lldpad.

PRIVATE to the collection. A tool counts when it runs; a profile that a stopped tuned left behind owns nothing.
"""

from __future__ import annotations

import re

_PROFILE = "/etc/tuned/active_profile"
# Lightweight distributions of Kubernetes run the kubelet inside one process of their own name.
_KUBELETS = {"kubelet", "kubelite", "k3s-server", "k3s-agent", "k3s"}
# Its agent keeps state on the host under the name from before it was renamed to nodewright.
_SKYHOOK = ("/etc/skyhook/flags", "/etc/skyhook/history", "/var/lib/skyhook")


def read(host, _found):
    """The section `owners`: the active tuned profile or None, and for each other tool whether it is here."""
    running = _process_names(host)
    return {
        "tuned": _tuned_profile(host, running),
        "kubelet": bool(running & _KUBELETS),
        "nodewright": any(host.exists(path) for path in _SKYHOOK),
        "irqbalance": "irqbalance" in running,
        "lldpad": "lldpad" in running,
    }


def _process_names(host):
    """The names of all processes. A capture may lack them: then a pid file has to do."""
    names = set()
    processes = [name for name in host.names("/proc") if name.isdecimal()]
    for number in processes:
        try:
            names.add(host.read("/proc/%s/comm" % number))
        except OSError:
            continue  # It ended while we looked.
    if not processes:
        names.update(name for name in ("tuned", "irqbalance", "lldpad")
                     if host.exists("/run/%s.pid" % name) or host.exists("/run/%s/%s.pid" % (name, name)))
    return names


def _tuned_profile(host, running):
    if "tuned" not in running:
        return None
    return " ".join(re.split(r"\s+", host.text(_PROFILE) or "")).strip() or None
