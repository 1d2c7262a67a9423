# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command: builds the image of real virtual hosts, brings named hosts up and down, says how to reach them."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import guest
import image
from console import LabError, NoLab, say, step

# The hosts of inventories/lab.
HOSTS = ["lab1", "lab2"]
NO_LAB_STATUS = 77

NAME_IT = "echo {0} > /etc/hostname; hostname {0}; printf '127.0.0.1 localhost {0}\\n::1 localhost\\n' > /etc/hosts"


def build(_args: argparse.Namespace) -> int:
    """The image, if it is not there yet."""
    sys.stdout.write(f"{guest.base()}\n")
    return 0


def possible(_args: argparse.Namespace) -> int:
    """Whether this machine can have virtual hosts; installs what they need."""
    image.tools()
    return 0


def up(args: argparse.Namespace) -> int:
    """Hosts that answer: fresh ones, unless their state is to be kept."""
    base = guest.base()
    folders = [guest.home() / name for name in args.names or HOSTS]
    guest.home().mkdir(parents=True, exist_ok=True)
    with image.locked(guest.home() / "lock", "starts or stops hosts"):
        for folder in folders:
            bring_up(folder, base, args)
        for folder in folders:
            with step(f"{folder.name} boots"):
                guest.wait(folder)
                guest.on(folder, NAME_IT.format(folder.name))
    return 0


def bring_up(folder: Path, base: Path, args: argparse.Namespace) -> None:
    """One host's process; one that runs goes on only where its state is to be kept."""
    if args.keep and guest.state(folder):
        return
    guest.stop(folder, now=True)
    if not (args.keep and (folder / "disk.qcow2").exists()):
        guest.create(folder, base)
    accelerator = (base / "accelerator").read_text()
    threads = " threads" if args.threads and accelerator == "tcg" else ""
    guest.start(folder, accelerator + threads, args.cpus, rail=args.rail)


def down(args: argparse.Namespace) -> int:
    """Ends the named hosts, or all."""
    for name in args.names or names():
        if guest.state(guest.home() / name):
            with step(f"{name} ends"):
                guest.stop(guest.home() / name, now=args.now)
    return 0


def names() -> list[str]:
    """The hosts that were ever brought up in this checkout."""
    return sorted(path.parent.name for path in guest.home().glob("*/uuid"))


def status(_args: argparse.Namespace) -> int:
    """One line a host."""
    for name in names():
        known = guest.state(guest.home() / name)
        words = f"runs, {known['accelerator']}, port {known['port']}, process {known['pid']}" if known else "down"
        sys.stdout.write(f"{name}: {words}\n")
    return 0


def ssh(args: argparse.Namespace) -> int:
    """A shell, or a command, on a host."""
    argv = guest.ssh(guest.home() / args.name, *args.command)
    os.execvp(argv[0], argv)


def inventory(_args: argparse.Namespace) -> int:
    """How to reach the hosts that run, by name, as JSON."""
    hosts = {name: guest.state(guest.home() / name) for name in names()}
    reach = {
        name: {"port": known["port"], "key": str(guest.home() / name / "key"), "options": " ".join(guest.SSH_OPTIONS)}
        for name, known in hosts.items() if known
    }
    sys.stdout.write(json.dumps(reach, indent=2) + "\n")
    return 0


def snapshot(args: argparse.Namespace) -> int:
    """Every kernel value and file of a host that a run could have touched, as JSON."""
    with Path(__file__).with_name("snapshot.py").open("rb") as script:
        return subprocess.run(guest.ssh(guest.home() / args.name, "python3", "-"), stdin=script, check=False).returncode


def site(_args: argparse.Namespace) -> int:
    """Fresh hosts of inventories/lab, and playbooks/site.yml for real on them."""
    checkout = guest.home().parents[1]
    outcome = up(argparse.Namespace(names=HOSTS, keep=False, cpus=guest.CPUS, rail=False, threads=False))
    playbook = ["ansible-playbook", "-i", str(checkout / "inventories/lab"), str(checkout / "playbooks/site.yml")]
    try:
        return outcome or subprocess.run(playbook, check=False).returncode
    except OSError as error:
        raise LabError(f"ansible-playbook: {error.strerror}; `make lab-site` brings one along") from error


def parser() -> argparse.ArgumentParser:
    """The command's words."""
    top = argparse.ArgumentParser(prog="lab", description=__doc__)
    verbs = top.add_subparsers(required=True, metavar="VERB")
    for verb in (possible, build, up, down, status, ssh, inventory, snapshot, site):
        verbs.add_parser(verb.__name__, help=verb.__doc__).set_defaults(verb=verb)
    verbs.choices["up"].add_argument("names", nargs="*", metavar="NAME")
    verbs.choices["up"].add_argument("--keep", action="store_true", help="go on with the host's disk as it was left")
    verbs.choices["up"].add_argument("--cpus", type=int, default=guest.CPUS, help="virtual CPUs, a multiple of 4")
    verbs.choices["up"].add_argument("--rail", action="store_true", help="a second NIC, eth1")
    verbs.choices["up"].add_argument("--threads", action="store_true",
                                     help="a thread for each CPU, as a benchmark wants it; one boot in fifty fails")
    verbs.choices["down"].add_argument("names", nargs="*", metavar="NAME")
    verbs.choices["down"].add_argument("--now", action="store_true", help="pull the plug: nothing of the host is kept")
    verbs.choices["ssh"].add_argument("name", metavar="NAME")
    verbs.choices["ssh"].add_argument("command", nargs=argparse.REMAINDER)
    verbs.choices["snapshot"].add_argument("name", metavar="NAME")
    return top


def main() -> int:
    """Runs one verb; 77 says that this machine cannot have a lab."""
    args = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        return args.verb(args)
    except NoLab as error:
        say(f"not possible here: {error}")
        return NO_LAB_STATUS
    except LabError as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
