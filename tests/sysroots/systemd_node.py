# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as a folder whose systemd puts AllowedCPUs into control groups when it is told to reload.

A stand-in with the behaviour seen on systemd 252: a daemon-reload applies drop-ins to groups that exist; a slice exists
while it is started; a group without a set of its own has no cpuset.cpus. The lab's hosts have the real one.
"""

from __future__ import annotations

import errno
import os
import pathlib
import re
import shutil

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host

from tests.sysroots import plain_node
from tests.sysroots.plain_node import Kernel

GROUPS = "/sys/fs/cgroup"
UNITS = "/etc/systemd/system"


def build(folder, **changed):
    """The small two-node host, with cgroup v2 under systemd; `changed` as in plain_node."""
    root = plain_node.build(folder, **dict({
        GROUPS + "/cgroup.controllers": "cpuset cpu io memory hugetlb pids",
        GROUPS + "/system.slice/cgroup.events": "populated 1",
        GROUPS + "/user.slice/cgroup.events": "populated 1",
        GROUPS + "/init.scope/cgroup.events": "populated 1",
    }, **changed))
    for path in ("/run/systemd/system", UNITS):
        (root / path[1:]).mkdir(parents=True, exist_ok=True)
    return root


class Systemd(Kernel):
    """A host whose `systemctl` works; `asked` holds every command that was started, `fails` those that must fail."""

    runs_commands = True

    def __init__(self, root, read_only=True, fails=()):
        super().__init__(root, read_only=read_only)
        self.asked = []
        self.fails = fails

    def run(self, argv, seconds=10, changes=True):
        """Carry out systemctl's daemon-reload, start and stop; anything else is not installed."""
        if changes:
            self._may_change("running %s" % argv[0])
        self.asked.append(" ".join(argv))
        if self.asked[-1] in self.fails:
            return 1, "", "Failed: as the test wants it"
        if argv[:2] == ["systemctl", "daemon-reload"]:
            self._reload()
        elif argv[:2] == ["systemctl", "start"]:
            self._group(argv[2]).mkdir(exist_ok=True)
            if not (self._group(argv[2]) / "cgroup.events").exists():
                (self._group(argv[2]) / "cgroup.events").write_text("populated 0\n")
            self._reload()
        elif argv[:2] == ["systemctl", "stop"]:
            shutil.rmtree(self._group(argv[2]))
        elif argv[0] not in ("systemctl", "udevadm"):
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
        return 0, "", ""

    def _group(self, unit):
        return pathlib.Path(self.root + GROUPS) / unit

    def _reload(self):
        for group in pathlib.Path(self.root + GROUPS).iterdir():
            if group.is_dir():
                allowed = self._allowed(group.name)
                if allowed:
                    (group / "cpuset.cpus").write_text(allowed + "\n")
                    if not (group / "cpuset.cpus.partition").exists():
                        (group / "cpuset.cpus.partition").write_text("member\n")
                elif (group / "cpuset.cpus").exists():
                    (group / "cpuset.cpus").unlink()
                    (group / "cpuset.cpus.partition").unlink(missing_ok=True)

    def _allowed(self, unit):
        """What the drop-ins of a unit add up to; an empty assignment begins anew."""
        lines = []
        for place in sorted(pathlib.Path(self.root + UNITS, unit + ".d").glob("*.conf"), key=lambda one: one.name):
            for value in re.findall(r"^AllowedCPUs=(.*)$", place.read_text(), re.M):
                lines = lines + [value] if value else []
        return " ".join(lines)


def read_only(root):
    """The host opened for reading, which starts no command."""
    return Host(str(root), read_only=True)
