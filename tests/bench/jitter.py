# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pinned loop under load, with the load held to the housekeeping CPUs and without, in turns: here, and in the lab."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from measure import CHECKOUT, command

sys.path.insert(0, str(CHECKOUT / "tests" / "lab"))

import guest

LAB = CHECKOUT / "tests" / "lab" / "lab"
HOST = "jitter"
CPUS = 8
ROUNDS = 3
ROUNDS_IN_LAB = 2
SECONDS = 4
LOOP = "/usr/local/bin/jitter"
IN_SLICE = "systemd-run -q --pipe --wait --slice=gpuwright.slice " + LOOP
SLICES = {"cpu_isolation_mode": "slices", "cpu_isolation_housekeeping_cores_per_node": 1,
          "cpu_isolation_watch_seconds": 0}

# More busy processes than CPUs, half of them starting short commands as agents do: without slices some of it has to run
# where the loop does.
BUSY = CPUS + 2
LOAD = """[Service]
ExecStart=/bin/sh -c 'for n in %s; do while :; do :; done & while :; do /bin/true; done & done; wait'
""" % " ".join(str(number) for number in range(BUSY // 2))


# -- What a run of the loop says ---------------------------------------------------------------------------------------


def parsed(text):
    """One run: nanoseconds of each piece of work, and the scheduler's own figures."""
    first, *pieces = text.split("\n")
    passed, waited, switches = (int(word) for word in first.split())
    return {"pieces": [int(piece) for piece in pieces if piece], "passed": passed, "waited": waited,
            "switches": switches}


def pooled(runs):
    """All runs of one kind as one: milliseconds at p50, p99 and the most; switches and waiting for each second."""
    pieces = sorted(piece for run in runs for piece in run["pieces"])
    passed = sum(run["passed"] for run in runs) / 1e9
    return {
        "p50 ms": pieces[len(pieces) // 2] / 1e6, "p99 ms": pieces[len(pieces) * 99 // 100] / 1e6,
        "max ms": pieces[-1] / 1e6, "pushed off/s": sum(run["switches"] for run in runs) / passed,
        "waiting %": sum(run["waited"] for run in runs) / passed / 1e7}


def show(what, runs):
    """A table: each kind of run, and the ratio of what the load does where it may run anywhere and where it may not."""
    alone, without, held = (pooled(runs[kind]) for kind in ("alone", "without", "held"))
    rows = (("no load of ours", alone), ("load may run anywhere", without), ("load on housekeeping CPUs", held))
    ratios = ["%13.2f" % (value / held[name]) if held[name] else "%13s" % "-" for name, value in without.items()]
    sys.stdout.write("%s\n  %-26s%s\n" % (what, "", "".join("%13s" % name for name in without)))
    for name, figures in rows:
        sys.stdout.write("  %-26s%s\n" % (name, "".join("%13.3f" % value for value in figures.values())))
    sys.stdout.write("  %-26s%s\n" % ("ratio of the last two", "".join(ratios)))
    sys.stdout.flush()


# -- On this machine ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def busy(cpus, number):
    """Busy processes that may run on these CPUs."""
    processes = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _number in range(number)]
    try:
        for process in processes:
            os.sched_setaffinity(process.pid, cpus)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def here(loop):
    """The last CPU for the loop, the others for the load or all of them."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        sys.stdout.write("jitter: this machine has one CPU, nothing to divide; the lab only\n")
        return
    mine, others, load = cpus[-1], set(cpus[:-1]), 2 * len(cpus)
    piece = command([loop, mine, 0, 0]).strip()
    runs = {"alone": [], "without": [], "held": []}
    for _round in range(ROUNDS):
        for kind, allowed, number in (("alone", others, 0), ("without", set(cpus), load), ("held", others, load)):
            with busy(allowed, number):
                runs[kind].append(parsed(command([loop, mine, piece, SECONDS])))
    show("this machine, %d CPUs: a loop of 1 ms pieces pinned to CPU %d, %d busy processes\n"
         "(held by their affinity in place of a slice's set: the same mask for the scheduler; what else runs here "
         "disturbs all)" % (len(cpus), mine, load), runs)


# -- On a host of the lab ----------------------------------------------------------------------------------------------


def on(words, **options):
    """What a command on the host prints."""
    argv = [LAB, "ssh", HOST, words]
    return subprocess.run([str(word) for word in argv], check=True, capture_output=True, **options).stdout.decode()


def up(folder):
    """A fresh host of one inference node, for Ansible."""
    if subprocess.run([str(LAB), "up", HOST, "--cpus", str(CPUS), "--threads"], check=False).returncode:
        sys.exit("jitter: needs a host of the lab, and there is none")
    reach = json.loads(command([LAB, "inventory"]))[HOST]
    (folder / "hosts.json").write_text(json.dumps({"inference": {"hosts": {HOST: {
        "ansible_host": "127.0.0.1", "ansible_port": reach["port"], "ansible_user": "root",
        "ansible_ssh_private_key_file": reach["key"], "ansible_ssh_common_args": reach["options"],
        "ansible_python_interpreter": "/usr/bin/python3"}}}}))


def play(folder, name, *options):
    """A playbook of the collection."""
    command(["ansible-playbook", "-i", folder / "hosts.json", "-e", "gpuwright_report_dir=%s" % (folder / "report"),
             *options, CHECKOUT / "playbooks" / (name + ".yml")])


def apart(cpu):
    """Gives one CPU of the host a CPU of this machine, the others the rest; None gives all of them all."""
    cpus = sorted(os.sched_getaffinity(0))
    for number, thread in guest.cpu_threads(guest.home() / HOST).items():
        alone, rest = {cpus[-1]}, set(cpus[:-1]) or set(cpus)
        os.sched_setaffinity(thread, set(cpus) if cpu is None else alone if number == cpu else rest)


def measured(cpu, piece, load="load"):
    """One run in the workload's slice while the service is busy; this machine's CPUs are divided only meanwhile."""
    apart(cpu)
    text = on("systemctl start %s; %s %s %s %s; systemctl stop load" % (load, IN_SLICE, cpu, piece, SECONDS))
    apart(None)
    return parsed(text)


def lab(loop, folder):
    """site.yml and rollback.yml in turns, the loop under load after each."""
    up(folder)
    on("cat > %s; chmod 755 %s" % (LOOP, LOOP), input=loop.read_bytes())
    on("cat > /run/systemd/system/load.service; systemctl daemon-reload", input=LOAD.encode())
    runs = {"alone": [], "without": [], "held": []}
    for number in range(ROUNDS_IN_LAB):
        play(folder, "site", "--tags", "cpu_isolation", "-e", json.dumps(SLICES))
        if number == 0:
            system, mine = (on("cat /sys/fs/cgroup/%s.slice/cpuset.cpus.effective" % name).strip()
                            for name in ("system", "gpuwright"))
            cpu = int(mine.replace("-", ",").split(",")[-1])
            piece = on("%s %d 0 0" % (IN_SLICE, cpu)).strip()
        runs["alone"].append(measured(cpu, piece, load="basic.target"))
        runs["held"].append(measured(cpu, piece))
        play(folder, "rollback")
        runs["without"].append(measured(cpu, piece))
    show("lab host, %d virtual CPUs (%s): a loop of 1 ms pieces pinned to CPU %d in gpuwright.slice, %d busy processes "
         "of a service\n(role cpu_isolation in mode slices, which holds system services to CPU %s, and "
         "rollback.yml in turns.\nEmulation and neighbours make times coarse; the last two columns are the host's own "
         "scheduler's)" % (CPUS, guest.state(guest.home() / HOST)["accelerator"], cpu, BUSY, system),
         runs)


def main():
    """Compile, measure here, measure in the lab."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # The host ends with us.
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try:
            command(["cc", "-O2", "-static", "-o", folder / "jitter", pathlib.Path(__file__).with_suffix(".c")])
        except FileNotFoundError:
            sys.exit("jitter: needs a C compiler (apt-get install gcc libc6-dev)")
        load, cpus = os.getloadavg()[0], len(os.sched_getaffinity(0))
        if load > cpus / 2:
            sys.stdout.write("jitter: others are at work on this machine (load average %.1f, %d CPUs) and disturb the "
                             "loop too: the figures below say little\n" % (load, cpus))
        here(folder / "jitter")
        try:
            lab(folder / "jitter", folder)
        finally:
            subprocess.run([str(LAB), "down", HOST, "--now"], check=False)


main()
