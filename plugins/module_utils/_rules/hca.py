# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on how NCCL is told its devices: the list of HCAs (R10), and the form of the files that say it (R20).

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from .._owners import nccl_env
from .._values import nearest
from .finding import finding
from .isolation import listed
from .rdma_node import compute, environment, label, ports, rails, replaced_file, setting, storage, variables

_MOST = 32
_LIST = "NCCL_IB_HCA"


def r10_list(view):
    """Each entry of NCCL_IB_HCA matches a device, and what it matches are devices that serve GPUs, with a port up."""
    devices = view.topology("rdma_devices")
    found = []
    for name, text, where in variables(view, _LIST):
        exclude, exact, entries = parsed(text)
        if not devices:
            found += [] if exclude else [_without_devices(view, text, where)]
            continue
        words = _unmatched(devices, entries, exact)
        if exclude:
            found += [finding("R10", "W", setting(view, where), "%s: %s=%s leaves out what is not there: %s"
                              % (where, name, text, listed(words)))] if words else []
            continue
        words += _strangers(view, devices, entries, exact)
        matched = {port for entry in entries for port in _matches(devices, entry, exact)}
        if len(matched) > _MOST:
            words.append("it matches %d ports, and NCCL takes %d" % (len(matched), _MOST))
        if words:
            found.append(finding("R10", "E", setting(view, where), "%s: %s=%s: %s. %s" % (
                where, name, text, listed(words), _remedy(view, devices))))
    return found


def r10_left_to_nccl(view):
    """Where all rails of the GPUs are down no list is written, and NCCL takes what else is up: storage's NICs."""
    told = (view.options.get("nccl_env_derived") or {}).get(_LIST)
    if not told or told.get("value") or not rails(view) or variables(view, _LIST) or (
            str(view.options.get("nccl_env_multi_node")).lower() in ("false", "no", "0")):
        return []
    up = [device["name"] for device in view.topology("rdma_devices")
          if any(port["state"] == "ACTIVE" for port in device["ports"])]
    if not up:
        return []
    return [finding("R10", "W", None, "%s is not set, for %s: NCCL then takes every port that is up: %s. Bring up the "
                    "NICs of the GPUs, or name them in nccl_env_compute_nics" % (_LIST, told["why"], listed(up)))]


def declared_fabric(view):
    """A fabric that is declared by its link layer is that of the NICs that serve GPUs."""
    declared = view.options.get("nccl_env_fabric")
    unlike = {"infiniband": "Ethernet", "ethernet": "InfiniBand"}.get(declared)
    chosen = [device for device in view.topology("rdma_devices") if device["name"] in compute(view)] if unlike else []
    odd = [label(name, port) for name, port in ports(chosen, unlike)]
    if not odd:
        return []
    return [finding("fabric", "W", None, "nccl_env_fabric is %s, and on %s %s %s: what is set follows the NICs. "
                    "Declare the fabric that is there, or mend the NICs (LINK_TYPE of their firmware)"
                    % (declared, unlike, "is" if len(odd) == 1 else "are", listed(odd)))]


def _without_devices(view, text, where):
    """A list on a node that has nothing to list: the driver is missing, or the list is another node's."""
    row = setting(view, where)
    return finding("R10", "E" if row else "W", row, "%s: %s=%s: there is no RDMA device here, and NCCL goes over TCP "
                   "and says nothing. Load the driver (/sys/class/infiniband shows what it finds), or unset it here"
                   % (where, _LIST, text))


def parsed(text):
    """(whether it excludes, whether it is exact, [(device, port or None)]) of a list as NCCL reads it."""
    exclude = text.startswith("^")
    text = text[exclude:]
    exact = text.startswith("=")
    entries = []
    for word in text[exact:].split(","):
        parts = word.split(":")
        if parts[0]:
            entries.append((parts[0], int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None))
    return exclude, exact, entries


def _matches(devices, entry, exact):
    """The (device, port number) that an entry stands for: without = it is the beginning of a name."""
    wanted, number = entry
    return [(device["name"], port["port"]) for device in devices for port in device["ports"]
            if (device["name"] == wanted if exact else device["name"].startswith(wanted))
            and number in (None, port["port"])]


