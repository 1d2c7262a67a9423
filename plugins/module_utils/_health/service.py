# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads whether NVIDIA's daemons run: persistenced, which keeps GPUs set up, and those that set NVLink fabrics up.

PRIVATE to the collection. The unit tells of one that failed; the process tells of one that runs in a container.
"""

from __future__ import annotations

from .. import _host
from .._topology import pci

# Unit, and the name of its process, which the kernel cuts to 15 letters.
UNITS = {"nvidia-persistenced": "nvidia-persiste", "nvidia-fabricmanager": "nv-fabricmanage",
         "nvidia-imex": "nvidia-imex"}


def read(host, _found):
    """The section `services`: {name: {unit, process}}: the unit's state or None where there is none, and a boolean."""
    running = {pci.attribute(host, "/proc/%s/comm" % name) for name in host.names("/proc") if name.isdigit()}
    states = _states(host) if host.live and host.is_folder("/run/systemd/system") else {}
    return {name: {"unit": states.get(name), "process": process in running} for name, process in UNITS.items()}


def _states(host):
    argv = ["systemctl", "show", "--property=Id,LoadState,ActiveState"] + [name + ".service" for name in UNITS]
    try:
        status, text, errors = host.run(argv, changes=False)
    except _host.CommandNotRun as error:
        host.note(str(error))
        return {}
    if status:
        host.note("systemctl: %s" % (" ".join(errors.split())[:200] or "exit status %d" % status))
    return parse(text)


def parse(text):
    """{name: state} of `systemctl show`: active, failed, inactive ...; units that are not installed are left out."""
    states = {}
    for block in text.split("\n\n"):
        told = dict(line.partition("=")[::2] for line in block.split("\n") if "=" in line)
        if told.get("LoadState") not in (None, "not-found"):
            states[told.get("Id", "").rpartition(".")[0]] = told.get("ActiveState") or None
    return states
