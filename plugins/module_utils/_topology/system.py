# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What machine this is: name, architecture, running kernel and its arguments, maker, and what it is virtualized by.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from . import cpuinfo, virtualization

DMI = "/sys/class/dmi/id"
# Makers who never filled in their firmware's forms.
_PLACEHOLDERS = {"", "to be filled by o.e.m.", "system manufacturer", "system product name", "default string", "none",
                 "not specified", "empty"}


def read(host, found):
    """The section `system`."""
    fields = cpuinfo.read(host, found)
    version = re.match(r"Linux version (\S+)", host.text("/proc/version") or "")
    return {
        "hostname": host.text("/proc/sys/kernel/hostname") or host.text("/etc/hostname") or None,
        "architecture": _architecture(host, found, fields),
        "kernel": host.text("/proc/sys/kernel/osrelease") or (version.group(1) if version else None),
        "vendor": _named(host, "sys_vendor") or _sysinfo(host, "Manufacturer"),
        "product": _named(host, "product_name") or _device_tree(host) or _sysinfo(host, "Type"),
        "virtualization": virtualization.detect(host, fields),
        "boot_cmdline": host.text("/proc/cmdline"),
    }


def _architecture(host, found, fields):
    said = host.text("/proc/sys/kernel/arch")  # Since Linux 6.1.
    if said:
        return said
    inferred = cpuinfo.architecture(fields)
    if inferred:
        found["sources"]["system.architecture"] = "inferred from %s" % cpuinfo.PATH
    return inferred


def _named(host, name):
    """A line of the firmware's DMI table, or None where it is missing or a placeholder."""
    text = (host.text("%s/%s" % (DMI, name)) or "").strip()
    return None if text.lower() in _PLACEHOLDERS else text


def _device_tree(host):
    return (host.text("/proc/device-tree/model") or "").strip("\0") or None


def _sysinfo(host, field):
    """A line of /proc/sysinfo, where s390 says what others say in DMI."""
    line = re.search(r"^%s:\s*(\S+)" % field, host.text("/proc/sysinfo") or "", re.MULTILINE)
    return line.group(1) if line else None
