# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else sets the traffic class of interfaces when the node boots or a link comes up: units, hooks and scripts.

PRIVATE to the collection. Nothing native persists PFC, trust and the like, so sites write such scripts themselves.
"""

from __future__ import annotations

import re

from . import unit_files

_SETS = re.compile(r"\b(?:mlnx_qos|cma_roce_tos|doRoCE(?:\.sh)?|roce_config(?:\.sh)?|niccli|lldptool|setup_cc)\b"
                   r"|\bdcb\s+(?:-\S+\s+)*(?:pfc|app|ets|dcbx|buffer)\b|default_roce_tos|/tc/1/traffic_class"
                   r"|/ecn/roce_[nr]p/")
_SCRIPTS = ("/etc/NetworkManager/dispatcher.d", "/etc/NetworkManager/dispatcher.d/pre-up.d",
            "/etc/networkd-dispatcher/routable.d", "/etc/networkd-dispatcher/configured.d", "/etc/network/if-up.d",
            "/etc/network/if-pre-up.d", "/etc/network/interfaces", "/etc/network/interfaces.d", "/etc/udev/rules.d",
            "/etc/rc.local", "/etc/rc.d/rc.local", "/etc/cron.d", "/etc/infiniband/openib.conf",
            "/etc/bnxt_re/bnxt_re.conf")
_UNITS = ("/etc/systemd/system", "/run/systemd/system")


def read(host):
    """[(file, what it runs)], each file once, in the order in which they are looked at."""
    found = {}
    for folder in _UNITS:
        for unit in host.names(folder):
            if unit.endswith(".service") and not unit.startswith("gpuwright"):
                for line in unit_files.assignments(host, unit, ("ExecStartPre", "ExecStart", "ExecStartPost")):
                    _look(host, found, line["file"], line["value"])
    for place in _SCRIPTS:
        paths = ["%s/%s" % (place, name) for name in host.names(place)] if host.is_folder(place) else [place]
        for path in paths:
            if not host.is_folder(path) and "gpuwright" not in path:
                for line in (host.text(path) or "").splitlines():
                    _look(host, found, path, line.partition("#")[0])
    return list(found.items())


def _look(host, found, path, command):
    """Keep a command that sets such a thing, or a script of the site's that does."""
    match = _SETS.search(command)
    if match is None:
        for word in command.lstrip("-+!@: ").split()[:2]:
            if word.startswith("/") and not word.startswith(("/dev/", "/proc/", "/sys/", "/usr/bin/", "/bin/")):
                match = match or _SETS.search(_script(host, word))
    if match:
        found.setdefault(path, match.group(0))


def _script(host, path):
    """The text of a script; a program is none."""
    try:
        data = host.read_bytes(path, 65536)
    except OSError:
        return ""
    return data.decode("utf-8", "replace") if data.startswith(b"#!") else ""
