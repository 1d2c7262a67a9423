# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and changes an interface's data center bridging by mlnx_qos, of NVIDIA's mlnx-tools.

PRIVATE to the collection. The functions and their words are those of dcb.py. The driver of OFED and DOCA keeps trust
and DSCP map in files below /sys/class/net/DEVICE/qos, where the map is there whatever is trusted; with Linux's own
driver the tool adds and deletes DSCP entries, as dcb(8) does.
"""

from __future__ import annotations

import errno
import re

from .._host import CommandNotRun

_TC = re.compile(r"(?:tc: (\d) ratelimit: [^,]*, tsa: )?(strict|ets|vendor|unknown)(?:, bw: (\d+)%)?$")


def has_files(host, device):
    """Whether the driver is OFED's or DOCA's, which has files for trust and DSCP map."""
    return host.exists("/sys/class/net/%s/qos/trust" % device)


def state(host, device):
    """What mlnx_qos tells of an interface; empty where it is not installed or this driver does not serve it."""
    try:
        status, output, _errors = host.run(["mlnx_qos", "-i", device, "-a"], changes=False)
    except CommandNotRun:
        return {}
    if status:
        return {}
    found = _read(output)
    if has_files(host, device):
        found.update(_files(host, device))
    return found


def _read(output):
    """The parts of its output, whatever precedes or is left out."""
    found = {}
    mode = re.search(r"^DCBX mode: (\w+)", output, re.M)
    if mode:
        found["dcbx"] = "os" if mode.group(1) == "OS" else "fw"
    trust = re.search(r"^Priority trust state: (dscp|pcp)\s*$", output, re.M)
    if trust:
        found.update(trust=trust.group(1), dscp={
            int(dscp): int(priority) for priority, listed in re.findall(r"^\s*prio:(\d) dscp:([\d,]+)", output, re.M)
            for dscp in listed.split(",") if dscp})
    enabled = re.search(r"^\s*enabled((?:\s+[01]){8})\s*$", output, re.M)
    if enabled:
        found["pfc"] = [number for number, flag in enumerate(enabled.group(1).split()) if flag == "1"]
    found.update(_ets(output))
    return found


def _ets(output):
    """The lines on traffic classes, in order; one whose rate is not known has no number."""
    tsa, bandwidth, prio_tc = [], [], {}
    for line in output.splitlines():
        match = _TC.match(line.strip())
        priority = re.match(r"\s+priority:\s+(\d)\s*$", line)
        if match:
            tsa.append(match.group(2))
            bandwidth.append(int(match.group(3) or 0))
        elif priority and tsa:
            prio_tc[int(priority.group(1))] = len(tsa) - 1
    if len(tsa) != 8 or len(prio_tc) != 8:
        return {}
    return {"tsa": tsa, "bandwidth": bandwidth, "prio_tc": [prio_tc[number] for number in range(8)]}


def _files(host, device):
    """Trust and map from the files, since the tool shows no map while PCP is trusted."""
    folder = "/sys/class/net/%s/qos/" % device
    try:
        pairs = re.findall(r"^\s*(\d+)\s+(\d)\s*$", host.read(folder + "dscp2prio"), re.M)
        return {"trust": host.read(folder + "trust"), "dscp": {int(dscp): int(priority) for dscp, priority in pairs}}
    except OSError:
        return {}


def set_pfc(host, device, now, priorities):
    """Make these priorities lossless and no others."""
    _set(host, device, "--pfc", ",".join("1" if number in priorities else "0" for number in range(8)))


def set_ets(host, device, now, ets):
    """Give all three parts of ETS at once: the kernel checks them together."""
    _set(host, device, *[word for option, key in (("--tsa", "tsa"), ("--tcbw", "bandwidth"), ("--prio_tc", "prio_tc"))
                         for word in (option, ",".join(str(value) for value in ets[key]))])


def set_trust(host, device, now, word):
    """Trust DSCP or PCP; without files, `dscp` adds an entry for each DSCP, and `pcp` deletes them all."""
    _set(host, device, "--trust", word)


def set_dscp(host, device, now, entries):
    """Give these DSCPs their priorities; never in one call with --trust."""
    _set(host, device, *_maps("set", entries))


def remove_dscp(host, device, now, entries):
    """Delete entries; the last one takes the trust in DSCP with it."""
    _set(host, device, *_maps("del", entries))


def set_dcbx(host, device, now, word):
    """Let the operating system decide, or the firmware."""
    _set(host, device, "--dcbx", word)


def _maps(action, entries):
    return [word for pair in sorted(entries.items()) for word in ("--dscp2prio", "%s,%d,%d" % ((action,) + pair))]


def _set(host, device, *words):
    """Carry out a change. Raises OSError with what the tool said, which may be nothing."""
    try:
        status, output, errors = host.run(["mlnx_qos", "-i", device] + list(words))
    except CommandNotRun as error:
        raise OSError(errno.EIO, str(error))
    if status:
        lines = [line.strip() for line in (output + "\n" + errors).splitlines()
                 if line.strip() and not line.lower().startswith(("usage", "***", "dcbx mode"))]
        raise OSError(errno.EINVAL if "Bad value" in output else errno.EIO, "mlnx_qos %s: %s" % (
            words[0], lines[-1] if lines else "exit status %d" % status))
