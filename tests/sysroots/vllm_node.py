# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as a folder whose systemd starts and stops units from a template, as vllm@NAME.service.

A stand-in with the behaviour seen on systemd 252: what a unit is started with is what the last daemon-reload read of
its unit files, and what the other files say at the start; without any unit file it can only be stopped; each start has
an InvocationID of its own. The lab's hosts have the real one.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal

from tests.sysroots import plain_node, systemd_node
from tests.sysroots.systemd_node import UNITS, Systemd

WANTS = UNITS + "/multi-user.target.wants"
LIB = "/usr/lib/systemd/system"
GENERATED = "/run/systemd/generator"
_READ = "/run/stand-in/systemd.json"  # What a real systemd has in its memory.
_CONFIGURATION = "/etc/vllm"
_BOOTED = 1760000000
HEAD = "# Written by gpuwright.node, role vllm_service. Changes made here are overwritten.\n"


def build(folder, **changed):
    """The host; `changed` as in plain_node."""
    root = systemd_node.build(folder, **changed)
    for folder in ("usr/lib/systemd/system", "var/cache", "var/lib/vllm"):
        (root / folder).mkdir(parents=True)
    return root


def deployment(name, gpus="0,1", template="", secret=None, unit="", comment="", **arguments):
    """A deployment as deployment.compose makes one, with few lines in its files."""
    given = dict({"model": "/srv/models/org--m/files", "max-model-len": 8192}, **arguments)
    files = {
        UNITS + "/vllm@.service": HEAD + "[Unit]\nDescription=vLLM\n%s[Service]\nType=exec\n"
        "ExecStart=/opt/x/bin/vllm serve --config /etc/vllm/%%i.yaml\nCacheDirectory=vllm/%%i\n"
        "StateDirectory=vllm/home/%%i\n" % template,
        UNITS + "/vllm@%s.service.d/50-gpuwright.conf" % name: HEAD + "[Service]\nUser=vllm\n" + unit,
        "/etc/vllm/%s.yaml" % name: HEAD + comment + "".join("%s: %s\n" % item for item in given.items()),
        UNITS + "/multi-user.target.d/50-gpuwright-vllm-%s.conf" % name:
            HEAD + "[Unit]\nWants=vllm@%s.service\n" % name,
        "/etc/vllm/%s.env" % name: HEAD + "CUDA_VISIBLE_DEVICES=%s\n" % gpus}
    made = {path: {"text": text, "mode": 0o644, "secret": False} for path, text in files.items()}
    if secret:
        made["/etc/vllm/%s.secret.env" % name] = {"text": HEAD + "VLLM_API_KEY=%s\n" % secret, "mode": 0o600,
                                                  "secret": True}
    return {"name": name, "unit": "vllm@%s.service" % name, "files": made, "command": ["vllm", "serve", name],
            "environment": {"CUDA_VISIBLE_DEVICES": gpus}, "placed": {}, "findings": [], "problems": [],
            "summary": "%s on GPUs %s" % (name, gpus)}


def instance(name, **changed):
    """A part of the normal form: what plan and switch look at."""
    return dict({"name": name, "state": "started", "source": {"hub": "https://hub"}, "stop_timeout": 120,
                 "model_path": "/srv/models/org--m/files",
                 "engine": {"kind": "venv", "path": "/opt/gpuwright/vllm-0.33.0"}}, **changed)


def asked(name, state="started", problem=None, made=None, several=None, **of_deployment):
    """{name: what plan is given of an instance}."""
    made = made or deployment(name, **of_deployment)
    if state != "started":
        made["files"] = {path: file for path, file in made["files"].items() if "/multi-user.target.d/" not in path}
    return {name: {"instance": instance(name, state=state, several=several), "problem": problem,
                   "deployment": None if problem or state == "absent" else made}}


