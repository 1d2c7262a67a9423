# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind udev_attribute: a file of a block device's queue or of a network interface, persisted by a udev rule.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. The rule names a device by what it is, for the
kernel's names change from boot to boot; where all NVMe drives are meant, those too that are plugged in later. In the
journal a path has the same condition after a #. Read-ahead belongs to the device that a filesystem sits on, and to the
mount itself where its files are on another machine; it comes last, for any limit of the queue can raise it.
"""

from __future__ import annotations

import errno
import re

from .._host import CommandNotRun
from .._owners import tuned_disk, udev_rule, udev_rules
from .._owners.udev_rule import HARDWARE, LIMIT, READ_AHEAD
from .._topology import block

FOLDER = "/etc/udev/rules.d"
KEYED_BY = "target"
VOLATILE = False
OWNER = "udev"
ABSENT = "no device here has such a setting, or what it sets is not in use there"
NET = "/sys/class/net"
REQUESTS = "queue/nr_requests"
_SORTS = {"net": ("network interface",), "queue": ("block device",), READ_AHEAD: ("mount point",)}
_EVERY = 'KERNEL=="nvme[0-9]*n[0-9]*", ENV{DEVTYPE}=="disk"'


def files(role):
    """Our files for a role; the second, for what was handed to us, sorts after whoever set it."""
    return ["%s/90-gpuwright-%s.rules" % (FOLDER, role), "%s/zz-gpuwright-%s.rules" % (FOLDER, role)]


def file(role, target, taken=False):
    """Our file for a target."""
    return files(role)[taken]


def devices(host):
    """All that an option may name: whole block devices, mount points, network interfaces."""
    found = dict.fromkeys(block.disks(host), "block device")
    found.update(dict.fromkeys(block.mounts(host), "mount point"))
    return dict(found, **dict.fromkeys(host.names(NET), "network interface"))


def places(host, row, options):
    """[(target, path, fields)] of the devices that are here; no path where a device has no such setting."""
    named = options.get(row.devices)
    known, sorts = devices(host) if named else {}, _SORTS.get(row.name.partition("/")[0], ()) + _SORTS.get(row.name, ())
    for name in named or ():
        if known.get(name, sorts[0]) not in sorts:
            raise ValueError("%s: %s is a %s, not a %s" % (row.devices, name, known[name], " or a ".join(sorts)))
    if row.name.startswith("net/"):
        found = [(name, {"match": 'KERNEL=="%s"' % name}) for name in named or () if host.exists("%s/%s" % (NET, name))]
    elif row.name == READ_AHEAD:
        return _volumes(host, row, named)
    else:
        names = block.namespaces(host) if named is None else [name for name in named if name in block.disks(host)]
        found = [(name, {"match": block.identity(host, name), "every": named is None}) for name in names]
    return [_place(host, row, name, row.paths[0].format(device=name), fields) for name, fields in found]


def _place(host, row, name, path, fields):
    """One place; what the kernel answers with EINVAL is not in use there."""
    try:
        host.read(path)
    except OSError as error:
        path = None if error.errno in (errno.ENOENT, errno.EINVAL, errno.ENODEV, errno.ENOTDIR) else path
    return "%s/%s" % (name, row.name), path, dict(fields, device=name)


def _volumes(host, row, named):
    """The places of read-ahead: a device for all the filesystems on it, and each mount of a network filesystem."""
    mounts = block.mounts(host)
    on = {device: list(points) for device, points in block.volumes(host).items()} if named is None else {}
    remote = []
    for name in named or ():
        device = block.top(host, mounts[name]) if name in mounts else name
        if device is None:
            remote.append(name)
        elif name in mounts or name in block.disks(host):
            on.setdefault(device, []).append(name)
    page = block.page_kb(host)
    found = [_place(host, row, device, row.paths[0].format(device=device), {
        "match": block.identity(host, device), "names": [device] + points, "page_kb": page})
        for device, points in sorted(on.items())]
    return found + [_place(host, row, point, _of_mount(mounts[point]), {
        "match": udev_rule.of_mount(point), "names": [point], "page_kb": page}) for point in remote]


def _of_mount(mount):
    return "/sys/class/bdi/%s/read_ahead_kb" % mount["number"]


def _now(host, path):
    """Where a path of the journal is by now. Raises FileNotFoundError if its device is gone."""
    plain_path, _sign, condition = path.partition("#")
    if not condition:
        return path
    if condition.startswith("MOUNT"):
        found = [_of_mount(mount) for point, mount in block.mounts(host).items()
                 if udev_rule.of_mount(point) == condition]
    else:
        name, rest = re.match(block.CLASS + "/([^/]+)(.*)", plain_path).groups()
        if host.exists(plain_path) and block.identity(host, name) == condition:
            return plain_path
        found = ["%s/%s%s" % (block.CLASS, name, rest) for name in [block.named_by(host, condition)] if name]
    if not found:
        raise FileNotFoundError(errno.ENOENT, "there is no such device any more", path)
    return found[0]


def read(host, target, path):
    """What is in force; of the limit also the hardware's own."""
    path = _now(host, path)
    try:
        text = host.read(path)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise FileNotFoundError(errno.ENOENT, "not in use there", path)
        raise
    return ("%s %s" % (text, _hardware(host, path) or "")).strip() if path.endswith(LIMIT) else text


