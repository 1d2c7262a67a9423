# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as a folder with services that have limits, states and modules: what systemd, prlimit and modprobe do there.

A stand-in with the behaviour seen on systemd 252 and Linux 6.1: a limit in a drop-in counts from the next daemon-reload
on and for the next start only, a running process keeps what it has until prlimit gives it another, and nobody has more
open files than fs.nr_open.
"""

from __future__ import annotations

import errno
import os
import pathlib
import re
import shutil

from tests.sysroots import plain_node, systemd_node
from tests.sysroots.systemd_node import UNITS, Systemd

LIB = "/usr/lib/systemd/system/"
DOCKER, SLURMD = "docker.service", "slurmd.service"
PID = 700
INITRAMFS = """/boot/initrd
-rw-r--r--   1 root     root        57000 Jan  1  1970 usr/lib/modules/6.1.0-test/kernel/drivers/nvme/host/nvme.ko.xz
usr/lib/modules/6.1.0-test/kernel/net/ipv4/tcp_bbr.ko"""
WANTS = "multi-user.target.wants"
MODULES = "/lib/modules/6.1.0-test/"
LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max stack size            8388608              unlimited            bytes
Max open files            %s               %s               files
Max locked memory         8388608              8388608              bytes"""
_ROWS = {"NOFILE": "Max open files", "MEMLOCK": "Max locked memory", "STACK": "Max stack size"}
_DEFAULTS = {"LimitNOFILE": "1024:524288", "LimitMEMLOCK": "8388608", "LimitSTACK": "8388608:infinity"}


def build(folder, **changed):
    """The host: docker runs, slurmd does not. `changed` as in plain_node."""
    return systemd_node.build(folder, **dict({
        LIB + DOCKER: "[Service]\nExecStart=/usr/bin/dockerd",
        LIB + SLURMD: "[Service]\nExecStart=/usr/sbin/slurmd -D\nLimitMEMLOCK=infinity",
        "/sys/fs/cgroup/system.slice/%s/cgroup.procs" % DOCKER: "%d\n%d" % (PID, PID + 1),
        "/proc/%d/limits" % PID: LIMITS % ("1024", "524288"),
        "/proc/%d/limits" % (PID + 1): LIMITS % ("1024", "524288"),
        LIB + "systemd-logind.service": "[Service]\nExecStart=/usr/lib/systemd/systemd-logind",
        "/sys/fs/cgroup/system.slice/systemd-logind.service/cgroup.procs": "300",
        "/proc/sys/fs/nr_open": "1048576",
        "/proc/sys/kernel/osrelease": "6.1.0-test",
        MODULES + "modules.dep": "updates/dkms/nvidia-peermem.ko.zst: updates/dkms/nvidia.ko.zst\n"
                                 "updates/dkms/nvidia.ko.zst:\nkernel/net/ipv4/tcp_bbr.ko:",
        MODULES + "modules.builtin": "kernel/drivers/nvme/host/nvme-core.ko\nkernel/net/ipv4/tcp_cubic.ko",
    }, **changed))


def limits_of(root, pid=PID):
    """{row of /proc/PID/limits: (soft, hard)}."""
    text = (pathlib.Path(root) / "proc" / str(pid) / "limits").read_text()
    return {name: (soft, hard) for name, soft, hard in re.findall(r"^(Max [a-z ]+?)\s{2,}(\S+)\s+(\S+)", text, re.M)}


