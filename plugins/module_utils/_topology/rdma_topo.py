# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what rdma-core's rdma_topo says of NVIDIA's Direct NIC platforms: whether this is one, and what is wrong.

PRIVATE to the collection.
"""

from __future__ import annotations

from .. import _host

PROGRAM = "/usr/sbin/rdma_topo"
RECORDED = "/gpuwright/rdma_topo-check.txt"  # Where a capture keeps what the command said.
_NOT_ITS_PLATFORM = "No supported topology"


def check(host):
    """{platform, failures} of `rdma_topo check`, or None where it is not installed or did not answer.

    `platform` is whether it knows the platform; it ends with 100 both where something is wrong and where it does not,
    so its lines tell: OK or FAIL and a tab, or E: for an error.
    """
    recorded = None if host.live else host.text(RECORDED)
    if recorded:
        return parse(recorded)
    if not host.exists(PROGRAM):
        return None
    try:
        _status, output, errors = host.run([PROGRAM, "check"], changes=False)
    except (_host.CommandNotRun, OSError) as error:
        host.note(str(error))
        return None
    found = parse(output)
    if found is None:
        host.note("rdma_topo check: %s" % " ".join((errors or output).split())[:200])
    return found


def parse(text):
    """The answer in a text, or None where it holds none."""
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    failures = [" ".join(line[1:]) for line in lines if line[0] == "FAIL"]
    if failures or any(line[0] == "OK" for line in lines):
        return {"platform": True, "failures": failures}
    if _NOT_ITS_PLATFORM in text:
        return {"platform": False, "failures": []}
    return None
