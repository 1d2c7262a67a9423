# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind kernel_argument: /proc/cmdline says what runs, the boot loader's entries what the next boot brings.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. What is configured is a drop-in of ours where
the boot loader has such (_boot/grub_d.py), else one argument in a file that is shared with others.
"""

from __future__ import annotations

from .. import _cmdline, _cpulist
from .._boot import family, grub_d

KEYED_BY = "target"
VOLATILE = False
OWNER = None
PATH = "/proc/cmdline"
_MADE_OF = {"isolcpus": "/sys/devices/system/cpu/isolated", "nohz_full": "/sys/devices/system/cpu/nohz_full"}


def files(role):
    """Our drop-in for a role."""
    return [file(role, None)]


def file(role, target, taken=False):
    """Our drop-in for a role."""
    return "%s/90-gpuwright-%s.cfg" % (grub_d.FOLDER, role)


def places(host, row, options):
    """[(target, path, fields)]; every running kernel has a command line."""
    return [(row.name, PATH, {})] if host.exists(PATH) else []


def read(host, target, path):
    """What the running kernel was given, "" for nothing; with a remark where it has made something else of it.

    It drops a set that it does not like, and of two isolcpus= or nohz_full= the first counts, with a line in its log.
    """
    given = _cmdline.value(host.read(path), target)
    made = host.text(_MADE_OF[target]) if given and target in _MADE_OF else None
    words = given.split(",")
    flags = [word for word in words if word[:1].isalpha()]
    if made is None or (flags and "domain" not in flags):
        return given
    try:
        asked = set(_cpulist.parse(",".join(words[len(flags):])))
    except ValueError:
        return given
    try:
        kept = set(_cpulist.parse(made))
    except ValueError:  # "(null)"
        kept = set()
    return given if asked <= kept else "%s, of which the kernel made %s" % (given, _cpulist.format(kept) or "nothing")


def write(host, target, path, text):
    """Nothing changes before the next boot."""


def generated(host, target, path):
    """What the next boot will bring: the value in all entries, or "kernel=value ..." where they differ."""
    loader, _words = family.find(host)
    if loader is None:
        return read(host, target, path)
    found = loader.generated(host, target)
    values = [value for _version, value in found]
    if len(set(values)) == 1:
        return values[0]
    return " ".join(dict.fromkeys("%s=%s" % one for one in found))


def persisted(host, row, target):
    """{configured, file} where that is no drop-in of ours, else None; `row` is None for one that is given back."""
    loader, _words = family.find(host)
    if loader is grub_d:
        return None
    found = loader.sources(host) if loader else [(None, host.read(PATH))]
    values = [_cmdline.value(line, target) for _path, line in found]
    shown = [row.value.read(value) if row and value else value for value in values]
    agreed = shown[0] if len(set(shown)) == 1 else " ".join(
        "%s=%s" % (path, value) for (path, _line), value in zip(found, shown))
    return {"configured": agreed or None, "file": found[0][0]}


def compose(head, entries):
    """The text of our drop-in."""
    return grub_d.compose(head, [(target, value) for target, _path, value in entries])


def parse(text):
    """The values in our drop-in, by key."""
    return grub_d.parse(text)


def identity(row, target, path):
    """What names the original in the journal."""
    return "kernel_argument:" + _cmdline.canonical(target)


def in_force(host, row, target, path):
    """(path, text) to get today's state back: what the next boot would bring."""
    return path, generated(host, target, path)


def satisfied(value, wanted):
    """Whether a value is as good as the one that is asked for: of a repeatable key's values it may be one."""
    return value == wanted or wanted in value.split()


def others(host):
    """What else makes up the command line, as the boot loader's own module tells it."""
    loader, _words = family.find(host)
    return loader.others(host) if loader else []


def rival(settled, row, target, path, ours, value):
    """What gives another value to the key, takes ours away, or leaves no room for it; or None."""
    if not settled:
        return None
    if settled[0]["loader"] == grub_d.NAME:
        same = [item for item in grub_d.given(settled, target, ours) if row.value.read(item[0]) == value]
        return grub_d.rival(settled, target, ours, same[-1][0] if same else value)
    return family.LOADERS[settled[0]["loader"]].rival(settled, target, value)


def given(settled, row, target, ours, value):
    """The file that gives just this value already, so that ours need not say it too; or None."""
    if not settled or settled[0]["loader"] != grub_d.NAME:
        return None
    for theirs, path, line in grub_d.given(settled, target, ours):
        if row.value.read(theirs) == value:
            return {"file": path, "line": line, "key": target, "value": theirs}
    return None


def given_by_others(host, target, ours):
    """Who else gives the key a value in a file that is not shared with us, in words, or None."""
    loader, _words = family.find(host)
    found = grub_d.given(grub_d.others(host), target, ours) if loader is grub_d else []
    return "%s:%s gives %s=%s" % (found[-1][1], found[-1][2], target, found[-1][0]) if found else None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None


def refusal(host):
    """Why the arguments of this machine are not ours to change, or None."""
    _loader, words = family.find(host)
    return words


def unverified(host):
    """What has to be allowed first, since it could cost a boot where we could not try it; or None."""
    loader, _words = family.find(host)
    return getattr(loader, "UNVERIFIED", None)


def commit(host, steps, changed):
    """Have the boot loader's entries made anew."""
    loader, words = family.find(host)
    if loader is None:
        raise OSError(words)
    loader.commit(host, steps)
