# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind sysctl: lives in /proc/sys, persists in sysctl.d.

PRIVATE to the collection. What every kind has:
  KEYED_BY      what `parse` names values by, "target" or "path"
  VOLATILE      whether nothing native persists it, so that the node runner puts it back at boot
  OWNER         by which name another file's hold on it can be handed to us, or None
  places        where a row lives on this machine, [(target, path, fields)]; `options` are those of the role. Of a row
                that repeats over devices (Row.devices) each of them is a place, and fields["device"] says which
  read, write   what is in force there as text, "" for nothing, and how to change that
  in_force      what to write to get today's state back
  identity      what names that original in the journal
  files, file   the files of ours for a role, and the one for a target; a * in a path stands for any device's name
  compose       the text of such a file; `parse` reads it
  others, rival, before_us   who else sets it
and may have:
  ABSENT        why it is nowhere on this machine
  commit        what follows when our files have changed, such as daemon-reload
  companions    files of ours that follow from the others
  generated     what lies between our files and what is in force, such as a boot loader's entries; NEXT says what it is
  satisfied     whether what is in force is as good as what is asked for
  plain         a value as it is written, where the kernel prints more
  persisted     {configured, file} where this machine persists it in no file of ours
  given         whoever else gives the very value already, so that ours would be a repetition
  refusal, unverified   why this machine's way of setting it is not, or not yet, to be used
  devices       {name: what it is, in words} of all that Row.devices may name
  key           what `parse` and `compose` name a step by, where that is neither its target nor its path
  is_foreign    whether somebody else wrote the text of a file that is ours by its name; it is then left alone
  remark        the fact that a value follows from, or None; `compose` writes it above the line
  overridden    who gets something else although our line is right
  leave, forget what a rollback does before the files go, and once the journal has nothing of the kind
  LAST_BACK     whether its originals come back after those of all other kinds
  turn          sorts the originals of this kind, by (target, path), where the order of giving back counts
"""

from __future__ import annotations

import errno

from .._owners import sysctl_d

FOLDER = "/etc/sysctl.d"
_NET = "/sys/class/net"
_RAISED = 1 << 29  # systemd halves INT_MAX until the kernel takes it.
KEYED_BY = "target"
VOLATILE = False
OWNER = "sysctl.d"


def files(role):
    """Our files for a role; the second, for keys that were handed to us, sorts after whoever set them."""
    return ["%s/90-gpuwright-%s.conf" % (FOLDER, role), "%s/zz-gpuwright-%s.conf" % (FOLDER, role)]


def file(role, target, taken=False):
    """Our file for a key."""
    return files(role)[taken]


def places(host, row, options):
    """Where the row lives on this machine: [(target, path, fields)]; empty where this kernel has no such key.

    Of a row that repeats over interfaces the target is the key too; a dot in the name of one, as a VLAN has it, is a
    slash there.
    """
    if not row.devices:
        path = row.paths[0]
        return [(row.name, path, {})] if host.exists(path) else []
    found = [(row.name.replace("{device}", device.replace(".", "/")), row.paths[0].replace("{device}", device),
              {"device": device}) for device in options.get(row.devices) or ()]
    return [place for place in found if host.exists(place[1])]


def devices(host):
    """The interfaces that a row can repeat over."""
    return dict.fromkeys(host.names(_NET), "network interface")


def read(host, target, path):
    """What is in force."""
    return host.read(path)


def write(host, target, path, text):
    """Put a value in force. A key that takes a name answers ENOENT where no such thing is in this kernel."""
    try:
        host.write_value(path, text)
    except FileNotFoundError:
        if not host.exists(path):
            raise
        raise OSError(errno.EINVAL, "this kernel has no %s, and no module of it to load" % text, path)


def compose(head, entries):
    """The text of a file of ours."""
    return head + "".join(sorted("%s = %s\n" % (target, value) for target, _path, value in entries))


def parse(text):
    """The values in a file of ours, by target."""
    pairs = (entry.partition("=") for entry in text.splitlines() if "=" in entry and not entry.startswith("#"))
    return {key.strip(): value.strip() for key, _sign, value in pairs}


def identity(row, target, path):
    """What names the original in the journal: twins share one, for they are two spellings of one knob."""
    return "sysctl:" + "+".join(sorted([target] + ([row.twin] if row.twin else [])))


def in_force(host, row, target, path):
    """(path, text) to write to get today's state back: of twins, the one that is not zero rules."""
    text = host.read(path)
    if row.twin and row.value.read(text) == "0":
        twin = "/proc/sys/" + row.twin.replace(".", "/")
        other = host.read(twin)
        if other != "0" or twin.endswith("ratio"):  # Of two zeroes only the ratio can be written.
            return twin, other
    return path, text


def others(host):
    """What every file on this machine sets, in the order in which systemd-sysctl applies it."""
    return _of_systemd(host) + sysctl_d.assignments(host)


def _of_systemd(host):
    """What systemd gives first of all, as process 1: it raises the limits of open files as far as the kernel lets it.

    Not every distribution has it do so: what is in force tells, for nobody else gives as much.
    """
    if not host.exists("/run/systemd/system"):
        return []
    found = [(key, host.text("/proc/sys/" + key.replace(".", "/")) or "") for key in ("fs.file-max", "fs.nr_open")]
    return [{"key": key, "value": value, "file": "systemd", "line": 0, "name": ""} for key, value in found
            if value.isdigit() and int(value) >= _RAISED]


def rival(settled, row, target, path, ours, value):
    """The assignment of another file that takes effect after `value` in our file `ours`, or None.

    A file that sets the twin counts, since the kernel then zeroes ours: even an earlier one does where an earlier file
    still gives our key the same value, because systemd-sysctl then writes it in that place.
    """
    theirs = [item for item in settled if item["file"] not in _mine(ours) and item["value"] is not None]
    found = sysctl_d.after(theirs, target, ours)
    if found and found["value"] != value:
        return found
    if not row.twin:
        return None
    mine = {"key": target, "value": value, "file": ours, "name": ours.rpartition("/")[2], "line": 0}
    order = sysctl_d.in_order_of_writing(theirs, mine)
    places = {item["key"]: place for place, item in enumerate(order)}
    return order[places[row.twin]] if places.get(row.twin, -1) > places[target] else None


def before_us(settled, target, ours):
    """The value that the other files give to a key, or None: what a raise-only line of ours must not undercut."""
    found = sysctl_d.last(settled, target, ignore=_mine(ours))
    return found["value"] if found and not found.get("procps_only") else None


def _mine(ours):
    return ours, ours.replace("/90-gpuwright-", "/zz-gpuwright-"), ours.replace("/zz-gpuwright-", "/90-gpuwright-")
