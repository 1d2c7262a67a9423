# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind unit_limit: a resource limit of services, given by drop-ins, and at once to the main process of each that runs.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. No limit is ever lowered. What a service starts
from then on (a container, a step of a job) inherits it; processes that run already keep what they have. A service that
an option names and that is not installed is left out: see _rules/limit.py.
"""

from __future__ import annotations

import errno
import re

from .. import _limit_values as limit
from .._host import CommandNotRun
from .._owners import limits, unit_environment

FOLDER = "/etc/systemd/system"
KEYED_BY = "target"
VOLATILE = False
OWNER = None
ABSENT = "none of these services is installed here"
_STACK = "LimitSTACK"


def files(role):
    """Our drop-ins for a role, one a service. They have a name of their own: a drop-in may be another kind's."""
    return ["%s/*.service.d/90-gpuwright-%s-limits.conf" % (FOLDER, role)]


def file(role, target, taken=False):
    """Our drop-in for a service."""
    return "%s/%s.d/90-gpuwright-%s-limits.conf" % (FOLDER, target.partition("/")[0], role)


def places(host, row, options):
    """[(target, path, fields)] of the services that are installed; the path is the unit file."""
    found = {}
    for named in options.get(row.devices) or ():
        unit = limits.canonical(host, str(named))
        if unit:
            found.setdefault(unit, str(named))
    return [("%s/%s" % (unit, row.name), limits.unit_file(host, unit), {"device": named})
            for unit, named in found.items()]


def read(host, target, path):
    """SOFT:HARD of the service's main process; of a service that does not run, of its next start."""
    unit, _slash, name = target.partition("/")
    if not limits.canonical(host, unit):
        raise FileNotFoundError(errno.ENOENT, "the service is no longer installed", path)
    pid = limits.main_process(host, unit)
    return _canonical(limits.of_process(host, pid, name) if pid else limits.next_start(host, unit, name))


def _canonical(text):
    try:
        return limit.words(limit.pair(text))
    except ValueError:
        return ""  # Nothing says it, and systemd cannot be asked.


def satisfied(running, desired):
    """More than is asked for is kept."""
    return limit.enough(running, desired)


def write(host, target, path, text):
    """Raise the limits of the main process, or give them back; `commit` has seen to all later starts."""
    unit, _slash, name = target.partition("/")
    pid = limits.main_process(host, unit)
    if not pid or not text:
        return
    wanted = _pair(name, text, limits.of_process(host, pid, name))
    try:
        host.set_limit(pid, name[len("Limit"):], wanted)
    except ProcessLookupError:
        return  # It has ended: its next start gets it.
    except PermissionError as error:
        words = "%s of process %d of %s: %s" % (name, pid, unit, error.strerror)
        if name == "LimitNOFILE":
            words += "; fs.nr_open is %s" % host.read("/proc/sys/fs/nr_open")
        raise OSError(error.errno, words)
    others = len(unit_environment.pids(host, unit)) - 1
    if ":" not in text and others > 0:
        host.note("%s: the %s of %d more processes of %s that run already is left as it is; what it starts from now on "
                  "has the new one" % (target, name, others, unit))


def _pair(name, text, running):
    """What to give: an original as it was, else no less than there is; a stack without end is what has to end."""
    if ":" in text:
        return limit.pair(text)
    soft, hard = limit.pair(running)
    wanted = limit.number(text)
    if name == _STACK and soft == float("inf"):
        soft = wanted
    return max(soft, wanted), max(hard, wanted)


def compose(head, entries):
    """The text of a drop-in; its last comment names the unit. A stack's hard limit, infinity by default, stays so."""
    lines = ["%s=%s%s\n" % (name, value, ":infinity" if name == _STACK else "")
             for name, value in sorted((target.partition("/")[2], value) for target, _path, value in entries)]
    return "%s# %s\n[Service]\n%s" % (head, entries[0][0].partition("/")[0], "".join(lines))


def parse(text):
    """The values in a drop-in of ours, by target."""
    unit = re.search(r"^# (\S+\.service)$", text, re.M)
    pairs = re.findall(r"^(Limit\w+)=([^:\n]+)", text, re.M)
    return {"%s/%s" % (unit.group(1), name): value for name, value in pairs} if unit else {}


def identity(row, target, path):
    """What names the original in the journal."""
    return "unit_limit:" + target


def in_force(host, row, target, path):
    """(path, text) to get today's state back: the drop-in goes, and the main process gets its pair back."""
    return path, read(host, target, path)


def others(host):
    """What everybody's files set: systemd's defaults, then unit after unit."""
    return limits.defaults(host) + limits.assignments(host)


def rival(settled, row, target, path, ours, value):
    """The assignment of a drop-in that systemd reads after ours and that gives less, or None."""
    unit, _slash, name = target.partition("/")
    later = [item for item in settled if (item["unit"], item["key"]) == (unit, name) and item["file"] != ours
             and item["name"] not in ("", unit) and item["name"] > ours.rpartition("/")[2]
             and not item["file"].endswith(".service")]
    return later[-1] if later and not limit.enough(row.value.read(later[-1]["value"]), value) else None


def given(settled, row, target, ours, value):
    """The assignment of another file that gives as much already: a line of ours could only lower it."""
    unit, _slash, name = target.partition("/")
    found = [item for item in settled if item["file"] != ours
             and (item["unit"], item["key"]) in ((unit, name), ("", "Default" + name))]
    return found[-1] if found and limit.enough(row.value.read(found[-1]["value"]), value) else None


def given_by_others(host, target, ours):
    """Of a service that does not run: what its next start gets, in words, or None."""
    unit, _slash, name = target.partition("/")
    if limits.main_process(host, unit):
        return None
    return "the next start of %s gets %s" % (unit, limits.next_start(host, unit, name) or "systemd's default")


def before_us(settled, target, ours):
    """See `given`."""
    return None


def commit(host, steps, changed):
    """Have systemd read our drop-ins. No service is restarted."""
    status, _output, errors = host.run(["systemctl", "daemon-reload"], seconds=60)
    if status:
        raise CommandNotRun("systemctl daemon-reload: %s" % (errors.strip() or "exit status %d" % status))
