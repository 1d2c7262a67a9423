# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile of one instance by Nsight Systems: its engine is restarted under `nsys profile`, and then without it.

PRIVATE to the collection. The engine's command changes by a drop-in below /run, which a reboot removes. Before that is
written a guard begins, held as every launched command: where nobody asks after it any more, or its time is over, it
removes the drop-in and restarts the engine. --kill=none, for nsys would end the engine with its window.
"""

from __future__ import annotations

import base64
import re

from .._benchmark import run as held
from .._host import CommandNotRun
from .._kinds import vllm_instance
from .._vllm.change import state
from .._vllm.rendered import command, secret_files, unit_text
from .._vllm.verification import http
from . import running
from .running import Refused

DROP_IN = "/run/systemd/system/%s.d/90-gpuwright-profile.conf"
PIECES = 2  # Of volume.PIECE each: what one answer carries.
_SPARE = 3600  # Until the guard acts by itself, after the window and the time that a start may take.
_STATS_SECONDS = 480
_STATS_LETTERS = 200000
_FOLDERS = ("/usr/local/bin", "/usr/bin", "/usr/local/cuda/bin", "/opt/nvidia/nsight-systems-cli",
            "/opt/nvidia/nsight-systems")
# $1 the drop-in, $2 the unit, $3 seconds. Where the drop-in is gone somebody put things right already.
_GUARD = """back() { [ -e "$1" ] || return 0
rm -f "$1"; rmdir "${1%/*}" 2>/dev/null; systemctl daemon-reload; systemctl --no-block restart "$2"; }
trap 'back "$1" "$2"; exit 0' TERM
sleep "$3" & wait
back "$1" "$2"
"""
_REPORT = "gpuwright-profile"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def look(host, name, asked, allow):
    """{"nsys", "delay", "unit", "command", "left"} of a profile that could begin. Raises Refused."""
    found = running.find(host, name)
    instance = found["instance"]
    if "restart" not in allow:
        raise Refused("%s: a profile restarts the engine twice, and it serves nothing while it starts: "
                      "vllm_benchmark_allow: [restart] allows that" % name)
    if instance["engine"]["kind"] in ("podman", "docker"):
        raise Refused("%s: its engine is in a container, which has no nsys: profile an engine of kind venv" % name)
    if instance["several"]:
        raise Refused("%s is on several nodes, and a restart of one of them ends all: profile one on one node" % name)
    unit, nsys = found["deployment"]["unit"], _nsys(host, asked["nsys"])
    delay = asked["delay"] or _delay(host, name, unit)
    output = "%s/%s-%d" % (secret_files.CACHE % name, _REPORT, host.now())
    return {"nsys": nsys, "delay": delay, "unit": unit, "output": output, "left": _left(host, name),
            "stop_timeout": instance["stop_timeout"],
            "command": words(nsys, output, delay, asked["duration"], command.engine(instance))}


def _left(host, name):
    """{path: bytes} of what earlier profiles left: too large to fetch, or of a run that was killed.

    They are named and stay: of the first kind somebody was told that they lie there.
    """
    cache = secret_files.CACHE % name
    places = ["%s/%s" % (cache, file) for file in host.names(cache) if file.startswith(_REPORT + "-")]
    return {place: host.size(place) for place in places if host.link(place) is None and host.size(place) is not None}


def words(nsys, output, delay, duration, engine):
    """The command that the unit starts for once."""
    return [nsys, "profile", "-o", output, "--trace-fork-before-exec=true", "--cuda-graph-trace=node",
            "--delay=%d" % delay, "--duration=%d" % duration, "--kill=none"] + engine


def _nsys(host, path):
    """The program nsys. Raises Refused."""
    places = [path] if path else ["%s/nsys" % folder for folder in _FOLDERS]
    if not path:  # NVIDIA's packages have a folder for each version; the newest is the last.
        for folder in _FOLDERS[-2:]:
            places += ["%s/%s/%s/nsys" % (folder, version, below)
                       for version in sorted(host.names(folder), reverse=True) for below in ("bin", "target-linux-x64")]
    for place in places:
        if host.exists(place) and not host.is_folder(place) and host.mode(host.real(place)) & 0o111:
            return place
    raise Refused("there is no nsys%s: install NVIDIA's package nsight-systems-cli, or say where it is with "
                  "vllm_benchmark_nsys" % (" at " + path if path else " here (looked in %s)" % ", ".join(_FOLDERS)))


def _delay(host, name, unit):
    """Seconds until the engine serves, with a reserve, from how long its last start took. Raises Refused."""
    kept = state.read(host, name)
    shown = dict(_shown(host, unit))
    began = re.match(r"(\d+)", shown.get("ExecMainStartTimestampMonotonic", ""))
    now = re.match(r"([\d.]+)", host.text("/proc/uptime") or "")
    if kept["phase"] == state.KEPT and kept["invocations"].get(unit) == shown.get("InvocationID") and began and now:
        took = kept["since"] - (host.now() - (float(now.group(1)) - int(began.group(1)) / 1e6))
        if 0 < took < 7200:
            return int(took * 1.5) + 30
    raise Refused("%s: how long its start takes is not known, since it was not role vllm_service that started it last: "
                  "say with vllm_benchmark_profile_delay after how many seconds it serves" % name)


def _shown(host, unit):
    """What systemd has of a unit's present start."""
    try:
        _status, text, _errors = host.run(
            ["systemctl", "show", "--property=InvocationID,MainPID,ExecMainStartTimestampMonotonic", unit],
            changes=False)
    except CommandNotRun as error:
        raise Refused(str(error))
    return [line.partition("=")[::2] for line in text.split("\n") if "=" in line]


