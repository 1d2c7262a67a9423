# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What on this node waits for its next boot, and who would be hurt by one now. Reads only.

PRIVATE to the collection.
"""

from __future__ import annotations

from .. import _pending
from .._host import CommandNotRun
from .._owners.jobs import live_jobs
from .._plan import build
from .._result import public
from .._runner import desired
from .._settings.catalogue import ROLES

BOOT_ID = "/proc/sys/kernel/random/boot_id"
_PARTS = ("role", "name", "target", "running", "desired")
# The kernel cuts a command's name to 15 letters, as these are. k3s, MicroK8s and k0s have the kubelet inside.
_SCHEDULERS = {"slurmd": "slurmd", "kubelet": "kubelet", "kubelite": "kubelet", "k3s": "kubelet",
               "k3s-agent": "kubelet", "k3s-server": "kubelet"}
_DEBIAN = ("/run/reboot-required", "/var/run/reboot-required")
_NEEDS_RESTARTING_SECONDS = 120


class UnknownRole(Exception):
    """A role has its settings kept on this node that this version of the collection does not know; the text says it."""


def pending_reboot(host, also=()):
    """{settings, pending, given_back, boot_id, jobs, schedulers, distribution, reboot_required} of the node.

    `also` may hold "distribution": then its own wish for a reboot counts too. Raises UnknownRole, or what
    `_runner.desired` and `_plan.build` raise.
    """
    settings = [step for request in desired.load(host) for step in _steps(host, request)]
    pending = [_short(step, step["role"]) for step in settings if step["status"] == "pending_reboot"]
    given_back = _pending.noted(host)
    jobs, _complete = live_jobs(host)
    wish = distribution(host) if "distribution" in also else None
    return {
        "settings": settings,
        "pending": pending + given_back,
        "given_back": given_back,
        "boot_id": host.text(BOOT_ID),
        "jobs": jobs,
        "schedulers": schedulers(host),
        "distribution": wish,
        "reboot_required": bool(pending or given_back or wish),
    }


def schedulers(host):
    """["kubelet", "slurmd"]: the daemons on this node that hand it work."""
    names = (host.text("/proc/%s/comm" % name) for name in host.names("/proc") if name.isdigit())
    return sorted({_SCHEDULERS[name] for name in names if name in _SCHEDULERS})


def distribution(host):
    """Why the distribution asks for a reboot, or None. Debian and Ubuntu leave a file, the RHEL family is asked."""
    for path in _DEBIAN:
        if host.exists(path):
            packages = (host.text(path + ".pkgs") or "").split()
            return "%s is there%s" % (path, ": " + ", ".join(sorted(set(packages))) if packages else "")
    try:
        status, output, _errors = host.run(["needs-restarting", "-r"], _NEEDS_RESTARTING_SECONDS, changes=False)
    except CommandNotRun as error:
        if "No such file" not in str(error):
            host.note("whether the distribution asks for a reboot: %s" % error)
        return None
    return "needs-restarting -r: %s" % (output.strip().splitlines() or ["says so"])[-1] if status == 1 else None


def _steps(host, request):
    """The steps of one role as they are now, each with its role."""
    role = request["role"]
    if role not in ROLES:
        raise UnknownRole("%s is of role %s, which this version of gpuwright.node does not know"
                          % (desired.path(role), role))
    plan = build(host, role, ROLES[role], request["values"], request)
    return [dict(public(step), role=role) for step in plan.steps]


def _short(step, role):
    return dict({part: step[part] for part in _PARTS if part != "role"}, role=role)