def _hardware(host, path):
    try:
        return host.read(path.replace(LIMIT, HARDWARE))
    except OSError:
        return None


def plain(text):
    """A value as it is written: the bracketed word, or the first."""
    found = re.search(r"\[([^\]]+)\]", text)
    return found.group(1) if found else (text.split() or [""])[0]


def satisfied(value, wanted):
    """Of the limit as much as the hardware allows is enough, and never is it lowered."""
    found = re.match(r"(\d+) of at most (\d+)$", value)
    if not found:
        return value == wanted
    now, most = (int(number) for number in found.groups())
    return now >= (most if wanted == "max" else min(int(wanted), most))


def write(host, target, path, text):
    """Put a value in force; what that changes beside it stays as it was."""
    path = _now(host, path)
    device, _sign, name = path.partition("/queue/")
    before = {one: host.read(one) for one in _beside(host, device, name) if host.exists(one)}
    try:
        host.write_value(path, _allowed(host, path, text))
    except OSError as error:
        if error.errno == errno.EINVAL and name == "nr_requests":
            raise OSError(error.errno, "a drive without a scheduler has no more requests than its own queue holds")
        raise
    for other, value in before.items():
        if host.read(other) != value:
            host.write_value(other, value)


def _beside(host, device, name):
    """Any limit can raise read-ahead; a scheduler brings its own number of requests, which we may have set."""
    ours = [one for one in host.names(FOLDER) if "-gpuwright-" in one]
    if name == "scheduler" and any(REQUESTS in (host.text("%s/%s" % (FOLDER, one)) or "") for one in ours):
        return ["%s/%s" % (device, one) for one in (REQUESTS, READ_AHEAD)]
    return [] if name in ("", "read_ahead_kb") else ["%s/%s" % (device, READ_AHEAD)]


def _allowed(host, path, text):
    """Of the limit no more than the hardware's: kernels answer more with EINVAL, or silently with less."""
    most = _hardware(host, path) if path.endswith(LIMIT) else None
    if most is None:
        return text
    return most if text == "max" else str(min(int(text), int(most)))


def compose(head, entries):
    """The text of a file of ours, in the order in which a queue has to be written."""
    return head + udev_rule.text((name, value) for name, _path, value in entries)


def parse(text):
    """The values in a file of ours, by `key`."""
    return udev_rule.values(text)


def key(step):
    """What names a step in our file: the condition that its device meets, and the file."""
    fields = step.get("_fields") or {}
    every = fields.get("every") and not fields.get("alone")
    return "%s %s" % (_EVERY if every else fields.get("match", ""), step["name"])


def identity(row, target, path):
    """What names the original in the journal."""
    return "udev_attribute:" + target


def in_force(host, row, target, path):
    """(path, text) to write to get today's state back, on the same device by whatever name."""
    if path.startswith(NET):
        condition = ""
    elif path.startswith(block.CLASS):
        condition = "#" + block.identity(host, path.split("/")[4])
    else:
        condition = "#" + udev_rule.of_mount(target[:-len("/" + row.name)])
    return path + condition, plain(read(host, target, path))


def turn(target, path):
    """The originals of a queue come back in the order in which it has to be written."""
    return udev_rule.turn("/".join(target.rsplit("/", 2)[-2:]))


def others(host):
    """What the rules of others, and then tuned, make of the devices here."""
    return udev_rules.assignments(host) + tuned_disk.assignments(host)


def rival(settled, row, target, path, ours, value):
    """The last assignment of another file that comes after ours, or None."""
    mine = {FOLDER + "/" + start + ours.rpartition("/")[2][2:] for start in ("90", "zz")}
    later = [item for item in settled if item["key"] == target and item["file"] not in mine
             and (item["last"] or item["name"] > ours.rpartition("/")[2]) and not _leaves(item, value)]
    return sorted(later, key=lambda item: item["last"])[-1] if later else None


def _leaves(item, value):
    """Whether it leaves a value alone that is high enough."""
    theirs = item["value"] or ""
    return item.get("at_least") and theirs.isdigit() and value.isdigit() and int(value) >= int(theirs)


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None


def commit(host, steps, changed):
    """Have udev read our files: it looks for changed ones only every few seconds."""
    if changed and host.exists("/run/udev/control"):
        status, _output, errors = host.run(["udevadm", "control", "--reload"])
        if status:
            raise CommandNotRun("udevadm control --reload: %s" % (errors.strip() or "exit status %d" % status))
