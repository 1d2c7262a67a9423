# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of instances lie: whose a path is, which units they make, and what of a text an engine starts with.

PRIVATE to the collection. Which files an instance may have is said in units.py.
"""

from __future__ import annotations

import hashlib
import re

from ..rendered.units import every_path

ROLE = "vllm_service"
UNITS = "/etc/systemd/system"
CONFIGURATION = "/etc/vllm"
_KINDS = ("ray", "vllm")  # In the order of their start.
_NAMED = re.compile(r"/(?:ray|vllm)@([a-z0-9-]+)\.|^/etc/vllm/([a-z0-9-]+)\."
                    r"|/50-gpuwright-(?:ray|vllm)-([a-z0-9-]+)\.conf$")
_DROP_IN = re.compile(r"\.(service|container|target)\.d/[^/]+\.conf$")
# What a daemon-reload puts in force for a unit that runs; everything else counts from its next start on.
_AT_RELOAD = {"Description", "Documentation", "Restart", "RestartSec", "RestartPreventExitStatus", "SuccessExitStatus",
              "StartLimitBurst", "StartLimitIntervalSec", "TimeoutStartSec", "TimeoutStopSec", "KillMode", "KillSignal",
              "OOMPolicy", "AllowedCPUs", "AllowedMemoryNodes", "TasksMax", "WantedBy", "RequiredBy", "Wants"}


def is_shared(path):
    """Whether a file is a template, which all instances of its kind have."""
    return path.rpartition("/")[2].partition(".")[0].endswith("@")


def belongs(path, name):
    """Whether a file is one of an instance's own."""
    return path in every_path(name)


def starts_at_boot(path):
    """Whether a file has an instance started at boot, so that it needs no link for that."""
    return path.startswith(UNITS + "/multi-user.target.d/")


def units(paths, name):
    """The units that an instance's files make, in the order of their start."""
    return ["%s@%s.service" % (kind, name) for kind in _KINDS
            if any("/%s@%s." % (kind, name) in path for path in paths)]


def names(paths):
    """The instances of whose own files these paths are."""
    found = [_NAMED.search(path) for path in paths]
    return sorted({next(part for part in one.groups() if part) for one in found if one})


def found(host, path):
    """What is there: {text, mode, link}, None for nothing. Raises OSError where it may not be read."""
    link = host.link(path)
    if link is not None:
        return {"text": None, "mode": None, "link": link}
    try:
        return {"text": host.read_bytes(path).decode("utf-8", "surrogateescape"), "mode": host.mode(path),
                "link": None}
    except FileNotFoundError:
        return None


def put(host, path, file):
    """Bring a file to a state that `found` gave, or that is asked for."""
    if file is None:
        if host.exists(path) or host.link(path) is not None:
            host.remove_file(path)
    elif file.get("link") is not None:
        host.write_link(path, file["link"])
    else:
        host.write_file(path, file["text"].encode("utf-8", "surrogateescape"), mode=file["mode"])


def same(one, other):
    """Whether two states of a file are the same to the byte."""
    if one is None or other is None:
        return one is other
    return all(one.get(key) == other.get(key) for key in ("text", "mode", "link"))


def started_with(path, text):
    """What of a file a start of the engine depends on: no comments, and of settings in any order each by itself."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("#", ";"))]
    if path.endswith((".yaml", ".env")):
        return "\n".join(sorted(lines))
    if is_unit(path):
        return "\n".join(line for line in lines if line.partition("=")[0].strip() not in _AT_RELOAD
                         and line not in ("[Install]", "[Unit]"))
    return text


def is_unit(path):
    """Whether systemd or its Quadlet generator reads the file."""
    return path.endswith((".service", ".container")) or bool(_DROP_IN.search(path))


def digests(files):
    """{path: digest of what a start depends on} of files as they are, or as they are asked for."""
    return {path: hashlib.sha256(started_with(path, file["text"]).encode("utf-8", "surrogateescape")).hexdigest()
            for path, file in files.items() if file and file["text"] is not None and not starts_at_boot(path)}
