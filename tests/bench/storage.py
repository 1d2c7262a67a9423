# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large file read from this machine's disk, in order and through a mapping: the kernel's read-ahead, and the role's.

The two settings take turns, and what was in force comes back. fio gives the kernel no hint, as a program that maps its
model's files gives none, and has the file out of the page cache before each run.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import sys
import tempfile

from measure import CHECKOUT, command

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import block

ROUNDS = 5
GIB = 4
KERNELS = 128
WAYS = {"read() of 1 MiB": ["--ioengine=psync", "--bs=1M"], "mapped, page by page": ["--ioengine=mmap", "--bs=4k"]}


def fio():
    """fio, which is installed where it is missing."""
    if not shutil.which("fio"):
        if not shutil.which("apt-get"):
            sys.exit("storage: needs fio")
        command(["apt-get", "install", "-y", "-q", "--no-install-recommends", "fio"],
                DEBIAN_FRONTEND="noninteractive")
    return "fio"


def roles_own():
    """The default of nvme_read_ahead_kb."""
    defaults = (CHECKOUT / "roles" / "nvme" / "defaults" / "main.yml").read_text()
    return int(re.search(r"^nvme_read_ahead_kb: (\d+)$", defaults, re.M).group(1))


def device_of(folder):
    """The device that a folder's filesystem sits on."""
    host, place = Host(), pathlib.Path(folder).resolve()
    mounts = block.mounts(host)
    point = next(str(one) for one in [place, *place.parents] if str(one) in mounts)
    device = block.top(host, mounts[point])
    if device is None or not os.access("%s/%s/queue/read_ahead_kb" % (block.CLASS, device), os.W_OK):
        sys.exit("storage: read-ahead of what %s is on (%s) cannot be set here" % (folder, mounts[point]["source"]))
    return device


@contextlib.contextmanager
def read_ahead(device):
    """A function that sets it; what was in force comes back."""
    path = pathlib.Path("%s/%s/queue/read_ahead_kb" % (block.CLASS, device))
    before = path.read_text()
    try:
        yield lambda size: path.write_text(str(size))
    finally:
        path.write_text(before)


def speed(file, way):
    """MiB a second of one reading of the whole file."""
    answer = command([fio(), "--name=read", "--filename=%s" % file, "--rw=read", "--size=%dG" % GIB, "--readonly",
                      "--fadvise_hint=0", "--invalidate=1", "--output-format=json", *WAYS[way]])
    return json.loads(answer[answer.index("{"):])["jobs"][0]["read"]["bw_bytes"] / (1 << 20)


def measured(file, set_to, sizes):
    """{way: {size: speeds}}, all of them in turns."""
    found = {way: {size: [] for size in sizes} for way in WAYS}
    for number in range(ROUNDS):
        for way in WAYS:
            for size in sizes if number % 2 == 0 else reversed(sizes):
                set_to(size)
                found[way][size].append(speed(file, way))
    return found


def show(device, found, sizes):
    """A table of medians, with the slowest and the fastest run."""
    host, queue = Host(), "%s/%s/queue/" % (block.CLASS, device)
    sys.stdout.write("a file of %d GiB on %s of this machine (scheduler %s, rotational %s, max_sectors_kb %s), %d runs "
                     "each, MiB/s:\nmedian (slowest to fastest); what lies below the disk may keep a copy of its own\n"
                     % (GIB, device, *(host.text(queue + name) for name in (
                         "scheduler", "rotational", "max_sectors_kb")), ROUNDS))
    sys.stdout.write("  %-24s%s%10s\n" % ("", "".join("%30s" % ("read_ahead_kb %d" % size) for size in sizes), "ratio"))
    for way, of_size in found.items():
        middle = [statistics.median(of_size[size]) for size in sizes]
        cells = ["%30s" % ("%.0f (%.0f to %.0f)" % (median, min(of_size[size]), max(of_size[size])))
                 for median, size in zip(middle, sizes)]
        sys.stdout.write("  %-24s%s%10.2f\n" % (way, "".join(cells), middle[1] / middle[0]))
    sys.stdout.flush()


def main():
    """Write a file, read it again and again, say what came of it."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # The setting comes back.
    sizes = [KERNELS, roles_own()]
    with tempfile.TemporaryDirectory(dir=CHECKOUT / ".cache") as name:
        device, file = device_of(name), pathlib.Path(name) / "model.safetensors"
        if shutil.disk_usage(name).free < 2 * GIB << 30:
            sys.exit("storage: needs %d GiB free below %s" % (2 * GIB, CHECKOUT))
        command([fio(), "--name=write", "--filename=%s" % file, "--rw=write", "--size=%dG" % GIB, "--bs=1M",
                 "--ioengine=psync", "--end_fsync=1"])
        with read_ahead(device) as set_to:
            found = measured(file, set_to, sizes)
    show(device, found, sizes)


main()
