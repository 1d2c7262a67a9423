# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind cpuset: what cgroup v2's cpuset controller knows and systemd does not manage, such as a slice's partition.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. Nothing native persists it: the group itself
is made anew at each boot, so the node runner puts it back.
"""

from __future__ import annotations

KEYED_BY = "target"
VOLATILE = True
OWNER = None
ABSENT = "this node has no cgroup v2 with the cpuset controller"
CGROUP = "/sys/fs/cgroup"
UNDONE_BY = "resource_control"  # A partition whose CPUs change while it is one becomes invalid.
_INVALID = " invalid"


def files(role):
    """There is no file for it."""
    return []


def file(role, target, taken=False):
    """There is no file for it."""
    return None


def places(host, row, options):
    """[(target, path, fields)]; empty without cgroup v2 or its cpuset controller. The group may not be there yet."""
    offered = (host.text(CGROUP + "/cgroup.controllers") or "").split()
    return [(row.name, "%s/%s" % (CGROUP, row.name), {})] if "cpuset" in offered else []


def read(host, target, path):
    """What is in force; "member", which is what every new group is, while the group is not there.

    The kernel keeps an impossible partition and says so: "root invalid (Cpu list in cpuset.cpus not exclusive)".
    """
    try:
        return host.read(path)
    except FileNotFoundError:
        return "member"


def write(host, target, path, text):
    """Put a value in force. A group that is gone is a member by itself; an invalid root has to be one in between."""
    if text == "member" and not host.exists(path):
        return
    if text != "member" and _INVALID in read(host, target, path):
        host.write_value(path, "member")
    host.write_value(path, text)


def commit(host, steps, changed):
    """No partition while systemd changes CPUs: before Linux 6.1 a root cannot lose them, later it becomes invalid."""
    for step in steps:
        if "_restore" in step or step.get("_again"):
            write(host, step["target"], step["_path"], step["_force"] if "_restore" in step else "member")


def identity(row, target, path):
    """What names the original in the journal."""
    return "cpuset:" + target


def in_force(host, row, target, path):
    """(path, text) to write to get today's state back: the first word, without the kernel's remark."""
    return path, read(host, target, path).partition(" ")[0]


def others(host):
    """No other tool sets it."""
    return []


def rival(settled, row, target, path, ours, value):
    """No other tool sets it."""
    return None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
