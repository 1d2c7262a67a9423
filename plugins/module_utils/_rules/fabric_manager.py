# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on the daemons that NVLink fabrics need: they must be here, and of the driver's own version.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._topology import nvswitch
from .finding import finding

_WITHOUT = {nvswitch.FABRIC_MANAGER: ("E", "CUDA does not start on these GPUs"),
            nvswitch.IMEX: ("W", "the memory of GPUs in other nodes of this NVLink domain cannot be mapped")}
# As the kernel calls their processes, in 15 letters.
_COMMANDS = {nvswitch.FABRIC_MANAGER: "nv-fabricmanage", nvswitch.IMEX: "nvidia-imex"}


def fabric(view):
    """What is known of the fabric, read once."""
    if "nvswitch" not in view.host.facts:
        view.host.facts["nvswitch"] = nvswitch.read(view.host)
    return view.host.facts["nvswitch"]


def r28_versions(view):
    """The fabric manager and IMEX refuse to work with a driver of another version, and CUDA with them."""
    found, told = [], fabric(view)
    for name in nvswitch.needs(told) if told["driver"] else ():
        version = told["daemons"].get(name)
        if name not in told["daemons"] and _is_elsewhere(view, told, name):
            continue
        if name not in told["daemons"]:
            severity, words = _WITHOUT[name]
            found.append(finding("R28", severity, None, "%s is not installed, and without it %s: install version %s, "
                                 "that of the driver" % (name, words, told["driver"])))
        elif version and version != told["driver"]:
            found.append(finding("R28", "E", None, "%s is version %s and the driver %s: install %s %s, and hold both "
                                 "packages together" % (name, version, told["driver"], name, told["driver"])))
    return found


def _is_elsewhere(view, told, name):
    """Whether a daemon that is not installed does its work all the same: in a container, as with Kubernetes' GPU
    operator, or for the fabric manager in the virtual machine that has the switches.
    """
    if name == nvswitch.FABRIC_MANAGER and told["states"] == ["Completed"]:
        return True
    return any(view.text("/proc/%s/comm" % number) == _COMMANDS[name] for number in view.host.names("/proc")
               if number.isdigit())


def r28_state(view):
    """GPUs that have not joined their fabric reach each other by PCIe at best."""
    bad = [state for state in fabric(view)["states"] if state != "Completed"]
    if not bad:
        return []
    return [finding("R28", "E", None, "the NVLink fabric of some GPUs is in state %s: see journalctl -u %s" % (
        ", ".join(bad), "nvidia-imex" if fabric(view)["clusters"] else "nvidia-fabricmanager"))]
