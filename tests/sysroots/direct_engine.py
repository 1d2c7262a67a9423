# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine started as the role's units start it, on a machine without systemd, too: this very one.

Real are the program, its configuration, command line, environment and limits as the role renders them, and the
machine's own /proc. Stand-ins are systemd's answers on the unit, its control group and its journal.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shlex
import signal
import subprocess
import time

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance import instance
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing import deployment, node
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.rendered import secret_files
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import http, processes, verify

from tests.sysroots.held_port import held_port

SECONDS = 1800
_CGROUP = "/sys/fs/cgroup"
_LIMIT = re.compile(r"^Limit(\w+)=(\S+)", re.M)
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def asked(name, model, engine, **given):
    """An instance in normal form, as a person's few words become one; `engine` is the folder of an environment."""
    words = {"name": name, "model": str(model), "served_name": name, "listen": "127.0.0.1", "port": held_port(),
             "gpus": 0, "engine": {"kind": "existing", "path": str(engine)}, **given}
    words["arguments"] = {"max-model-len": 256, "enforce-eager": True, **given.get("arguments", {})}
    words["environment"] = {"VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1",
                            **given.get("environment", {})}
    return instance.check(words)


def composed(one, known, secrets=None):
    """The deployment of an instance on this very machine."""
    here = node.look(Host("/"), [one])
    return deployment.compose(one, dict(here, schemas={one["name"]: (known, "0.32.0", "its own help")}), secrets)


class Direct(Host):
    """This machine, with one engine that is no unit: what systemd and its journal would say of it is made up here."""

    def __init__(self, made, folder, secrets=None):
        super().__init__("/")
        self.made = made
        self.secrets = list((secrets or {}).values())
        self.key = (secrets or {}).get("api_key")
        self.log = folder / (made["name"] + ".log")
        self.group = "/%s/%s" % (made["placed"]["slice"], made["unit"])
        self.began = time.monotonic()
        words = [word.replace("/etc/vllm/", "%s/" % folder) for word in made["command"]]
        self.made = dict(made, command=words)
        for path, file in made["files"].items():
            if path.startswith("/etc/vllm/"):
                (folder / path.rpartition("/")[2]).write_text(file["text"])
        with self.log.open("w") as stream:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, cwd=folder,
                env=self.variables(folder), start_new_session=True, preexec_fn=self.limit)

    def variables(self, folder):
        """What systemd would give the engine: of the drop-in and of the files that it names, the secret one too."""
        found = secret_files.caches("%s/cache" % folder, str(folder))
        for path, file in sorted(self.made["files"].items()):
            lines = file["text"].split("\n")
            if path.endswith(".env"):
                pairs = [shlex.split(line)[0] for line in lines if "=" in line and not line.startswith("#")]
            else:
                told = [line.partition("=")[2] for line in lines if line.startswith("Environment=")]
                pairs = [shlex.split(line)[0] for line in told] if path.endswith("gpuwright.conf") else []
            found.update(pair.split("=", 1) for pair in pairs)
        return found

    def limit(self):
        """The unit's limits, of which an unprivileged container may refuse some: self.refused_here() says which."""
        for name, value in self.limits():
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))

    def limits(self):
        """[(name, value)] of the unit."""
        for text in [file["text"] for path, file in self.made["files"].items() if "/systemd/" in path]:
            for name, word in _LIMIT.findall(text):
                yield name, resource.RLIM_INFINITY if word == "infinity" else (
                    int(word[:-1]) * _UNITS[word[-1]] if word[-1] in _UNITS else int(word))

    def refused_here(self):
        """The limits that this machine let nobody raise, as verify names them."""
        found = processes.limits(Host("/"), self.process.pid) or {}
        wanted = {name.lower(): float("inf") if value == resource.RLIM_INFINITY else value
                  for name, value in self.limits()}
        return {name for name, pair in found.items() if pair[0] < wanted.get(name, 0)}

    def run(self, argv, seconds=10, changes=True):
        """systemctl and journalctl on the engine; the machine's own answer else."""
        if argv[0] == "journalctl":
            return 0, self.log.read_text(), ""
        if argv[0] != "systemctl":
            return super().run(argv, seconds, changes)
        status = self.process.poll()
        state = ("active", "running", "success") if status is None else ("failed", "failed", "exit-code")
        return 0, ("LoadState=loaded\nActiveState=%s\nSubState=%s\nResult=%s\nNRestarts=0\nExecMainStatus=%d\n"
                   "MainPID=%d\nControlGroup=%s\nNeedDaemonReload=no\n" % (
                       *state, status or 0, self.process.pid, self.group)), ""

    def exists(self, path):
        """Its control group is there, too."""
        return path == _CGROUP + self.group + "/cgroup.procs" or super().exists(path)

    def read(self, path):
        """The processes of its control group are those that it started."""
        if path != _CGROUP + self.group + "/cgroup.procs":
            return super().read(path)
        told = {int(name): processes.tell(self, int(name)) for name in self.names("/proc") if name.isdigit()}
        found, more = [], [self.process.pid]
        while more:  # A child may have a lower number than its parent: they begin anew after the highest.
            found += more
            more = [pid for pid, one in told.items() if one and one["parent"] in more]
        return "\n".join(map(str, sorted(found)))

    def look(self, **changed):
        """One look; `changed` is what of the deployment is to be wanted otherwise."""
        made = dict(self.made, **changed)
        return verify.look(self, made, http.asker(http.where(made["instance"]), self.key), self.secrets)

    def settled(self):
        """The look after which there is nothing to wait for."""
        while True:
            found = self.look()
            if found["ok"] is not None:
                return dict(found, seconds=round(time.monotonic() - self.began, 1))
            assert time.monotonic() - self.began < SECONDS, (found, self.log.read_text()[-3000:])
            time.sleep(0.3)

    def workers(self):
        """The numbers of its workers."""
        return [worker["pid"] for worker in self.look()["facts"]["workers"]]

    def end(self):
        """All of it ends, whatever state it is in."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextlib.contextmanager
def started(folder, *deployments, secrets=None):
    """Engines that start at the same time and end together."""
    engines = []
    try:
        for made in deployments:
            (folder / made["name"]).mkdir(exist_ok=True)
            engines.append(Direct(made, folder / made["name"], (secrets or {}).get(made["name"])))
        yield engines
    finally:
        for engine in engines:
            engine.end()
