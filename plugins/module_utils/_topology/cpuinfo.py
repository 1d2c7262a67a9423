# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What /proc/cpuinfo says of the processor: vendor, model, architecture and whether a hypervisor is below.

PRIVATE to the collection. Every architecture has its own names for the same things.
"""

from __future__ import annotations

import re

from . import arm_cores

PATH = "/proc/cpuinfo"
# The processors of one node are alike, or of a few kinds that come early: no need to read 500 kB of repetition.
_ENOUGH = 1 << 16
_VENDOR = ("vendor_id", "vendor", "mvendorid")
_MODEL = ("model name", "Model Name", "uarch", "cpu model", "cpu")


def read(host, found):
    """The first value of every field of /proc/cpuinfo, plus "CPU part" with all kinds of cores; {} if unreadable.

    It stays in `found` under a private name, for two sections need it.
    """
    if "_cpuinfo" in found:
        return found["_cpuinfo"]
    fields = found["_cpuinfo"] = {}
    try:
        text = host.read_bytes(PATH, _ENOUGH).decode("utf-8", "replace")
    except OSError as error:
        host.note("%s: %s" % (PATH, error.strerror))
        return fields
    parts = []
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if colon and value:
            fields.setdefault(name, value)
        if name == "CPU part" and value not in parts:
            parts.append(value)
    if parts:
        fields["CPU part"] = parts
    return fields


def numbers(host):
    """The numbers of the processors that the kernel lists, which are those online."""
    try:
        text = host.read(PATH)
    except OSError:
        return []
    return sorted(int(number) for number in re.findall(r"^processor\s*:?\s*(\d+)", text, re.MULTILINE))


def vendor(fields):
    """Who made the processor, or None."""
    if "CPU implementer" in fields:
        return arm_cores.implementer(fields["CPU implementer"])
    return _first(fields, _VENDOR)


def model(fields):
    """The processor's name; kinds of a hybrid ARM processor joined by " + "; None where the kernel gives no name."""
    if "CPU part" in fields:
        return " + ".join(arm_cores.name(fields.get("CPU implementer", ""), part) for part in fields["CPU part"])
    if fields.get("arch") == "IA-64":  # There "model" and "family" are numbers, unless a later kernel names it.
        return fields.get("model name")
    return _first(fields, _MODEL)


def _first(fields, names):
    return next((fields[name] for name in names if name in fields), None)


def architecture(fields):
    """The name uname(1) would give, as far as these fields decide it; None where they do not."""
    flags = fields.get("flags", "").split()
    if flags:
        return "x86_64" if "lm" in flags else "i686"
    if "CPU implementer" in fields or "CPU architecture" in fields:
        version = re.match(r"\d*", fields.get("CPU architecture", "")).group()
        return "armv%sl" % version if version and int(version) < 8 else "aarch64"
    if fields.get("vendor_id") == "IBM/S390":
        return "s390x"
    if fields.get("arch") == "IA-64":
        return "ia64"
    isa = fields.get("isa", "") or fields.get("ISA", "")
    if isa.startswith("rv"):
        return "riscv" + isa[2:4]
    return "loongarch64" if "loongarch64" in isa else None  # POWER does not say which byte order it runs in.
