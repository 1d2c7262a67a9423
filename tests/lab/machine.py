# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's arguments for a host with two NUMA nodes, SMT siblings and an NVMe drive on each node."""

from __future__ import annotations

import selectors
import subprocess
import time
from pathlib import Path

NODES = 2
NODE_MB = 1024
KVM_PROBE_LIMIT = 20
REMOTE_DISTANCE = 21

# SMT siblings show only with an Intel model.
CPU = "max,-la57,-svm,vendor=GenuineIntel,family=6,model=85,stepping=4"
BOARD = "q35,smm=off,hpet=off,vmport=off,sata=off,smbus=off,i8042=off"
QEMU = [
    "/usr/bin/qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-machine", BOARD,
]
# A second NIC, eth1, which nobody reaches the host by.
RAIL = ["-netdev", "user,id=rail,restrict=on",
        "-device", "virtio-net-pci,bus=pcie.0,netdev=rail,mac=52:54:00:12:34:57,romfile="]
# One thread for all CPUs of a host: with one each, QEMU 7.2 loses the race when the kernel patches its own code, and a
# boot in fifty runs into a breakpoint that is long gone and never gets out. A quarter slower, and each comes up.
ACCELERATORS = {"kvm": "kvm", "tcg": "tcg,thread=single,tb-size=512", "tcg threads": "tcg,thread=multi,tb-size=512"}


def arguments(accelerator: str, cpus: int, uuid: str, port: int, *, rail: bool = False) -> list[str]:
    """The whole command line; files are named relative to the host's folder."""
    return [
        *QEMU, "-accel", ACCELERATORS[accelerator], "-cpu", CPU, "-m", str(NODES * NODE_MB), "-uuid", uuid,
        *numa(cpus), *nvme(),
        "-drive", "if=none,id=disk,file=disk.qcow2,format=qcow2,cache=unsafe,discard=unmap",
        "-device", "virtio-blk-pci,bus=pcie.0,drive=disk,bootindex=0",
        "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22",
        "-device", "virtio-net-pci,bus=pcie.0,netdev=net,romfile=",
        *(RAIL if rail else []),
        "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,bus=pcie.0,rng=rng",
        "-serial", "file:serial.log", "-qmp", "unix:monitor,server=on,wait=off",
    ]


def numa(cpus: int) -> list[str]:
    """Sockets, nodes, their memory and the distance between them."""
    each = cpus // NODES
    argv = ["-smp", f"{cpus},sockets={NODES},cores={each // 2},threads=2"]
    for node in range(NODES):
        argv += [
            "-object", f"memory-backend-ram,id=memory{node},size={NODE_MB}M",
            "-numa", f"node,nodeid={node},cpus={node * each}-{node * each + each - 1},memdev=memory{node}",
        ]
    return [*argv, "-numa", f"dist,src=0,dst=1,val={REMOTE_DISTANCE}"]


def nvme() -> list[str]:
    """A PCIe root complex of its own for each node, with an NVMe drive below it."""
    argv = []
    for node in range(NODES):
        argv += [
            "-device", f"pxb-pcie,id=complex{node},bus_nr={64 * (node + 1)},numa_node={node},bus=pcie.0",
            "-device", f"pcie-root-port,id=port{node},bus=complex{node},chassis={node + 1},slot={node + 1}",
            "-drive", f"if=none,id=drive{node},file=nvme{node}.qcow2,format=qcow2,cache=unsafe,discard=unmap",
            "-device", f"nvme,id=nvme{node},drive=drive{node},serial=LAB{node},bus=port{node}",
        ]
    return argv


def probe(kernel: Path) -> str:
    """Which accelerator works here: /dev/kvm may be there and yet not get a kernel past its first instructions."""
    if not Path("/dev/kvm").exists():
        return "tcg"
    argv = [
        *QEMU, "-accel", "kvm", "-cpu", CPU, "-m", "512", "-kernel", str(kernel), "-serial", "stdio", "-no-reboot",
        "-append", "console=ttyS0 earlyprintk=ttyS0 panic=-1",
    ]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            return "kvm" if saw(process, b"Linux version", KVM_PROBE_LIMIT) else "tcg"
        finally:
            process.kill()


def saw(process: subprocess.Popen[bytes], words: bytes, limit: int) -> bool:
    """Whether the process wrote these words before it ended or the limit came."""
    seen, end = b"", time.monotonic() + limit
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while words not in seen and selector.select(max(0.0, end - time.monotonic())):
            piece = process.stdout.read1(65536)
            if not piece:
                break
            seen += piece
    return words in seen