class Engines(Systemd):
    """The host and its systemd; `fails` are commands that must fail, `crashes` units that end as soon as they start."""

    clock = 1795000000

    def __init__(self, root, read_only=True, fails=(), crashes=()):
        super().__init__(root, read_only=read_only, fails=fails)
        self.crashes = crashes

    def now(self):
        """Each look at the clock is a second later."""
        Engines.clock += 1
        return Engines.clock

    def run(self, argv, seconds=10, changes=True):
        """systemctl; nothing else is installed."""
        if argv[0] != "systemctl":
            return super().run(argv, seconds, changes)
        if changes:
            self._may_change("running systemctl")
        self.asked.append(" ".join(argv))
        if self.asked[-1] in self.fails:
            return 1, "", "Failed: as the test wants it"
        kept = self._memory()
        unit = argv[-1]
        if argv[1] == "show":
            asked_for = argv[2].partition("=")[2].split(",")
            return 0, "".join("%s=%s\n" % (name, self._shown(kept, unit).get(name, "")) for name in asked_for), ""
        if argv[1] == "daemon-reload":
            kept["files"] = {}
            for one in self._known():
                kept["files"][one] = self._unit_text(one)
        elif argv[1] in ("enable", "disable"):
            self._link(argv[1], unit)
        else:
            done = getattr(self, "_" + argv[1].replace("-", "_"))(kept, unit)
            if done:
                return done
        self._remember(kept)
        return 0, "", ""

    def _memory(self):
        place = pathlib.Path(self.root + _READ)
        if place.exists():
            return json.loads(place.read_text())
        kept = {"files": {}, "running": {}, "failed": [], "starts": 0}
        kept["files"] = {one: self._unit_text(one) for one in self._known()}
        return kept

    def _remember(self, kept):
        place = pathlib.Path(self.root + _READ)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(kept))

    def _known(self):
        """Unit files and drop-ins, each by its path below the root."""
        places = []
        for folder in (UNITS, LIB, "/etc/containers/systemd"):
            places += [one for one in pathlib.Path(self.root + folder).rglob("*") if one.is_file()
                       and not one.is_symlink() and one.suffix in (".service", ".conf", ".container")]
        return [str(one)[len(self.root):] for one in places]

    def _unit_text(self, path):
        return pathlib.Path(self.root + path).read_text()

    @staticmethod
    def _unit_file(kept, unit):
        template = unit.partition("@")[0] + "@.service"
        paths = ["%s/%s" % (folder, name) for name in (unit, template) for folder in (UNITS, LIB)]
        paths.insert(1, "/etc/containers/systemd/" + unit.replace(".service", ".container"))
        return next((path for path in paths if path in kept["files"]), None)

    def _shown(self, kept, unit):
        run = kept["running"].get(unit)
        found = self._unit_file(kept, unit)
        at_boot = "generated" if found and found.endswith(".container") else (
            "enabled" if os.path.islink(self.root + WANTS + "/" + unit) else
            "" if not found else "disabled" if "[Install]" in kept["files"][found] else "static")
        return {"LoadState": "loaded" if found or run else "not-found", "UnitFileState": at_boot,
                "ActiveState": "active" if run else "failed" if unit in kept["failed"] else "inactive",
                "SubState": "running" if run else "failed" if unit in kept["failed"] else "dead",
                "Result": "exit-code" if unit in kept["failed"] else "success", "TimeoutStopUSec": "2min",
                "MainPID": str(run["pid"]) if run else "0", "InvocationID": run["id"] if run else ""}

    def _start(self, kept, unit):
        if unit in kept["running"]:
            return None
        path = self._unit_file(kept, unit)
        if not path:
            return 5, "", "Failed to start %s: Unit %s not found." % (unit, unit)
        kept["starts"] += 1
        if unit in self.crashes:
            kept["failed"].append(unit)
            return None
        name = re.search(r"@(.*)\.service$", unit).group(1)
        own = [one for one in kept["files"] if "/%s.d/" % unit in one]
        read = {one: kept["files"][one] for one in [path] + sorted(own)}
        for one in sorted(pathlib.Path(self.root + _CONFIGURATION).glob(name + ".*")):
            if not one.name.endswith(".gpuwright-new"):
                read[_CONFIGURATION + "/" + one.name] = one.read_text()
        pid = 5000 + kept["starts"]
        kept["running"][unit] = {"pid": pid, "id": "%032x" % kept["starts"], "read": read}
        for folder in self._made_for(kept, unit):
            plain_node.put(folder, "/compiled", "by the engine")
        plain_node.process(pathlib.Path(self.root), pid, "vllm", "/dev/nvidia0")
        plain_node.put(pathlib.Path(self.root), "/proc/%d/cgroup" % pid, "0::/system.slice/system-vllm.slice/" + unit)
        return None

    def _stop(self, kept, unit):
        run = kept["running"].pop(unit, None)
        if run:
            folder = pathlib.Path(self.root) / "proc" / str(run["pid"])
            for place in sorted(folder.rglob("*"), reverse=True):
                place.rmdir() if place.is_dir() and not place.is_symlink() else place.unlink()
            folder.rmdir()

    def _made_for(self, kept, unit):
        """The folders that CacheDirectory= and StateDirectory= of a unit name."""
        name = re.search(r"@(.*)\.service$", unit).group(1)
        text = kept["files"].get(self._unit_file(kept, unit)) or ""
        found = re.findall(r"^(Cache|State)Directory=(.+)$", text, re.M)
        return [pathlib.Path(self.root) / {"Cache": "var/cache", "State": "var/lib"}[kind] / folder.replace("%i", name)
                for kind, folder in found]

    @staticmethod
    def _reset_failed(kept, unit):
        kept["failed"] = [one for one in kept["failed"] if one != unit]

    def _link(self, command, unit):
        folder = pathlib.Path(self.root + WANTS)
        if command == "enable":
            folder.mkdir(exist_ok=True)
            if not (folder / unit).is_symlink():
                (folder / unit).symlink_to(UNITS + "/vllm@.service")
        else:
            (folder / unit).unlink(missing_ok=True)
            if folder.exists() and not list(folder.iterdir()):
                folder.rmdir()

    # -- for the tests ------------------------------------------------------------------------------------------------

    def running(self, unit):
        """{path: text} with which a unit was started, None where it does not run."""
        return self._memory()["running"].get(unit, {}).get("read")

    def crash(self, unit, again=True):
        """The process of a unit ends; systemd starts it again, or not."""
        kept = self._memory()
        self._stop(kept, unit)
        if again:
            self._start(kept, unit)
        else:
            kept["failed"].append(unit)
        self._remember(kept)


def host(root, read_only=False, **words):
    """The host below a root."""
    return Engines(str(root), read_only=read_only, **words)


def killed_before(count, root, action):
    """Run `action(host)` in a child that is killed before its change number `count`; False if it ended before that."""
    pid = os.fork()
    if pid == 0:
        left = [count]

        class Killed(Engines):
            """Dies before its count's change."""

            def _may_change(self, what):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                super()._may_change(what)
        try:
            action(Killed(str(root), read_only=False))
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def snapshot(root):
    """Everything below the root but what systemd remembers, and the numbers of processes."""
    return {path: what for path, what in plain_node.snapshot(root).items()
            if not path.startswith(("/run/stand-in", "/run/gpuwright"))}
