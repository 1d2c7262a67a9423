# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the processes of Docker's container are: its daemon starts them, in no control group of the unit's.

PRIVATE to the collection.
"""

from __future__ import annotations

from ..._host import CommandNotRun
from ..placing import node_gpus
from . import container_options


def of_docker(host, instance):
    """The control group of an instance's container; None, with a note, where nobody says it."""
    name = container_options.name(instance)
    try:
        status, output, errors = host.run(["docker", "inspect", "--format", "{{.State.Pid}}", name], changes=False)
    except CommandNotRun as error:
        host.note("container %s: %s" % (name, error))
        return None
    pid = output.strip()
    if status or not pid.isdigit() or pid == "0":
        host.note("container %s: %s" % (name, errors.strip()[:200] or "it has no process"))
        return None
    return node_gpus.group(host, pid) or None
