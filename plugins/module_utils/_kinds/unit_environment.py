# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind unit_environment: variables of a service's environment, kept in a file that a drop-in has systemd read last.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. An environment file beats Environment=, and a
later one an earlier one: so ours beats /etc/default/irqbalance and /etc/sysconfig/irqbalance, which are left alone.
"""

from __future__ import annotations

import errno
import re

from .. import _cpulist
from .._host import CommandNotRun
from .._owners import unit_environment

FOLDER = "/etc/systemd/system"
KEYED_BY = "target"
VOLATILE = False
OWNER = None
ABSENT = "the service is not installed here, or masked"
_UNITS = ("irqbalance.service",)
LIST, MASK = "IRQBALANCE_BANNED_CPULIST", "IRQBALANCE_BANNED_CPUS"
_STARTED_SECONDS = 5


def files(role):
    """Our environment files for a role, one a unit, and the drop-ins that name them."""
    return [path for unit in _UNITS for path in (file(role, unit + "/"), _drop_in(role, unit))]


def file(role, target, taken=False):
    """Our environment file for a unit."""
    return "/etc/gpuwright/%s-%s.env" % (role, target.partition("/")[0])


def _drop_in(role, unit):
    return "%s/%s.d/90-gpuwright-%s.conf" % (FOLDER, unit, role)


def companions(role, texts):
    """The drop-ins. A file that is gone must not keep the service from starting: that is what the - says."""
    made = {}
    for unit in _UNITS:
        ours = file(role, unit + "/")
        head = re.match(r"(?:#.*\n)*", texts.get(ours) or "").group()
        made[_drop_in(role, unit)] = "%s[Service]\nEnvironmentFile=-%s\n" % (head, ours) if texts.get(ours) else None
    return made


def places(host, row, options):
    """[(target, path, fields)]; empty where the unit is not installed. The path is where its processes are listed."""
    unit = row.name.partition("/")[0]
    if not unit_environment.is_installed(host, unit):
        return []
    return [(row.name, "%s/%s" % (unit_environment.CGROUPS[0], unit), {})]


def read(host, target, path):
    """What the running service has, "" for nothing; of one that does not run, what its next start will give it.

    irqbalance obeys the older mask before the list.
    """
    unit, _slash, name = target.partition("/")
    if not unit_environment.is_installed(host, unit):
        raise FileNotFoundError(errno.ENOENT, "the service is no longer installed", path)
    values = unit_environment.running(host, unit)
    if name == LIST and values.get(MASK):
        return _from_mask(values[MASK])
    return values.get(name, "")


def _from_mask(text):
    try:
        return _cpulist.format(_cpulist.from_mask(text))
    except ValueError:
        return text


def write(host, target, path, text):
    """Wait until the service, which `commit` restarted, has it: a new process is there before its environment."""
    for _tenth in range(_STARTED_SECONDS * 10 if host.live else 0):
        if read(host, target, path) == text:
            return
        host.wait(0.1)


def compose(head, entries):
    """The text of an environment file."""
    return head + "".join(sorted("%s=%s\n" % pair for target, _path, value in entries
                                 for pair in _variables(target.partition("/")[2], value)))


def _variables(name, value):
    """irqbalance before 1.8 knows the mask only, and later ones obey it first: both, or another file's would count."""
    if name == LIST:
        number = sum(1 << cpu for cpu in _cpulist.parse(value))
        words = [number >> shift & 0xFFFFFFFF for shift in range(0, max(number.bit_length(), 1), 32)]
        yield MASK, ",".join("%08x" % word for word in reversed(words))
    yield name, value


def parse(text):
    """The values in a file of ours, by target; a drop-in holds none."""
    if "[Service]" in text:
        return {}
    return {"%s/%s" % (_UNITS[0], name): value for name, value in re.findall(r"^(\w+)=(.+)$", text, re.M)
            if name != MASK}


def identity(row, target, path):
    """What names the original in the journal."""
    return "unit_environment:" + target


def in_force(host, row, target, path):
    """(path, text) to get today's state back: our files go, and `commit` restarts the service without them."""
    return path, read(host, target, path)


def others(host):
    """What sets or drops variables of our units, in the order in which systemd reads it."""
    found = []
    for unit in _UNITS:
        found += unit_environment.settings(host, unit)
        found += [dict(item, key=None, value=None) for item in unit_environment.drops_files(host, unit)]
    return found


def rival(settled, row, target, path, ours, value):
    """What a drop-in that systemd reads after ours makes of the variable, or None."""
    unit, _slash, name = target.partition("/")
    names = (name, MASK, None) if name == LIST else (name, None)
    drop_in = "90-gpuwright-%s.conf" % ours.rpartition("/")[2][:-len("-%s.env" % unit)]
    later = [item for item in settled if item["unit"] == unit and item["key"] in names and item["file"] != ours
             and item["name"] != unit and item["name"] > drop_in and not _is_weaker(item)]
    later.sort(key=lambda item: item["key"] is not None)  # What drops all files counts where nothing is set after it.
    return _as_list(later[-1], name) if later else None


def _is_weaker(item):
    """Whether it stands in Environment=, which any environment file beats."""
    return item["key"] is not None and item["value"] is not None and item["from"] == "Environment"


def _as_list(item, name):
    if item["key"] == MASK and item["value"]:
        return dict(item, value=_from_mask(item["value"]))
    return dict(item, key=item["key"] or name)


def given_by_others(host, target, ours):
    """The last assignment in somebody else's file, in words, or None."""
    unit, _slash, name = target.partition("/")
    found = [item for item in unit_environment.settings(host, unit) if item["value"] and item["file"] != ours
             and item["key"] in ((name, MASK) if name == LIST else (name,))]
    return "%(file)s:%(line)s sets %(key)s=%(value)s" % found[-1] if found else None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None


def commit(host, steps, changed):
    """Have systemd read our files, and the service, if it runs, start anew with them."""
    _systemctl(host, "daemon-reload")
    for unit in _UNITS:
        if unit_environment.is_installed(host, unit):
            _systemctl(host, "try-restart", unit)


def _systemctl(host, *words):
    status, _output, errors = host.run(["systemctl"] + list(words), seconds=60)
    if status:
        raise CommandNotRun("systemctl %s: %s" % (" ".join(words), errors.strip() or "exit status %d" % status))
