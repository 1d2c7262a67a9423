# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the topology of the largest capture, the one that takes us longest, in process and beside lstopo."""

from __future__ import annotations

import functools
import pathlib
import shutil
import sys
import tarfile
import tempfile

from measure import CHECKOUT, command, interleaved, report, wall

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import node


def roots(folder):
    """Every capture, unpacked below a folder: the folders that hold sys/devices/system/cpu."""
    for number, archive in enumerate(sorted((CHECKOUT / "tests" / "captures").rglob("*.t*"))):
        if tarfile.is_tarfile(archive):
            place = folder / str(number)
            place.mkdir()
            command(["tar", "-xf", archive, "-C", place])
            for found in place.rglob("devices/system/cpu"):
                if found.parents[2].name == "sys":
                    yield archive, found.parents[3]


def read(root):
    """Ours, as the module does it."""
    return node.read_topology(Host(str(root)), None, None, None)


def main():
    """Find the largest, read it both ways in turns."""
    lstopo = shutil.which("lstopo-no-graphics")
    if not lstopo:
        sys.exit("topology: needs lstopo-no-graphics (apt-get install hwloc-nox)")
    with tempfile.TemporaryDirectory() as folder:
        taken = [(wall(functools.partial(read, root)), archive, root)
                 for archive, root in roots(pathlib.Path(folder))]
        _seconds, archive, root = max(taken)
        theirs = {"HWLOC_FSROOT": str(root), "HWLOC_THISSYSTEM": "0", "HWLOC_COMPONENTS": "linux,stop"}
        one, two = interleaved(
            lambda: wall(lambda: read(root)),
            lambda: wall(lambda: command([lstopo, "--of", "xml", "--whole-io"], **theirs)), 15)
    report("topology of %s" % archive.parent.name, ("gpuwright, in process", one),
           ("lstopo-no-graphics, a process", two), "ratio %.2f, aim 3 or less" % (one / two))


main()
