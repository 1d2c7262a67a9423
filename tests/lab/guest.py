# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual host as a process: start, wait until it answers, stop; only processes started here are ever ended."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import image
import machine
from console import LabError, run, say, tail

# Generous: a host boots in half a minute on idle cores, and cores of a build farm can be far slower.
BOOT_LIMIT = 1200
STOP_LIMIT = 300
CPUS = 4

SSH_OPTIONS = [
    "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
    "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=60",
    "-o", "ServerAliveInterval=30", "-o", "ServerAliveCountMax=20",
]


def home() -> Path:
    """The folder of this checkout's hosts."""
    return Path(__file__).resolve().parents[2] / ".cache" / "lab"


def state(folder: Path) -> dict[str, object]:
    """What is known of a host; empty where it does not run (a state left by a dead process counts as none)."""
    try:
        known = json.loads((folder / "state.json").read_text())
    except (OSError, ValueError):
        return {}
    return known if started(known["pid"]) == known["started"] else {}


def started(pid: int) -> str | None:
    """When a QEMU process began, in the kernel's ticks: with the number, the identity of a process."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if words[0] in "ZX" else words[19]


def create(folder: Path, base: Path) -> None:
    """A fresh host: an empty layer over the base image, empty NVMe drives, an identity, the key to get in."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = folder / "qemu.log"
    layer = ["qemu-img", "create", "-q", "-f", "qcow2"]
    run([*layer, "-F", "raw", "-b", str(base / "base.raw"), str(folder / "disk.qcow2")], log, limit=60)
    for node in range(machine.NODES):
        run([*layer, str(folder / f"nvme{node}.qcow2"), "1G"], log, limit=60)
    shutil.copy(base / "key", folder / "key")
    (folder / "uuid").write_text(str(uuid.uuid4()))


def start(folder: Path, accelerator: str, cpus: int = CPUS, *, rail: bool = False) -> None:
    """Starts the host's process; it goes on after the command ends."""
    port = free_port()
    argv = machine.arguments(accelerator, cpus, (folder / "uuid").read_text(), port, rail=rail)
    with (folder / "qemu.log").open("ab") as log:
        process = subprocess.Popen(
            argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    known = {"pid": process.pid, "started": started(process.pid), "port": port, "accelerator": accelerator}
    (folder / "state.json").write_text(json.dumps(known))


def free_port() -> int:
    """A port of the loopback address that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ssh(folder: Path, *command: str) -> list[str]:
    """The command line that runs a command on the host."""
    port = state(folder).get("port")
    if port is None:
        raise LabError(f"{folder.name} does not run; `tests/lab/lab up {folder.name}` starts it")
    return ["ssh", *SSH_OPTIONS, "-i", str(folder / "key"), "-p", str(port), "root@127.0.0.1", *command]


def on(folder: Path, command: str, limit: int = BOOT_LIMIT) -> None:
    """Runs a command on the host to its end."""
    run(ssh(folder, command), folder / "qemu.log", limit=limit)


def wait(folder: Path, limit: int = BOOT_LIMIT) -> None:
    """Waits until the host answers and systemd has started everything; names what failed."""
    end = time.monotonic() + limit
    until(lambda: greets(folder), end, folder, "a greeting of sshd")
    argv = ssh(folder, "systemctl is-system-running --wait; systemctl --failed --plain --no-legend")
    answer: list[str] = []

    def settled() -> bool:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit, check=False)
        answer[:] = done.stdout.split("\n", 1)
        return done.returncode == 0

    until(settled, end, folder, "an answer over ssh")
    if answer[0] != "running":
        raise LabError(f"{folder.name} is {answer[0]}: {answer[1]}")


def greets(folder: Path) -> bool:
    """Whether sshd says its first line (the port itself is QEMU's and always open)."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(state(folder)["port"])), 30) as link:
        link.settimeout(30)
        return link.recv(4) == b"SSH-"
    return False


def until(done: Callable[[], bool], end: float, folder: Path, what: str) -> None:
    """Asks again until it is so, the process ended or the limit came."""
    while True:
        if not state(folder):
            said = f"{tail(folder / 'qemu.log', 5)}\n{tail(folder / 'serial.log')}"
            raise LabError(f"{folder.name} ended before {what}:\n{said}")
        if done():
            return
        if time.monotonic() > end:
            raise LabError(f"{folder.name}: no {what} within the limit; its console:\n{tail(folder / 'serial.log')}")
        time.sleep(1)


def stop(folder: Path, *, now: bool = False) -> None:
    """Ends the host: its power button, and its plug where that does not help or nothing need be kept."""
    known = state(folder)
    if not known:
        return
    monitor(folder, "quit" if now else "system_powerdown")
    if not gone(known, STOP_LIMIT):
        say(f"{folder.name} does not end by itself, ending process {known['pid']}")
        os.kill(int(known["pid"]), 9)
        gone(known, STOP_LIMIT)
    (folder / "state.json").unlink(missing_ok=True)


def gone(known: dict[str, object], limit: int) -> bool:
    """Waits until a process has ended."""
    end = time.monotonic() + limit
    while started(known["pid"]) == known["started"]:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(int(known["pid"]), os.WNOHANG)
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def monitor(folder: Path, command: str, **arguments: object) -> object:
    """One command to QEMU and its answer, None for an error.

    The socket is named through the open folder, for its name must be short.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    answer: dict[str, object] = {}
    try:
        with contextlib.suppress(ConnectionError, FileNotFoundError), socket.socket(socket.AF_UNIX) as link:
            link.settimeout(60)
            link.connect(f"/proc/self/fd/{handle}/monitor")
            lines = link.makefile("rb")
            lines.readline()
            for words in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                link.sendall(json.dumps(words).encode() + b"\n")
                # What QEMU tells unasked may come in between.
                answer = next((said for said in map(json.loads, lines) if "return" in said or "error" in said), {})
    finally:
        os.close(handle)
    return answer.get("return")


def cpu_threads(folder: Path) -> dict[int, int]:
    """The thread of this machine that is each CPU of the host."""
    return {cpu["cpu-index"]: cpu["thread-id"] for cpu in monitor(folder, "query-cpus-fast")}


def first_boot(work: Path, settle: str) -> None:
    """The base image's own first boot, in which it is brought to its final shape."""
    folder = work / "first"
    create(folder, work)
    (work / "accelerator").write_text(machine.probe(work / "vmlinuz"))
    start(folder, (work / "accelerator").read_text())
    try:
        wait(folder)
        on(folder, settle)
        stop(folder)
        run(["qemu-img", "commit", "-q", str(folder / "disk.qcow2")], folder / "qemu.log", limit=600)
    finally:
        stop(folder, now=True)
    shutil.rmtree(folder)


def base() -> Path:
    """The base image's folder, built if need be."""
    return image.ready(first_boot)