def begin(host, name, asked, allow, lease):
    """Restart the engine under nsys; {"id", "command", "output", "delay", "unit", "left", "lease"}. Raises Refused.

    In check mode `id` is None and nothing is restarted. The lease is longer than asked for by what a stop may take.
    """
    made = look(host, name, asked, allow)
    told = {key: made[key] for key in ("command", "output", "delay", "unit", "left")}
    told["lease"] = lease + made["stop_timeout"]
    path = DROP_IN % made["unit"]
    if host.read_only:
        return dict(told, id=None)
    if host.exists(path):
        raise Refused("%s is there: another profile of this instance goes on, or its guard was killed; "
                      "`systemctl revert` is not needed, a reboot or its removal ends it" % path)
    running.refuse_others(running.find(host, name), allow)
    folder = host.make_private_folder(held.PLACE, held.PREFIX)
    seconds = made["delay"] + asked["duration"] + _SPARE
    try:
        host.launch(["/bin/sh", "-c", _GUARD, _REPORT, path, made["unit"], str(seconds)], folder,
                    {"PATH": _PATH, "LC_ALL": "C"}, seconds + 60, told["lease"])
        host.make_folder(path.rpartition("/")[0])
        host.write_file(path, _drop_in(made["command"]).encode())
        host.ask_after(folder)  # With the guard gone nobody would remove it.
        _restart(host, made["unit"])
    except (OSError, ValueError):
        end(host, folder, made["unit"])
        raise
    return dict(told, id=folder)


def _drop_in(argv):
    """What differs while it is profiled: nsys starts the engine, and its end is no reason to start both again."""
    return ("%s[Service]\nExecStart=\nExecStart=%s\nRestart=no\nKillMode=control-group\n"
            "Environment=VLLM_WORKER_MULTIPROC_METHOD=spawn\n" % (unit_text.HEAD, unit_text.command_line(argv)))


def _restart(host, unit):
    vllm_instance.systemctl(host, "daemon-reload")
    vllm_instance.stop(host, unit)
    vllm_instance.start(host, unit)


def see(host, name, folder, output):
    """{"serves", "state", "size"}: whether the engine answers, and the bytes of the report, None until it is there."""
    host.ask_after(folder)
    kept = state.read(host, name)
    unit = kept["deployment"]["unit"]
    ask = http.asker(http.where(kept["deployment"]["instance"]))
    path = output + ".nsys-rep"
    return {"serves": ask("/health")["status"] == 200, "state": vllm_instance.show(host, unit)["ActiveState"],
            "size": host.size(path) if host.link(path) is None else None}


def end(host, folder, unit):
    """The engine as it was; returns whether it had to be restarted here. Raises OSError, and Refused."""
    if not re.match(r"vllm@[a-z0-9][a-z0-9-]*\.service\Z", unit):
        raise Refused("%r is no unit of an instance" % unit)
    path = DROP_IN % unit
    try:
        there = host.exists(path)
        if there:
            host.remove_file(path)
            host.remove_folder(path.rpartition("/")[0])
            _restart(host, unit)
    finally:
        held.stop(host, folder)  # With the drop-in gone the guard does nothing any more.
    return there


def stats(host, name, nsys, output):
    """What `nsys stats` says of a report, or why it says nothing."""
    _ours(name, output)
    try:
        status, text, errors = host.run([nsys, "stats", "--force-export=true", output + ".nsys-rep"], _STATS_SECONDS)
    except CommandNotRun as error:
        return {"text": None, "why": "nsys stats: %s" % error}
    host.remove_file(output + ".sqlite")
    if status:
        return {"text": None, "why": "nsys stats: exit status %d: %s" % (status, (errors.strip() or text)[-300:])}
    return {"text": text[:_STATS_LETTERS], "why": None}


def piece(host, name, output, offset, piece_bytes):
    """{"data" in base64, "offset" to go on from}: a part of a report, empty at its end. Raises Refused."""
    path = _ours(name, output)
    data = b"".join(host.pieces(path, offset, piece_bytes))
    return {"data": base64.b64encode(data).decode(), "offset": offset + len(data)}


def remove(host, name, output):
    """The report was fetched."""
    host.remove_file(_ours(name, output))


def _ours(name, output):
    """The path of a report that a profile of this instance wrote. Raises Refused for any other."""
    if not re.match(re.escape("%s/%s-" % (secret_files.CACHE % name, _REPORT)) + r"\d+\Z", output):
        raise Refused("%r is no profile of %s" % (output, name))
    return output + ".nsys-rep"
