# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in of nccl-tests, mpirun and srun: the forms of their real output, no GPU, and faults that are planted.

`install(folder, world)` writes the programs all_reduce_perf and so on, mpirun and srun into a folder; started, they do
what `world` says: {"peak": {"one": GB/s inside a host, "many": between hosts}, "hosts": {host: {"peak": GB/s}}, "net":
"IB/GDRDMA", "IB" or "Socket", "fault": one of FAULTS, "started": a file that gets a line for each rank that starts}.
A rank knows its host by the launcher, or by the variable NODE where there is none.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys

OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "alltoall", "sendrecv")
FAULTS = {
    "wrong": "values arrive that are not those that were sent",
    "hang": "the ranks stop in the middle of the table",
    "crash": "a rank dies after the first rows",
    "truncated": "the launcher ends well without a footer",
    "no_mpi": "the program was built without MPI: every rank runs alone",
    "tree": "NCCL_ALGO=allreduce:tree doubles the bandwidth of small messages"}

_PROGRAM = r'''#!%(python)s -SE
import json, os, sys, time
world = json.load(open(%(world)r))
operation = os.path.basename(sys.argv[0]).rsplit("_perf")[0]
flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
rank = int(os.environ.get("OMPI_COMM_WORLD_RANK") or os.environ.get("SLURM_PROCID") or 0)
hosts = (os.environ.get("STANDIN_HOSTS") or os.environ.get("NODE") or "localhost").split(",")
launched = "STANDIN_HOSTS" in os.environ
ranks = int(os.environ.get("OMPI_COMM_WORLD_SIZE") or os.environ.get("SLURM_NTASKS") or flags["-g"])
fault = world.get("fault")
alone = launched and fault == "no_mpi"
with open(world["started"], "a") as log:
    log.write("%%s %%d %%s %%d\n" %% (operation, rank, hosts[rank * len(hosts) // ranks], os.getpid()))
if rank and not alone:
    if fault == "hang":
        time.sleep(600)
    sys.exit(0)

def bytes_of(text):
    return int(float(text.rstrip("KMG")) * {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1], 1))

def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

if alone:
    hosts, ranks = [hosts[rank * len(hosts) // ranks]], 1
each = ranks // len(hosts)
begin, end, factor = bytes_of(flags["-b"]), bytes_of(flags["-e"]), int(flags["-f"])
say("# nccl-tests version 2.17.9 nccl-headers=22903 nccl-library=22903")
say("# Collective test starting: %%s_perf" %% operation)
say("# nThread 1 nGpus %%s minBytes %%d maxBytes %%d step: %%d(factor) warmup iters: %%s iters: %%s agg iters: 1 "
    "validation: %%s graph: 0" %% (flags["-g"], begin, end, factor, flags["-w"], flags["-n"], flags["-c"]))
say("#\n# Using devices")
for number in range(ranks):
    say("#  Rank %%2d Group  0 Pid %%6d on %%s device %%2d [0000:%%02x:00] NVIDIA H100 80GB HBM3" %% (
        number, os.getpid(), hosts[number // each], number %% each, 0x19 + number %% each))
if os.environ.get("NCCL_DEBUG") == "INFO":
    head = "%%s:%%d:%%d [0] NCCL INFO " %% (hosts[0], os.getpid(), os.getpid() + 9)
    for name in sorted(name for name in os.environ if name.startswith("NCCL_")):
        say(head + "%%s set by environment to %%s" %% (name, os.environ[name]))
    if ranks > 1:
        say(head + "Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM")
    if len(hosts) > 1 and world["net"] == "Socket":
        say(head + "NET/IB : No device found.")
        say(head + "NET/Socket : Using [0]eth0:10.0.0.1<0>")
        say(head + "Using network Socket")
        say(head + "Channel 00/0 : %%d[%%d] -> %%d[0] [send] via NET/Socket/0" %% (each - 1, each - 1, each))
    elif len(hosts) > 1:
        say(head + "NET/IB : Using [0]mlx5_0:1/IB [RO]; OOB eth0:10.0.0.1<0>")
        say(head + "Using network IB")
        say(head + "Channel 00/0 : %%d[%%d] -> %%d[0] [send] via NET/%%s" %% (
            each - 1, each - 1, each, world["net"].replace("IB", "IB/0")))
say("NCCL version 2.29.3+cuda13.1\n#")
say("#                                                              out-of-place                       in-place")
say("#       size         count      type   redop    root     time   algbw   busbw  #wrong     time   algbw   busbw  "
    "#wrong")
say("#        (B)    (elements)                               (us)  (GB/s)  (GB/s)             (us)  (GB/s)  (GB/s)")
peaks = [world["hosts"].get(host, {}).get("peak", 1e9) for host in hosts]
peak = min(peaks + [world["peak"]["many" if len(hosts) > 1 else "one"]])
busfactor = {"all_reduce": 2, "sendrecv": 0}.get(operation, 1) * (ranks - 1) / ranks or 1
size, row, total = begin, 0, []
while size <= end:
    busbw = peak * size / (size + (8 << 20)) if ranks > 1 else 0.0
    if fault == "tree" and os.environ.get("NCCL_ALGO") == "allreduce:tree" and size <= 1 << 20:
        busbw *= 2
    algbw = busbw / busfactor if busbw else 900.0
    wrong = "3" if fault == "wrong" and size >= 1 << 20 else "0" if flags["-c"] == "1" else "N/A"
    group = "%%8.2f %%7.2f %%7.2f %%7s" %% (size / algbw / 1e3, algbw, busbw, wrong)
    last = "%%8.2f %%7.2f %%7.2f %%7s" %% (0, 0, 0, "N/A") if operation in ("alltoall", "sendrecv") else group
    say("%%12d  %%12d     float  %%6s      -1 %%s %%s" %% (
        size, size // 4, "sum" if "reduce" in operation else "none", group, last))
    total.append(busbw)
    row, size = row + 1, size * factor
    if row == 3 and fault == "hang" and not alone:
        time.sleep(600)
    if row == 3 and fault == "crash":
        say("%%s: Test NCCL failure common.cu:1014 'unhandled cuda error / 2.29.3'" %% hosts[0])
        sys.exit(3)
    if row == 3 and fault == "truncated":
        sys.exit(0)
say("# Out of bounds values : %%s" %% ("9 FAILED" if fault == "wrong" else "0 OK"))
say("# Avg bus bandwidth    : %%g\n#" %% (sum(total) / len(total)))
say("# Collective test concluded: %%s_perf" %% operation)
sys.exit(1 if fault == "wrong" else 0)
'''

