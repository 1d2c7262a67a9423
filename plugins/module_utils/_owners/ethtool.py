# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ethtool says of an interface's rings, channels and coalescing, in the text of all its versions, and asks of it.

PRIVATE to the collection. Values are decimal texts; what is on is "1", what is off "0", what a driver does not have is
left out.
"""

from __future__ import annotations

import errno
import re

from .._host import CommandNotRun

ASK = {"ring": "-g", "channels": "-l", "coalesce": "-c"}
TELL = {"ring": "-G", "channels": "-L", "coalesce": "-C"}
_LINE = re.compile(r"^\s*([A-Za-z][A-Za-z -]*?):[ \t]*(\S+)[ \t]*$", re.MULTILINE)
_ADAPTIVE = re.compile(r"^\s*Adaptive RX: *(\S+) +TX: *(\S+)", re.MULTILINE)
_SWITCH = {"on": "1", "off": "0"}
# In the words of the kernel's own errors, whichever way ethtool says them: "Cannot get device ring settings: ...",
# "netlink error: ...", "Cannot set device channel parameters: ...".
_ERRORS = (("not supported", errno.EOPNOTSUPP), ("No such device", errno.ENODEV), ("Invalid argument", errno.EINVAL),
           ("out of range", errno.EINVAL), ("exceeds maximum", errno.EINVAL), ("not permitted", errno.EPERM),
           ("busy", errno.EBUSY))


def parse(text):
    """{now: {property: value}, most: {property: value}} of the answer to -g, -l or -c; `most` is what the hardware has.

    A ring or channels that can be no more than 0 are not there at all.
    """
    maximums, heading, now = text.partition("Current hardware settings")
    values = _values(now if heading else maximums)
    adaptive = _ADAPTIVE.search(text)
    for way, word in zip(("rx", "tx"), adaptive.groups() if adaptive else ()):
        if word in _SWITCH:
            values["adaptive-" + way] = _SWITCH[word]
    most = _values(maximums) if heading else {}
    return {"now": {name: value for name, value in values.items() if most.get(name) != "0"},
            "most": {name: value for name, value in most.items() if value != "0"}}


def _values(text):
    return {name.lower(): value for name, value in _LINE.findall(text) if value.isdigit()}


def read(host, device, group):
    """The same of a device, asked once between two changes; empty where its driver has no such thing.

    Raises OSError in ethtool's own words.
    """
    key = ("ethtool", group, device)
    if key not in host.facts:
        status, output, errors = _run(host, [ASK[group], device], changes=False)
        if status and _number(errors) != errno.EOPNOTSUPP:
            raise _error(errors or output, status)
        host.facts[key] = {"now": {}, "most": {}} if status else parse(output)
    return host.facts[key]


def write(host, device, group, values):
    """Give a device {property: value} at once: each call can reset the link. Raises OSError in ethtool's own words."""
    words = []
    for name, value in sorted(values.items()):
        words += [name, {"1": "on", "0": "off"}[value] if name.startswith("adaptive-") else value]
    status, output, errors = _run(host, [TELL[group], device] + words, changes=True)
    if status and "unmodified" not in errors:
        error = _error(errors or output, status)
        if error.errno == errno.EOPNOTSUPP:  # Shown, but not to be set: no value is any good.
            raise OSError(errno.EINVAL, "the driver of %s does not let it be set: %s" % (device, error.strerror))
        raise error


def _run(host, words, changes):
    try:
        return host.run(["ethtool"] + words, seconds=30, changes=changes)
    except CommandNotRun as error:
        missing = "; it comes with the package ethtool" if "No such file" in str(error) else ""
        raise OSError(errno.ENOPKG, str(error) + missing)


def _number(words):
    return next((number for said, number in _ERRORS if said in words), errno.EIO)


def _error(words, status):
    said = " ".join(words.split()) or "ethtool: exit status %d" % status
    return OSError(errno.ENOENT if _number(words) == errno.ENODEV else _number(words), said)
