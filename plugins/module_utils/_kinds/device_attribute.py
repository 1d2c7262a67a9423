# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind device_attribute: a file of a device that nothing native persists, such as the ECN switches of a RoCE NIC.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. Where a path ends in /*, the files there are
switches, 1 or 0, each named by a number: its value is the numbers that are on. The node runner puts it back.
"""

from __future__ import annotations

import errno

KEYED_BY = "target"
VOLATILE = True
OWNER = None
ABSENT = "no device is named for it, or the driver of this one has no such file: that of OFED or DOCA alone has it"
_ALL = "/*"
_FOLDERS = ("/sys/class/net", "/sys/class/infiniband")


def unverified(host):
    """Why a change needs a word of the operator's."""
    return "the files of OFED's and DOCA's driver were tried on no real NIC yet, only as plain files"


def files(role):
    """There is no file for it."""
    return []


def file(role, target, taken=False):
    """There is no file for it."""
    return None


def devices(host):
    """Every network interface and RDMA device."""
    found = {name: "a network interface" for name in host.names(_FOLDERS[0]) if name != "lo"}
    return dict(found, **dict.fromkeys(host.names(_FOLDERS[1]), "an RDMA device"))


def places(host, row, options):
    """[(target, path, fields)] of the devices that are here; no path where this one has no such file."""
    found = []
    for device in options.get(row.devices) or ():
        path = row.paths[0].replace("{device}", device)
        if any(host.exists("%s/%s" % (folder, device)) for folder in _FOLDERS):
            there = bool(_switches(host, path)) if path.endswith(_ALL) else host.exists(path)
            found.append(("%s/%s" % (device, row.name), path if there else None, {"device": device}))
    return found


def _switches(host, path):
    """The names of a folder's switches, in order."""
    return sorted((name for name in host.names(path[:-len(_ALL)]) if name.isdigit()), key=int)


def read(host, target, path):
    """What is in force; of a folder the switches that are on."""
    if not path.endswith(_ALL):
        return host.read(path)
    names = _switches(host, path)
    if not names:
        raise FileNotFoundError(errno.ENOENT, "there is no such device any more", path)
    return " ".join(name for name in names if host.read(path[:-1] + name) == "1")


def write(host, target, path, text):
    """Put a value in force; of a folder only the switches that differ are touched. On comes before off."""
    if not path.endswith(_ALL):
        host.write_value(path, text)
        return
    wanted, names = text.split(), _switches(host, path)
    missing = [name for name in wanted if name not in names]
    if missing:
        raise OSError(errno.EINVAL, "there is no switch %s, only %s" % (", ".join(missing), ", ".join(names)))
    for name in sorted(names, key=lambda name: (name not in wanted, int(name))):
        value = "1" if name in wanted else "0"
        if host.read(path[:-1] + name) != value:
            host.write_value(path[:-1] + name, value)


def in_force(host, row, target, path):
    """(path, text) to write to get today's state back."""
    return path, row.value.read(read(host, target, path))


def plain(text):
    """A value as it is written."""
    return text.strip()


def identity(row, target, path):
    """What names the original in the journal."""
    return "device_attribute:" + path


def others(host):
    """Nobody else persists it."""
    return []


def rival(settled, row, target, path, ours, value):
    """See `others`."""
    return None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