# Both start a real process for each rank, and pass a signal on.
_LAUNCHER = r'''#!%(python)s -SE
import os, signal, subprocess, sys
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
options, hosts, size = {}, [], 0
while words and words[0].startswith("-"):
    word = words.pop(0)
    if "=" in word:
        key, value = word.split("=", 1)
        options[key] = value
    elif word in ("--allow-run-as-root",):
        pass
    else:
        value = words.pop(0)
        options.setdefault(word, []).append(value)
        if word == "--mca":
            words.pop(0)
if name == "mpirun":
    if os.geteuid() == 0 and "--allow-run-as-root" not in sys.argv:
        sys.exit("mpirun has detected an attempt to run as root.")
    hosts = [line.split()[0] for line in open(options["--hostfile"][0])]
    size, variables = int(options["-np"][0]), ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE")
    environment = {key: os.environ[key] for key in ["PATH"] + options.get("-x", []) if key in os.environ}
else:
    hosts = options["--nodelist"].split(",")
    size, variables, environment = int(options["--ntasks"]), ("SLURM_PROCID", "SLURM_NTASKS"), dict(os.environ)
ranks = [subprocess.Popen(words, env=dict(environment, STANDIN_HOSTS=",".join(hosts), **{
    variables[0]: str(rank), variables[1]: str(size)}), preexec_fn=os.setpgrp) for rank in range(size)]

def passed_on(number, _frame):
    for rank in ranks:
        rank.send_signal(number)

signal.signal(signal.SIGTERM, passed_on)
bad = [status for status in [rank.wait() for rank in ranks] if status]
if bad:
    print("%%s: a process exited on signal or with status %%d" %% (name, bad[0]))
sys.exit(abs(bad[0]) if bad else 0)
'''


def install(folder, world):
    """Write the programs and the world that they live in; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    put(folder, world)
    words = {"python": os.path.realpath(sys.executable), "world": str(folder / "world.json")}
    programs = {operation + "_perf": _PROGRAM for operation in OPERATIONS}
    for name, text in dict(programs, mpirun=_LAUNCHER, srun=_LAUNCHER).items():
        (folder / name).write_text(text % words)
        (folder / name).chmod(0o755)
    return folder


def put(folder, world):
    """Change what the programs do from now on."""
    whole = {"peak": {"one": 400.0, "many": 90.0}, "hosts": {}, "net": "IB/GDRDMA", "started": str(folder / "started")}
    (folder / "world.json").write_text(json.dumps(dict(whole, **world)))


def started(folder):
    """The lines of the ranks that were started: operation, rank, host, process."""
    path = folder / "started"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def alive(folder):
    """The processes of the ranks that run still: a dead one has no command, and its number may be another's by now."""
    found = []
    for _operation, _rank, _host, pid in started(folder):
        with contextlib.suppress(OSError):
            with open("/proc/%s/cmdline" % pid, "rb") as stream:
                if os.fsencode(str(folder)) in stream.read():
                    found.append(int(pid))
    return found
