# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind resource_control: sets of CPUs of systemd's slices and scopes, persisted in drop-ins that systemd applies.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. What is in force is read from the control group
itself, never from what systemd says that it wants.
"""

from __future__ import annotations

import re

from .._host import CommandNotRun
from .._owners import unit_files

FOLDER = "/etc/systemd/system"
CGROUP = "/sys/fs/cgroup"
KEYED_BY = "target"
VOLATILE = False
OWNER = None
ABSENT = "this node has no cgroup v2 with the cpuset controller, under systemd"
OURS = "gpuwright.slice"
_FILES = {"AllowedCPUs": "cpuset.cpus"}
_UNITS = ("system.slice", "user.slice", "init.scope", OURS)
_REALIZED_SECONDS = 10


def files(role):
    """Our drop-ins for a role, one a unit, and the one that starts our slice at boot."""
    return [file(role, unit + "/") for unit in _UNITS] + [_starter(role)]


def file(role, target, taken=False):
    """Our drop-in for a unit."""
    return "%s/%s.d/90-gpuwright-%s.conf" % (FOLDER, target.partition("/")[0], role)


def _starter(role):
    return file(role, "slices.target/")


def companions(role, texts):
    """A slice exists only while something is in it or something wants it."""
    ours = texts.get(file(role, OURS + "/"))
    head = ours and ours.partition("[")[0]
    return {_starter(role): "%s[Unit]\nWants=%s\n" % (head, OURS) if ours else None}


def places(host, row, options):
    """[(target, path, fields)]; empty without cgroup v2, its cpuset controller, or systemd."""
    unit, _slash, name = row.name.partition("/")
    offered = (host.text(CGROUP + "/cgroup.controllers") or "").split()
    if "cpuset" not in offered or not host.exists("/run/systemd/system"):
        return []
    return [(row.name, "%s/%s/%s" % (CGROUP, unit, _FILES[name]), {})]


def read(host, target, path):
    """The set that is in force; "" where the unit is not restricted, or does not exist yet."""
    try:
        return host.read(path)
    except FileNotFoundError:
        return ""


def write(host, target, path, text):
    """Wait until systemd, which `commit` told, has put the set in force: it does so in its own time."""
    for _tenth in range(_REALIZED_SECONDS * 10 if host.live else 0):
        if _same(read(host, target, path), text):
            return
        host.wait(0.1)


def _same(one, other):
    return one.replace(" ", "") == other.replace(" ", "")


def compose(head, entries):
    """The text of a drop-in. The empty assignment clears what other drop-ins say: lists of one property add up."""
    section = "Scope" if entries[0][0].partition("/")[0].endswith(".scope") else "Slice"
    lines = ["%s=\n%s=%s\n" % (name, name, value) for name, value in
             sorted((target.partition("/")[2], value) for target, _path, value in entries)]
    return "%s# %s\n[%s]\n%s" % (head, entries[0][0].partition("/")[0], section, "".join(lines))


def parse(text):
    """The values in a drop-in of ours, by target; its second comment names the unit."""
    unit = re.search(r"^# (\S+\.(?:slice|scope))$", text, re.M)
    pairs = re.findall(r"^(\w+)=(.+)$", text, re.M)
    return {"%s/%s" % (unit.group(1), name): value for name, value in pairs} if unit else {}


def identity(row, target, path):
    """What names the original in the journal."""
    return "resource_control:" + target


def in_force(host, row, target, path):
    """(path, text) to get today's state back: the drop-in goes, and systemd does the rest."""
    return path, read(host, target, path)


def others(host):
    """What every drop-in and unit file on this machine sets for our units, in the order in which systemd reads them."""
    return [item for unit in _UNITS for item in unit_files.assignments(host, unit, set(_FILES))]


def rival(settled, row, target, path, ours, value):
    """The assignment of a drop-in that systemd reads after ours, or None."""
    unit, _slash, name = target.partition("/")
    later = [item for item in settled if item["unit"] == unit and item["key"] == name and item["file"] != ours
             and item["name"] > ours.rpartition("/")[2]]
    return later[-1] if later else None


def given_by_others(host, target, ours):
    """The last assignment in somebody else's drop-in, in words, or None."""
    unit, _slash, name = target.partition("/")
    found = [item for item in others(host) if (item["unit"], item["key"]) == (unit, name) and item["value"]
             and item["file"] != ours]
    return "%(file)s:%(line)s sets %(key)s=%(value)s" % found[-1] if found else None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None


def commit(host, steps, changed):
    """Tell systemd, and have our slice there as long as a drop-in of ours is."""
    _systemctl(host, "daemon-reload")
    if any(name.startswith("90-gpuwright-") for name in host.names("%s/%s.d" % (FOLDER, OURS))):
        _systemctl(host, "start", OURS)
    elif _empty(host):
        _systemctl(host, "stop", OURS)


def _empty(host):
    """Whether our slice is there without a process in it: to stop it would end them."""
    return "populated 0" in (host.text(CGROUP + "/" + OURS + "/cgroup.events") or "").splitlines()


def _systemctl(host, *words):
    status, _output, errors = host.run(["systemctl"] + list(words), seconds=60)
    if status:
        raise CommandNotRun("systemctl %s: %s" % (" ".join(words), errors.strip() or "exit status %d" % status))