class Services(Systemd):
    """The host with its systemd and its kernel; `ended` are processes that are gone by the time they get a limit,
    `rejected` modules that do not load, with the kernel's word."""

    def __init__(self, root, read_only=True, ended=(), rejected=None, **words):
        super().__init__(root, read_only=read_only, **words)
        self.ended = ended
        self.rejected = rejected or {}
        self.initramfs = INITRAMFS
        self.loaded = {}
        self._load()
        self.login = self._logind()

    def run(self, argv, seconds=10, changes=True):
        """Answer `systemctl show` with what was loaded last; load and unload modules."""
        if argv[0] in ("modprobe", "rmmod"):
            self._may_change("running %s" % argv[0])
            self.asked.append(" ".join(argv))
            return self._module(*argv)
        if argv[:2] == ["systemctl", "show"]:
            asked, unit = argv[2].partition("=")[2].split(","), argv[3]
            return 0, "".join("%s=%s\n" % (name, self._shown(unit, name)) for name in asked), ""
        if argv[0] == "systemctl" and argv[1] in ("enable", "disable", "start", "stop", "reset-failed", "link"):
            self._may_change("running systemctl")
            self.asked.append(" ".join(argv))
            return (1, "", "Failed: as the test wants it") if self.asked[-1] in self.fails else self._unit(*argv[1:])
        if argv[0] in ("lsinitramfs", "lsinitrd", "update-initramfs", "dracut"):
            self.asked.append(" ".join(argv))
            failed = self.asked[-1] in self.fails
            return (1, "", "Failed: as the test wants it") if failed else (0, self.initramfs, "")
        if argv[0] == "busctl":
            return 0, "b %s\n" % ("true" if self.login == "yes" else "false"), ""
        result = super().run(argv, seconds, changes)
        if argv[1:3] == ["kill", "--signal=HUP"] and not result[0]:
            self.login = self._logind()
        if argv[:2] == ["systemctl", "daemon-reload"]:
            self._load()
        return result

    def _logind(self):
        """RemoveIPC as the files under /etc give it; yes is what is built in."""
        places = sorted(pathlib.Path(self.root).glob("etc/systemd/logind.conf.d/*.conf"))
        text = "".join(place.read_text() for place in places)
        return (re.findall(r"^RemoveIPC=(\w+)$", text, re.M) or ["yes"])[-1]

    def _module(self, command, module):
        folder = pathlib.Path(self.root) / "sys/module" / module.replace("-", "_")
        if module in self.rejected:
            return 1, "", "modprobe: ERROR: could not insert '%s': %s\n" % (module, self.rejected[module])
        if command == "modprobe":
            (folder / "holders").mkdir(parents=True)
            (folder / "initstate").write_text("live\n")
            (folder / "refcnt").write_text("0\n")
        else:
            shutil.rmtree(folder)
        return 0, "", ""

    def _unit(self, command, *words):
        unit = words[-1]
        folder = pathlib.Path(self.root + ("/run/systemd/system" if "--runtime" in words else UNITS)) / WANTS
        group = pathlib.Path(self.root) / "sys/fs/cgroup/system.slice" / unit
        if command == "enable":
            folder.mkdir(exist_ok=True)
            (folder / unit).symlink_to(LIB + unit)
        elif command == "disable":
            (folder / unit).unlink(missing_ok=True)
            if folder.exists() and not list(folder.iterdir()):
                folder.rmdir()
        elif command == "start":
            group.mkdir(parents=True)
            (group / "cgroup.procs").write_text("900\n")
        elif group.exists():
            shutil.rmtree(group)
        return 0, "", ""

    def _state(self, unit):
        """UnitFileState: static without an [Install], else by the links."""
        if "[Install]" not in (pathlib.Path(self.root + LIB) / unit).read_text():
            return "static"
        places = ((UNITS, "enabled"), ("/run/systemd/system", "enabled-runtime"))
        return next((word for folder, word in places
                     if (pathlib.Path(self.root + folder) / WANTS / unit).is_symlink()), "disabled")

    def _shown(self, unit, name):
        procs = pathlib.Path(self.root) / "sys/fs/cgroup/system.slice" / unit / "cgroup.procs"
        if name == "UnitFileState":
            return self._state(unit)
        if name == "ActiveState":
            return ("failed" if procs.exists() and not procs.read_text().strip() else
                    "active" if procs.exists() else "inactive")
        if name == "MainPID":
            return procs.read_text().split()[0] if procs.exists() else "0"
        soft, _colon, hard = self.loaded.get(unit, {}).get(name.replace("Soft", ""), "").partition(":")
        return soft if name.endswith("Soft") else hard or soft

    def _load(self):
        for place in pathlib.Path(self.root + LIB).glob("*.service"):
            values = dict(_DEFAULTS)
            drop_ins = pathlib.Path(self.root + UNITS, place.name + ".d").glob("*.conf")
            for path in [place] + sorted(drop_ins, key=lambda one: one.name):
                values.update(re.findall(r"^(Limit[A-Z]+)=(.+)$", path.read_text(), re.M))
            self.loaded[place.name] = values

    def set_limit(self, pid, name, pair):
        """Change a row of /proc/PID/limits as prlimit does."""
        self._may_change("setting a limit")
        if pid in self.ended:
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        if name == "NOFILE" and pair[1] > int(self.read("/proc/sys/fs/nr_open")):
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        place = pathlib.Path(self.root) / "proc" / str(pid) / "limits"
        words = ["unlimited" if limit == float("inf") else str(limit) for limit in pair]
        place.write_text(re.sub(r"(%s\s{2,})(\S+)(\s+)(\S+)" % _ROWS[name],
                                lambda row: row.group(1) + words[0].ljust(len(row.group(2) + row.group(3)) - 1) + " "
                                + words[1], place.read_text()))


def snapshot(root):
    """Everything below the root, the rows of limits without their spaces."""
    found = plain_node.snapshot(root)
    return {name: limits_of(root, name.split("/")[2]) if re.match(r"/proc/\d+/limits", name) else value
            for name, value in found.items()}
