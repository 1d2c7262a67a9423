# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind dcb: an interface's data center bridging: PFC, what priority is taken from, ETS, and who decides over them.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. Nothing native persists it: the node runner
puts it back. The rows are dcb/dcbx, dcb/trust, dcb/dscp-prio, dcb/ets-tsa, dcb/tc-bw, dcb/prio-tc and dcb/prio-pfc, in
this order: it counts.

With Linux's own drivers to trust DSCP is to have DSCP entries: the first one that is added switches trust to DSCP, the
last one that is deleted switches it back. So trust "dscp" adds an entry for each DSCP, with the priority that firmware
gives it, and dcb/dscp-prio changes single ones, but is never the one that switches.
"""

from __future__ import annotations

import errno

from .._owners import dcbx

KEYED_BY = "target"
VOLATILE = True
OWNER = None
ABSENT = ("no interface is named for it, or neither dcb (package iproute2 or iproute) nor mlnx_qos (package mlnx-tools "
          "or OFED or DOCA) serves this one for it; to take DCBX from the firmware and give it back needs mlnx_qos")
NET = "/sys/class/net"
_PARTS = {"dcb/trust": "trust", "dcb/dscp-prio": "dscp", "dcb/ets-tsa": "tsa", "dcb/tc-bw": "bandwidth",
          "dcb/prio-tc": "prio_tc", "dcb/prio-pfc": "pfc", "dcb/dcbx": "dcbx"}
_ORDER = list(_PARTS)  # In which originals come back; the firmware gets its say last.
_WAS, _NONE = "was", "none"


def unverified(host):
    """Why a change needs a word of the operator's."""
    return "PFC, trust, DSCP map and ETS were tried on no real NIC yet, only on a stand-in for dcb and mlnx_qos"


def files(role):
    """There is no file for it."""
    return []


def file(role, target, taken=False):
    """There is no file for it."""
    return None


def devices(host):
    """Every network interface."""
    return {name: "a network interface" for name in host.names(NET) if name != "lo"}


def places(host, row, options):
    """[(target, path, fields)] of the interfaces; no path where no tool serves it for this one."""
    found = []
    for device in options.get(row.devices) or ():
        path = "%s/%s" % (NET, device)
        if host.exists(path):
            served = _serves(host, device, _PARTS[row.name])
            found.append(("%s/%s" % (device, row.name), path if served else None, {"device": device}))
    return found


def _serves(host, device, part):
    """Whether a part can be read, changed and given back."""
    if part == "dcbx" and dcbx.state(host, device).get(part) == "fw":
        return part in dcbx.told(host, dcbx.mlnx_qos, device)
    return dcbx.tool(host, device, part) is not None


def read(host, target, path):
    """What is in force, in the words of the row's value."""
    part, now = _now(host, target, path)
    return _text(part, now[part])


def _now(host, target, path):
    """(part of a target, the state of its interface)."""
    device, _slash, name = target.partition("/")
    if not host.exists(path):
        raise FileNotFoundError(errno.ENOENT, "there is no such interface any more", path)
    now = dcbx.state(host, device)
    if _PARTS[name] not in now:
        raise OSError(errno.EOPNOTSUPP, "neither dcb nor mlnx_qos serves it any more", path)
    return _PARTS[name], now


def _text(part, value):
    """The canonical text of a part of the state."""
    if part == "pfc":
        return " ".join(str(number) for number in value)
    if part == "dscp":
        return " ".join("%d:%d" % pair for pair in sorted(value.items()))
    return value if isinstance(value, str) else ",".join(str(item) for item in value)


def in_force(host, row, target, path):
    """(path, text). An original holds what its change takes along: trust its map, the kinds of ETS their shares."""
    part, now = _now(host, target, path)
    text = _text(part, now[part])
    if part == "dscp":
        text = " ".join([_WAS, text]).strip()
    elif part == "trust" and text == "dscp":
        text = "dscp " + _text("dscp", now["dscp"])
    elif part == "tsa":
        if not set(now["tsa"]) <= {"strict", "ets", "vendor", "cbs"}:
            raise OSError(errno.EOPNOTSUPP, "%s could not be given back" % text, path)
        text = "%s %s" % (text, _text("bandwidth", now["bandwidth"]))
    elif part == "bandwidth" and "ets" not in now["tsa"]:
        text = _NONE
    return path, text


def satisfied(running, wanted):
    """Whether what is in force is as good: of a DSCP map the entries that are asked for count.

    An original that `write` has looked after itself always is.
    """
    words = wanted.split()
    if words[:1] in ([_WAS], [_NONE]):
        return True
    if words and ":" in words[0]:
        return set(words) <= set(running.split())
    if len(words) > 1 and (words[0] == "dscp" or "," in words[0]):
        return running == words[0]
    return running == wanted


