# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of nccl-tests on the node that starts it: look whether it can begin, start it, ask after it, end it.

PRIVATE to the collection. A run lives in a folder of its own, which only its user may enter and which is its name. It
ends, and the folder goes, when nobody has asked after it for a while, so that a killed ansible-playbook leaves nothing.
"""

from __future__ import annotations

import re

from .._owners import jobs, nccl_env
from . import command, program

PLACE = "/var/tmp"
PREFIX = "gpuwright-benchmark-"
_WAIT_STEP = 0.2
_MOST_TEXT = 1 << 26


class Refused(Exception):
    """A run must not, or cannot, begin; the text says why."""


def look(host, launch, allow):
    """{"programs", "for_mpi", "jobs", "complete", "left", "conf"}: what this node is ready for. Raises Refused."""
    programs, for_mpi = {}, {}
    for operation in launch["operations"]:
        place, places = _program(host, launch, operation)
        if place is None:
            raise Refused(program.missing(operation, places))
        programs[operation] = place
        for_mpi[operation] = None if launch["command_prefix"] else program.is_for_mpi(host, place)
        if launch["launcher"] != "single" and for_mpi[operation] is False:
            raise Refused("%s was built without MPI: each of its processes would run alone, and the numbers would be "
                          "of one GPU; build it with MPI=1" % place)
    found, complete = _busy(host, allow)
    return {"programs": programs, "for_mpi": for_mpi, "jobs": found, "complete": complete, "left": going(host),
            "conf": _conf(host)}


def _conf(host):
    """The variables that /etc/nccl.conf gives every run; the first line of a name counts."""
    return {name: value for _line, name, value in reversed(nccl_env.conf_lines(host, "/etc/nccl.conf"))}


def start(host, launch, allow, seconds, lease):
    """Begin a run; returns {"id", "command"}. Raises Refused; in check mode nothing begins and `id` is None."""
    place, places = _program(host, launch, launch["operation"])
    if place is None:
        raise Refused(program.missing(launch["operation"], places))
    _busy(host, allow)
    environment = command.environment(launch, host.environment())
    argv = command.command(launch, place, "HOSTFILE", host.is_root())
    if not program.can_start(host, argv[0], environment["PATH"]):
        raise Refused(program.unknown(argv[0], environment["PATH"]))
    if host.read_only:
        return {"id": None, "command": argv}
    for folder, held in host.launched(PLACE, PREFIX).items():
        if not held:  # Its supervisor was killed, or the node lost power.
            host.end_launched(folder)
    folder = host.make_private_folder(PLACE, PREFIX)
    hostfile = folder + "/hosts"
    argv = command.command(launch, place, hostfile, host.is_root())
    try:
        host.write_file(hostfile, command.hostfile(launch).encode(), 0o600)
        host.launch(argv, folder, environment, seconds, lease)
    except OSError:
        host.end_launched(folder)
        raise
    return {"id": folder, "command": argv}


def poll(host, folder, offset, wait):
    """{"output" from `offset` on, "offset", "ended", "status", "timed_out"}; waits for the end, up to some seconds."""
    _own(folder)
    for _step in range(max(int(wait / _WAIT_STEP), 1)):
        host.ask_after(folder)
        status = _status(host, folder)
        if status is not None:
            break
        host.wait(_WAIT_STEP)
    data = host.read_bytes(folder + "/output", _MOST_TEXT) if host.exists(folder + "/output") else b""
    fresh = data[offset:]
    if status is None:  # Half a line would be read as a row of other numbers.
        fresh = fresh[:fresh.rfind(b"\n") + 1]
    return {"output": fresh.decode("utf-8", "replace"), "offset": offset + len(fresh), "ended": status is not None,
            "status": int(status) if re.match(r"-?\d+$", status or "") else None, "timed_out": status == "timed out"}


def stop(host, folder):
    """End a run if it is going, and remove its folder; returns whether it was going."""
    _own(folder)
    return host.end_launched(folder)


def going(host):
    """Folders of this user's runs that go on."""
    return [folder for folder, held in host.launched(PLACE, PREFIX).items() if held]


def _program(host, launch, operation):
    """The program and the places looked at; what a container has cannot be seen from outside."""
    if launch["command_prefix"]:
        path = launch["path"]
        return ("%s/%s_perf" % (path.rstrip("/"), operation) if path else operation + "_perf"), []
    return program.find(host, operation, launch["path"], launch["launcher"] != "single")


def _busy(host, allow):
    """The live jobs of the node. Raises Refused where there are some and that was not allowed."""
    found, complete = jobs.live_jobs(host)
    if found and "busy" not in allow:
        named = ["%s (process %d, %s)" % (job["comm"], job["pid"], job["holds"]) for job in found[:5]]
        more = " and %d more" % (len(found) - 5) if len(found) > 5 else ""
        raise Refused("the node is busy: %s%s; a measurement would disturb it and be disturbed "
                      "(nccl_benchmark_allow: [busy] measures all the same)" % (", ".join(named), more))
    return found, complete


def _status(host, folder):
    """What the supervisor wrote about the end, None while the run is going."""
    return host.read(folder + "/status") if host.exists(folder + "/status") else None


def _own(folder):
    """Raise Refused for a name that is none of a run's: it is removed in the end."""
    if not re.match(re.escape("%s/%s" % (PLACE, PREFIX)) + r"\w+$", folder):
        raise Refused("%r is no run of a benchmark" % folder)
