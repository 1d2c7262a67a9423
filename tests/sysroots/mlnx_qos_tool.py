# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool mlnx_qos in its real formats, on the drivers of dcb_node.py.

It is called with the host, {interface: driver} and its arguments, and returns (exit status, output, errors).
"""

from __future__ import annotations

import re

from tests.sysroots.dcb_tools import Ended

USAGE = "Usage: mlnx_qos -i <interface> [options]\n"
LONG = {"-f": "--pfc", "-p": "--prio_tc", "-s": "--tsa", "-t": "--tcbw", "-d": "--dcbx"}
NOT_SERVED = ("Priority trust state is not supported on your system\n"
              "Buffers commands are not supported on your system\n"
              "Rate limit is not supported on your system!\nETS features are not supported on your system\n")


def mlnx_qos(host, drivers, argv):
    """Carry out the options in the order in which the tool does, then show all."""
    said = []
    if any(host.read("/proc/%s/comm" % name) == "lldpad" for name in host.names("/proc")
           if host.exists("/proc/%s/comm" % name)):
        said.append("****** WARNING: lldpad service is running and may overwrite your settings ******\n\n")
    options = _options(argv)
    driver = drivers.get(options["-i"][0])
    try:
        if driver is None:
            raise OSError("No such device")
        if "--trust" in options and "--dscp2prio" in options:
            _end("trust and dscp2prio commands cannot be used at the same time.")
        for option in ("--dcbx", "--pfc", "--dscp2prio", "--trust"):
            for value in options.get(option, ()):
                _CHANGES[option](host, driver, value)
        if not driver.state["dcb"]:
            return 1, "".join(said) + NOT_SERVED, ""
        _ets(driver, {option: values[-1] for option, values in options.items()})
    except Ended as end:
        return 1, "".join(said) + end.args[0], ""
    except OSError:
        return 1, "".join(said) + "Netlink error: Bad value. see dmesg.\n", ""
    return 0, "".join(said) + _shown(host, driver, "-a" in options), ""


def _options(argv):
    """{option: [values]}"""
    found, words = {"-a": [""]} if "-a" in argv else {}, [word for word in argv if word != "-a"]
    for option, value in zip(words[::2], words[1::2]):
        found.setdefault(LONG.get(option, option), []).append(value)
    return found


def _end(*words):
    raise Ended("".join(word + "\n" for word in words))


def _dcbx(host, driver, value):
    if value not in ("os", "fw"):
        _end("Invalid dcbx mode command. Refer to the help.")
    driver.set_dcbx(driver.state["flags"] + ["host"] if value == "os" else [])
    driver.state["flags"] = sorted(set(driver.state["flags"]), key=["host", "cee", "ieee"].index)


def _pfc(host, driver, value):
    flags = _eight(value, ("0", "1"), "PFC", "pfc")
    driver.state["pfc"] = [number for number in range(8) if flags[number] == "1"]


def _eight(value, known, title, name):
    items = value.split(",")
    if len(items) > 8:
        _end("Too many items for %s" % title)
    for item in items:
        if item not in known:
            _end("Bad value for %s: %s" % (title, item), USAGE.strip())
    if len(items) != 8:
        _end("%s list must have 8 items" % name)
    return items


def _map(host, driver, value):
    """A map that is out of range ends the tool without a word."""
    match = re.match(r"(set|del),(\d+),(\d+)$", value)
    if not match:
        _end("Invalid dscp2prio command. Refer to the help.")
    action, dscp, priority = match.group(1), int(match.group(2)), int(match.group(3))
    if dscp > 63 or priority > 7:
        _end()
    if driver.folder and action == "set":
        place = driver.folder + "/dscp2prio"
        host.write_file(place, re.sub(r"(?m)^%d\t.*$" % dscp, "%d\t%d" % (dscp, priority),
                                      host.read_bytes(place).decode()).encode())
    elif not driver.folder:
        try:
            (driver.set_app if action == "set" else driver.del_app)(dscp, priority)
        except OSError:
            _end("dscp2prio command failed")


def _trust(host, driver, value):
    """Without files: DSCP entries, one for each of the 64, or none."""
    if value not in ("dscp", "pcp"):
        _end("Invalid trust state command. Refer to the help.")
    if driver.folder:
        host.write_file(driver.folder + "/trust", (value + "\n").encode())
    elif (value == "dscp") != bool(driver.state["app"]):
        driver.state["app"] = [[dscp, dscp >> 3] for dscp in range(64)] if value == "dscp" else []


def _ets(driver, options):
    """All three parts go to the driver together, with what it has for those that are not given."""
    if not {"--tsa", "--tcbw", "--prio_tc"} & set(options):
        return
    state = driver.state
    tsa = _eight(options["--tsa"], ("strict", "ets", "vendor"), "TSA", "tsa") if "--tsa" in options else state["tsa"]
    shares, prio_tc = list(state["bandwidth"]), state["prio_tc"]
    if "--tcbw" in options:
        items = _eight(options["--tcbw"], [str(share) for share in range(101)], "ETS BW", "tcbw")
        if any(kind != "ets" and share != "0" for kind, share in zip(tsa, items)):
            _end("ETS BW for a strict/vendor TC must be 0", USAGE.strip())
        shares = [int(share) for share in items]
    if "--prio_tc" in options:
        prio_tc = [int(item) for item in _eight(options["--prio_tc"], list("01234567"), "UP => TC mapping", "prio_tc")]
    driver.set_ets(list(tsa), shares, prio_tc)


_CHANGES = {"--dcbx": _dcbx, "--pfc": _pfc, "--dscp2prio": _map, "--trust": _trust}


def _shown(host, driver, whole):
    """What the tool prints at the end, whatever it was asked."""
    state = driver.state
    trust, entries = _trusted(host, driver)
    lines = [] if state["buffers"] else ["Buffers commands are not supported on your system"]
    lines += [] if state["rates"] else ["Rate limit is not supported on your system!"]
    lines.append("DCBX mode: %s controlled" % ("OS" if "host" in state["flags"] else "Firmware"))
    lines.append("Priority trust state: " + trust)
    if trust == "dscp":
        lines += ["dscp2prio mapping:"] + _mapped(entries)
    if state["buffers"]:
        lines.append("Receive buffer size (bytes): 20016,156096,0,0,0,0,0,0,max_buffer_size=262016")
    lines += ["Cable len: %d" % state["cable_len"], "PFC configuration:",
              "\tpriority    0   1   2   3   4   5   6   7",
              "\tenabled     " + "".join("%d   " % (number in state["pfc"]) for number in range(8))]
    if state["buffers"]:
        lines.append("\tbuffer      " + "0   " * 8)
    for tc in range(8):
        priorities = [number for number in range(8) if state["prio_tc"][number] == tc]
        if priorities or whole:
            lines += [_class(state, tc)] + ["\t priority:  %d" % number for number in priorities]
    return "".join(line + "\n" for line in lines)


def _trusted(host, driver):
    """(trust, {dscp: priority})"""
    if not driver.folder:
        return ("dscp" if driver.state["app"] else "pcp"), driver.entries
    pairs = re.findall(r"^(\d+)\t(\d)$", host.read(driver.folder + "/dscp2prio"), re.M)
    return host.read(driver.folder + "/trust"), {int(dscp): int(priority) for dscp, priority in pairs}


def _mapped(entries):
    """The DSCPs of each priority, eight to a line; a driver lists its entries from the highest."""
    lines = []
    for priority in range(8):
        mine = ["%02d," % dscp for dscp in sorted(entries, reverse=True) if entries[dscp] == priority]
        lines += ["\tprio:%d dscp:%s" % (priority, "".join(mine[start:start + 8])) for start in range(0, len(mine), 8)]
    return lines


def _class(state, tc):
    """A traffic class; where its rate is not known the tool leaves its number out too."""
    kind = state["tsa"][tc] if state["tsa"][tc] != "cbs" else "unknown"
    head = "tc: %d ratelimit: unlimited, tsa: " % tc if state["rates"] else ""
    return head + ("ets, bw: %d%%" % state["bandwidth"][tc] if kind == "ets" else kind)
