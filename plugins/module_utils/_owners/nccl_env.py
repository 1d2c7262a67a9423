# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every place of a node that sets variables of NCCL, UCX and NVSHMEM, and what a job gets from them together.

PRIVATE to the collection. The order is NCCL's own: the environment of the process, then the file that NCCL_CONF_FILE
names or else ~/.nccl.conf, then /etc/nccl.conf; who sets a variable first wins. Only variables of these libraries are
kept: an environment holds secrets. Source: src/misc/param.cc of NCCL.
"""

from __future__ import annotations

import re

from . import jobs, unit_environment

CONF, HOME_CONF = "/etc/nccl.conf", ".nccl.conf"
_OURS = re.compile(r"(?:NCCL|UCX|NVSHMEM)_[A-Z0-9_]+\Z")
# Where an operator puts units and their drop-ins.
_UNITS = ("/etc/systemd/system", "/run/systemd/system")
# Read by every login and by some batch systems, in the shell's syntax.
_SHELL = ("/etc/environment", "/etc/profile.d", "/etc/default/slurmd", "/etc/sysconfig/slurmd")
_ASSIGNED = re.compile(r"\s*(?:export\s+)?((?:NCCL|UCX|NVSHMEM)_[A-Z0-9_]+)=(.*)")


def read(host):
    """[{"who", "values": {name: {"value", "where"}}, "pid"}]: what each kind of job here would get, and each job gets.

    The first is any job that brings no environment of its own. "where" is a file with its line, a unit's, or the
    process; "pid" is None unless it is one.
    """
    etc = _of_conf(host, CONF)
    found = [{"who": "any job", "values": etc, "pid": None}]
    for home in homes(host):
        own = _of_conf(host, "%s/%s" % (home, HOME_CONF))
        if own:
            found.append({"who": "jobs of %s" % home.rpartition("/")[2], "values": dict(etc, **own), "pid": None})
    login = _of_shell(host)
    if login:
        found.append({"who": "logins", "values": dict(etc, **login), "pid": None})
    for unit in _units(host):
        own = {item["key"]: {"value": item["value"], "where": "%s:%s" % (item["file"], item["line"])}
               for item in unit_environment.settings(host, unit) if _OURS.match(item["key"])}
        own = {name: told for name, told in own.items() if told["value"] is not None}
        if own:
            found.append({"who": unit, "values": dict(etc, **own), "pid": None})
    return found + _processes(host)


def homes(host):
    """The home folders of root and of people, as /etc/passwd has them."""
    found = []
    for line in (host.text("/etc/passwd") or "root:x:0:0::/root:").splitlines():
        words = line.split(":")
        if len(words) > 5 and words[2].isdigit() and (words[2] == "0" or 1000 <= int(words[2]) < 65534):
            if words[5] not in found and words[5] not in ("", "/"):
                found.append(words[5].rstrip("/"))
    return found


def is_ours(text):
    """Whether an nccl.conf is the one that role nccl_env writes."""
    return text.startswith("# Written by gpuwright.node, ")


def narrower(host, ours):
    """What each scope narrower than the whole node sets by itself: [{"who", "key", "value", "file", "line", "name"}].

    `ours` are the files whose lines do not count. A value that a job has, and that a file of ours gave it, is its own.
    """
    found = []
    for scope in read(host)[1:]:
        for key, told in sorted(scope["values"].items()):
            path, _colon, line = told["where"].rpartition(":")
            if path not in ours:
                found.append({"who": scope["who"], "key": key, "value": told["value"], "file": path or told["where"],
                              "line": line if path else None, "name": scope["who"]})
    return found


def conf_lines(host, path):
    """[(line number, name, value)] of an nccl.conf as NCCL reads it: nothing is trimmed, quotes are kept."""
    return lines(conf_text(host, path) or "")


def conf_text(host, path):
    """The text of an nccl.conf to the letter, or None where there is none that can be read."""
    try:
        return host.read_bytes(path).decode("utf-8", "replace")
    except OSError:
        return host.text(path)  # None, with a note where something is there.


def lines(text):
    """The same of its text."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.append((number, name, value))
    return found


def _of_conf(host, path):
    """The first line of a name counts, for NCCL overwrites nothing."""
    found = {}
    for number, name, value in conf_lines(host, path):
        found.setdefault(name, {"value": value, "where": "%s:%d" % (path, number)})
    return {name: told for name, told in found.items() if _OURS.match(name)}


def _of_shell(host):
    """What login shells export; the last line of a name counts."""
    found = {}
    paths = []
    for path in _SHELL:
        paths += ["%s/%s" % (path, name) for name in host.names(path)] if host.is_folder(path) else [path]
    for path in paths:
        for number, line in enumerate((host.text(path) or "").splitlines(), 1):
            match = _ASSIGNED.match(line)
            if match:
                value = match.group(2).split("#")[0].strip().strip("\"'")
                found[match.group(1)] = {"value": value, "where": "%s:%d" % (path, number)}
    return found


def _units(host):
    """Services with a file or a drop-in of the operator's."""
    found = set()
    for folder in _UNITS:
        for name in host.names(folder):
            unit = name[:-2] if name.endswith(".d") else name
            if unit.endswith(".service"):
                found.add(unit)
    return sorted(found)


def _processes(host):
    """The live jobs that hold a GPU or an RDMA device, those of one environment and namespace once."""
    found = {}
    for job in jobs.live_jobs(host)[0]:
        pid = job["pid"]
        try:
            environ = unit_environment.of_process(host, pid)
        except OSError:
            continue
        own = {name: {"value": value, "where": "process %d (%s)" % (pid, job["comm"])}
               for name, value in environ.items() if _OURS.match(name)}
        conf = CONF if not is_contained(host, pid) else "/proc/%d/root%s" % (pid, CONF)
        values = dict(_of_conf(host, conf), **own)
        key = (job["comm"], tuple(sorted((name, told["value"]) for name, told in values.items())))
        found.setdefault(key, {"who": "process %d (%s)" % (pid, job["comm"]), "values": values, "pid": pid})
    return list(found.values())


def is_contained(host, pid):
    """Whether a process sees other files than the host does."""
    own, init = (host.link("/proc/%s/ns/mnt" % one) for one in (pid, 1))
    return None not in (own, init) and own != init
