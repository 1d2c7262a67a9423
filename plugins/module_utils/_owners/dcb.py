# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and changes an interface's data center bridging by iproute2's dcb(8).

PRIVATE to the collection. `state` gives what the driver serves, in the words that _kinds/dcb.py uses:
  pfc        the priorities that are lossless, in order
  trust      "dscp" where there are DSCP entries, else "pcp": this is how dcb(8) and the drivers in Linux tell
  dscp       {dscp: priority}, all entries
  tsa, bandwidth, prio_tc    lists of eight; the bandwidth of a traffic class that is not "ets" is 0
  dcbx       "os" or "fw": who decides
mlnx_qos.py has the same functions.
"""

from __future__ import annotations

import errno
import json

from .._host import CommandNotRun

_ERRORS = {"Operation not supported": errno.EOPNOTSUPP, "Invalid argument": errno.EINVAL,
           "No such device": errno.ENODEV, "Operation not permitted": errno.EPERM}
_DCBX = ("host", "lld_managed", "cee", "ieee", "static")


def state(host, device):
    """What dcb(8) tells of an interface; a part that it does not tell is not there."""
    found = {}
    pfc = _show(host, "pfc", device).get("prio_pfc")
    if _is_eight(pfc):
        found["pfc"] = [number for number, flag in enumerate(pfc) if flag in (True, "on")]
    ets = _show(host, "ets", device)
    if all(_is_eight(ets.get(key)) for key in ("tc_tsa", "tc_bw", "prio_tc")):
        found.update(tsa=ets["tc_tsa"], prio_tc=ets["prio_tc"], bandwidth=[
            share if kind == "ets" else 0 for kind, share in zip(ets["tc_tsa"], ets["tc_bw"])])
    app = _ask(host, "app", device)
    if app is not None and found:  # A driver that serves nothing has an empty table too.
        # iproute2 6.2 and later put a " " behind each pair.
        found["dscp"] = {pair[0]: pair[1] for pair in app.get("dscp_prio", ())}
        found["trust"] = "dscp" if found["dscp"] else "pcp"
    flags = _ask(host, "dcbx", device)
    if flags is not None:
        found["dcbx"] = "os" if flags.get("host") else "fw"
    return found


def set_pfc(host, device, now, priorities):
    """Make these priorities lossless and no others."""
    _set(host, ["pfc", "set", "dev", device, "prio-pfc", "all:off"] + ["%d:on" % number for number in priorities])


def set_ets(host, device, now, ets):
    """Give all three parts of ETS at once: the kernel checks them together."""
    words = ["ets", "set", "dev", device]
    for key, values in (("tc-tsa", ets["tsa"]), ("tc-bw", ets["bandwidth"]), ("prio-tc", ets["prio_tc"])):
        words += [key] + ["%d:%s" % pair for pair in enumerate(values)]
    _set(host, words)


def set_trust(host, device, now, word):
    """Trust DSCP, by an entry for each with the priority that firmware gives it, or none at all."""
    if word == "dscp":
        set_dscp(host, device, now, {dscp: dscp >> 3 for dscp in range(64)})
    elif now["dscp"]:
        _set(host, ["app", "flush", "dev", device, "dscp-prio"])


def set_dscp(host, device, now, entries):
    """Give these DSCPs their priorities. `replace` exits with 0 whatever happens: only a look tells."""
    words = _set(host, ["app", "replace", "dev", device, "dscp-prio"] + _pairs(entries))
    there = state(host, device).get("dscp", {})
    if any(there.get(dscp) != priority for dscp, priority in entries.items()):
        raise _error(words)


def remove_dscp(host, device, now, entries):
    """Delete entries; the last one takes the trust in DSCP with it."""
    _set(host, ["app", "del", "dev", device, "dscp-prio"] + _pairs(entries))


def set_dcbx(host, device, now, word):
    """Let the operating system decide; the other way dcb(8) has no words for."""
    if word != "os":
        raise OSError(errno.EOPNOTSUPP, "dcb cannot hand DCBX to the firmware: mlnx_qos (package mlnx-tools) can")
    flags = _show(host, "dcbx", device)
    _set(host, ["dcbx", "set", "dev", device, "host"] + [
        flag.replace("_", "-") for flag in _DCBX[1:] if flags.get(flag)])


def _pairs(entries):
    return ["%d:%d" % pair for pair in sorted(entries.items())]


def _is_eight(values):
    return isinstance(values, list) and len(values) == 8


def _show(host, topic, device):
    return _ask(host, topic, device) or {}


def _ask(host, topic, device):
    """What `dcb TOPIC show` says, or None where it is not installed or this driver does not serve it."""
    try:
        status, output, _errors = host.run(["dcb", "-j", "-N", topic, "show", "dev", device], changes=False)
        found = json.loads(output) if status == 0 else None
    except (CommandNotRun, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _set(host, words):
    """Carry out a change; returns what was said. Raises OSError."""
    try:
        status, output, errors = host.run(["dcb"] + words)
    except CommandNotRun as error:
        raise OSError(errno.EIO, str(error))
    if status:
        raise _error(errors or output)
    return errors


def _error(said):
    """What dcb(8) said on a failure, as an OSError."""
    number = next((number for words, number in _ERRORS.items() if words in said), errno.EIO)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return OSError(number, "dcb: %s" % ("; ".join(lines[:2]) or "the change did not take effect"))
