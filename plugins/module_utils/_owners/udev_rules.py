# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the udev rules of a node assign to the queues of its block devices and to its network interfaces.

PRIVATE to the collection. The rules are those of udev(7): files of all folders in the order of their names, a file of
the same name in an earlier folder masks the later one's, every rule that matches is carried out, the last assignment
stays; programs (RUN) start after all rules. A condition that cannot be judged here is taken to be met, for then the
rule may be one that wins over ours.
"""

from __future__ import annotations

import fnmatch
import re

from .._topology import block

FOLDERS = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d",
           "/lib/udev/rules.d")
_TOKEN = re.compile(r'\s*([A-Z_]+)(?:\{([^}]*)\})?\s*(==|!=|\+=|-=|:=|=)\s*[ei]?"((?:\\"|[^"])*)"\s*,?')
_MAY_CONCERN = re.compile(r'ATTR\{(queue/)?\w+\}\s*=\s*"|queue/\w')
_IN_PROGRAM = re.compile(r"queue/(\w+)")


def files(host):
    """[(path, name)] of the rule files in the order in which udev reads them."""
    chosen = {}
    for folder in FOLDERS:
        for name in host.names(folder):
            if name.endswith(".rules") and not name.startswith("."):
                chosen.setdefault(name, "%s/%s" % (folder, name))
    return [(chosen[name], name) for name in sorted(chosen)]


def assignments(host):
    """[{"key", "value", "file", "line", "name", "last"}] in the order in which they are carried out.

    "key" is DEVICE/queue/FILE or INTERFACE/net/FILE, "name" what the file is sorted by; "last" says that a program
    sets it after all rules, "value" is None where only udev can tell it.
    """
    rules = [(path, name, parsed) for path, name in files(host)
             for text in [host.text(path) or ""] if _MAY_CONCERN.search(text) for parsed in [_parse(text)]]
    if not rules:
        return []
    devices = [_block_device(host, name) for name in block.disks(host)]
    devices += [_interface(host, name) for name in host.names("/sys/class/net")]
    return [dict(item, file=path, name=name) for path, name, parsed in rules for device in devices
            for item in _carried_out(host, parsed, device)]


def _parse(text):
    """[(line, [(key, attribute, operator, value)])] of the rules in a file."""
    found, number = [], 0
    lines = iter(text.split("\n"))
    for line in lines:
        number += 1
        first = number
        if line.lstrip()[:1] in ("", "#"):
            continue
        while line.endswith("\\"):
            line = line[:-1] + next(lines, "")
            number += 1
        found.append((first, _TOKEN.findall(line)))
    return found


def _block_device(host, name):
    folder = "%s/%s" % (block.CLASS, name)
    number = _text(host, folder + "/dev") or ""
    return {"prefix": name + "/", "folder": folder, "SUBSYSTEM": "block", "KERNEL": name.replace("!", "/"),
            "ENV": dict(_database(host, "b" + number), DEVTYPE="disk")}


def _interface(host, name):
    folder = "/sys/class/net/" + name
    index = _text(host, folder + "/ifindex") or ""
    return {"prefix": name + "/net/", "folder": folder, "SUBSYSTEM": "net", "KERNEL": name, "NAME": name,
            "ENV": dict(_database(host, "n" + index), INTERFACE=name)}


def _database(host, name):
    """The properties that udev keeps of a device."""
    return dict(re.findall(r"^E:([^=\n]+)=(.*)$", _text(host, "/run/udev/data/" + name) or "", re.M))


def _text(host, path):
    try:
        return host.read(path)
    except OSError:
        return None


def _carried_out(host, rules, device):
    """What the rules of a file assign to a device."""
    skip_to = None
    for line, tokens in rules:
        labels = [value for key, _attribute, _operator, value in tokens if key == "LABEL"]
        if skip_to is not None and skip_to not in labels:
            continue
        skip_to = None
        verdicts = [_is_met(host, device, token) for token in tokens if token[2] in ("==", "!=")]
        if False in verdicts:
            continue
        for key, attribute, operator, value in tokens:
            if key == "GOTO" and None not in verdicts:
                skip_to = value
            elif operator in ("=", ":=", "+="):
                for item in _assigned(device, key, attribute, value):
                    yield dict(item, line=line)
                if key == "ENV" and "$" not in value and "%" not in value:
                    device["ENV"][attribute] = value


def _assigned(device, key, attribute, value):
    """What one assignment sets, with the device in front."""
    if key == "ATTR" and (device["SUBSYSTEM"] == "net" or attribute.startswith("queue/")):
        told = None if re.search(r"[$%]", value) else value
        yield {"key": device["prefix"] + attribute, "value": told, "last": False}
    elif key == "RUN" and device["SUBSYSTEM"] == "block":
        for name in _IN_PROGRAM.findall(value):
            yield {"key": "%squeue/%s" % (device["prefix"], name), "value": None, "last": True}


def _is_met(host, device, token):
    """Whether a device meets a condition; None where that cannot be told."""
    key, attribute, operator, pattern = token
    if key == "ACTION":
        # At boot and when it is plugged in every device is added, and most are changed soon after.
        return any(_matches(action, pattern) for action in ("add", "change")) == (operator == "==")
    if key in ("SUBSYSTEM", "KERNEL", "NAME"):
        text = device.get(key, "")
    elif key == "ENV":
        text = device["ENV"].get(attribute, "")
    elif key == "ATTR":
        text = _text(host, "%s/%s" % (device["folder"], attribute))
    else:
        return None
    if "$" in pattern or "%" in pattern:
        return None
    return text is not None and _matches(text, pattern) == (operator == "==")


def _matches(text, pattern):
    """Whether a text fits one of the patterns that stand between bars; blanks at its end do not count."""
    return any(fnmatch.fnmatchcase(one, part.replace("[^", "[!")) for part in pattern.split("|")
               for one in (text, text.rstrip()))