def _unmatched(devices, entries, exact):
    names = [device["name"] for device in devices]
    words = []
    for entry in entries:
        if not _matches(devices, entry, exact):
            wanted, number = entry
            words.append("%s has no port %d" % (wanted, number) if wanted in names else
                         "no device %s, and without one NCCL goes over TCP and says nothing; %s"
                         % (wanted, nearest(wanted, names)))
    return words


def _strangers(view, devices, entries, exact):
    """What a list matches beyond its purpose: another device by its prefix, a storage NIC, a port that is down."""
    serving, others = compute(view), storage(view)
    states = {(device["name"], port["port"]): port["state"] for device in devices for port in device["ports"]}
    words = []
    for entry in entries:
        found = _matches(devices, entry, exact)
        more = sorted({name for name, _port in found} - {entry[0]})
        if not exact and more and any(name == entry[0] for name, _port in found):
            words.append("%s is the beginning of %s too, and means all of them" % (entry[0], listed(more)))
        down = ["%s port %d is %s" % (place + (states[place],)) for place in found
                if states[place] not in ("ACTIVE", None)]
        idle = {place[0] for place in found if states[place] not in ("ACTIVE", None)}
        strange = sorted({name for name, _port in found if name not in serving and name in others} - idle)
        words += down
        if strange and serving:
            words.append("%s %s storage and no GPU" % (listed(strange), "serves" if len(strange) == 1 else "serve"))
        foreign = sorted({name for name, _port in found if serving and name not in serving + others} - idle)
        if foreign:
            words.append("%s serve%s no GPU" % (listed(foreign), "s" if len(foreign) == 1 else ""))
    return list(dict.fromkeys(words))


def _remedy(view, devices):
    """The list that is right on this node."""
    serving = compute(view)
    right = [name for name in serving if any(
        device["name"] == name and any(port["state"] in ("ACTIVE", None) for port in device["ports"])
        for device in devices)]
    if not right:
        return "There is no device for GPUs here: unset it"
    return "Set, with a = that begins the value and means these alone, %s==%s" % (_LIST, ",".join(right))


def r20_conf_syntax(view):
    """An nccl.conf is no shell script: what the shell would take away becomes part of the name or the value."""
    found = []
    homes = ["%s/%s" % (home, nccl_env.HOME_CONF) for home in nccl_env.homes(view.host)]
    for path in [path for path in [nccl_env.CONF] + homes if path != replaced_file(view)]:
        words = ["line %d %s" % (number, wrong) for number, name, value in nccl_env.conf_lines(view.host, path)
                 for wrong in _faults(name, value)]
        if words:
            found.append(finding("R20", "W", None, "%s: %s. NCCL takes each line as VARIABLE=value, to the letter"
                                 % (path, listed(words))))
    return found


def _faults(name, value):
    """What is wrong with one line, in words."""
    if name.lstrip().startswith("#"):
        yield "is a comment that does not begin with #, and so sets a variable"
        return
    if name.split(" ")[0] in ("export", "set", "setenv"):
        yield "begins with %s: the variable is called '%s'" % (name.split(" ")[0], name)
    elif not name.isascii():
        yield "begins with what is no letter of a name, such as the mark of an editor (BOM): another variable is set"
    elif name != name.strip() or value != value.strip(" \t"):
        yield "has spaces around =, or at an end: they are part of the name or the value"
    if re.match(r"(['\"]).*\1\s*(#.*)?\Z", value.strip()):
        yield "has quotes: they are part of the value"
    if re.search(r"\s#", value):
        yield "has a comment after the value: it is part of the value"
    if value.endswith("\r"):
        yield "ends with a carriage return, which NCCL before 2.30 keeps"
    if len(value) > 1023:
        yield "is longer than the 1023 letters that NCCL reads"


def r20_container(view):
    """A container does not see the host's nccl.conf."""
    host_wide = {name for _number, name, _value in nccl_env.conf_lines(view.host, nccl_env.CONF)}
    if not host_wide:
        return []
    blind = []
    for scope in environment(view):
        pid = scope["pid"]
        if pid and nccl_env.is_contained(view.host, pid) and not host_wide.issubset(scope["values"]):
            if not view.exists("/proc/%d/root%s" % (pid, nccl_env.CONF)):
                blind.append(scope["who"])
    if not blind:
        return []
    return [finding("R20", "W", None, "%s: its container does not see %s: mount that file into it, or give it the "
                    "variables" % (listed(blind), nccl_env.CONF))]