def write(host, target, path, text):
    """Put a value in force, or an original back."""
    device = target.partition("/")[0]
    part, now = _now(host, target, path)
    tool = dcbx.tool(host, device, part)
    if part == "pfc":
        tool.set_pfc(host, device, now, [int(word) for word in text.split()])
    elif part == "trust":
        _write_trust(host, device, tool, now, text)
    elif part == "dscp":
        _write_dscp(host, device, tool, now, text)
    elif part == "dcbx":
        tool = dcbx.mlnx_qos if "dcbx" in dcbx.told(host, dcbx.mlnx_qos, device) else tool
        tool.set_dcbx(host, device, now, text)
    elif text != _NONE:
        tool.set_ets(host, device, now, _ets(part, now, text))


def _write_trust(host, device, tool, now, text):
    """Trust, and of an original its map: entries that it lacked go."""
    word, _space, entries = text.partition(" ")
    if word != now["trust"]:
        tool.set_trust(host, device, now, word)
    if entries and not dcbx.mlnx_qos.has_files(host, device):
        _put_back(host, device, tool, _entries(entries))


def _put_back(host, device, tool, wanted):
    """Exactly these entries."""
    now = tool.state(host, device)
    changed = {dscp: priority for dscp, priority in wanted.items() if now["dscp"].get(dscp) != priority}
    if changed:
        tool.set_dscp(host, device, now, changed)
    extra = {dscp: priority for dscp, priority in tool.state(host, device)["dscp"].items() if dscp not in wanted}
    if extra:
        tool.remove_dscp(host, device, now, extra)


def _write_dscp(host, device, tool, now, text):
    """Single entries, or an original map. Where there is none by now, PCP is trusted again, and an original rests.

    An original without entries is from before DSCP was trusted: while it still is, each DSCP gets firmware's priority.
    """
    was = text.split()[:1] == [_WAS]
    entries = _entries(text[len(_WAS):] if was else text)
    switches = not now["dscp"] and not dcbx.mlnx_qos.has_files(host, device)
    if was and not switches:
        _put_back(host, device, tool, entries or {dscp: dscp >> 3 for dscp in range(64)})
    elif switches and not was:
        raise OSError(errno.EPERM, "PCP is trusted, and a first DSCP entry would change that: set dcb/trust too")
    elif not was:
        changed = {dscp: priority for dscp, priority in entries.items() if now["dscp"].get(dscp) != priority}
        if changed:
            tool.set_dscp(host, device, now, changed)


def _entries(text):
    """{dscp: priority} of a map as text."""
    pairs = (word.partition(":") for word in text.split())
    return {int(dscp): int(priority) for dscp, _colon, priority in pairs}


def _ets(part, now, text):
    """All of ETS with one part of it changed. New kinds get shares that the kernel accepts until theirs are written."""
    ets = {key: list(now[key]) for key in ("tsa", "bandwidth", "prio_tc")}
    words = text.split()
    if part == "tsa":
        ets["tsa"] = words[0].split(",")
        shares = [int(item) for item in words[1].split(",")] if len(words) > 1 else ets["bandwidth"]
        ets["bandwidth"] = _fitting(ets["tsa"], shares)
    else:
        ets[part] = [int(item) for item in text.split(",")]
    lost = [number for number, share in enumerate(ets["bandwidth"]) if share and ets["tsa"][number] != "ets"]
    if lost:
        raise OSError(errno.EINVAL, "traffic class %d is %s: its share of the bandwidth must be 0"
                      % (lost[0], ets["tsa"][lost[0]]))
    return ets


def _fitting(tsa, shares):
    """The shares, or if they do not add up to 100 over the classes of kind ets, equal ones."""
    mine = [number for number, kind in enumerate(tsa) if kind == "ets"]
    if sum(shares[number] for number in mine) == 100:
        return [share if number in mine else 0 for number, share in enumerate(shares)]
    equal = {number: 100 // len(mine) for number in mine}
    if mine:
        equal[mine[0]] += 100 - sum(equal.values())
    return [equal.get(number, 0) for number in range(8)]


def plain(text):
    """A value as it is written."""
    return text.strip()


def turn(target, path):
    """Originals come back trust first, then its map; shares after the kinds of ETS; who decides last."""
    return (_ORDER.index(target.partition("/")[2]),)


def identity(row, target, path):
    """What names the original in the journal."""
    return "dcb:" + target


def others(host):
    """Who else decides has no file in which a line would win: see _owners/dcbx.py."""
    return []


def rival(settled, row, target, path, ours, value):
    """See `others`."""
    return None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
