# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rdma_topo check says, and that its exit status of 100 has two meanings."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import rdma_topo

GOOD = "OK\tAll ConnectX DMA functions have correct PCI topology\n" \
       "OK\tACS for grace_rp 0009:00:00.0 has correct values 0011100 = xx111x0\n"
BAD = GOOD + "FAIL\tACS for cx_switch 0009:02:00.0 has incorrect values 0011101 != xx110x1, (0x1d != 0x19)\n"
NONE = "E: No supported topology detected\n"


@pytest.mark.parametrize("text, found", [
    (GOOD, {"platform": True, "failures": []}), (NONE, {"platform": False, "failures": []}),
    (BAD, {"platform": True, "failures": [
        "ACS for cx_switch 0009:02:00.0 has incorrect values 0011101 != xx110x1, (0x1d != 0x19)"]}),
    ("FAIL Kernel iommu_group for DMA 0009:03:00.0 and GPU 0009:06:00.0 are not equal", {"platform": True, "failures": [
        "Kernel iommu_group for DMA 0009:03:00.0 and GPU 0009:06:00.0 are not equal"]}),
    ("", None), ("Traceback (most recent call last):", None), ("E: Cannot read sysfs path: x. Are you root?", None)])
def test_its_answers(text, found):
    assert rdma_topo.parse(text) == found


class Installed(Host):
    """A host where rdma_topo is installed and ends with 100."""

    runs_commands = True
    says = NONE

    def run(self, argv, seconds=10, changes=True):
        assert argv == ["/usr/sbin/rdma_topo", "check"] and changes is False
        if self.says is None:
            raise CommandNotRun("rdma_topo: no answer after 10 s")
        return 100, self.says, "why"


def test_it_is_asked_where_it_is_installed(tmp_path):
    host = Installed(str(tmp_path))
    assert rdma_topo.check(host) is None and host.notes == []
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/rdma_topo").write_text("")
    assert rdma_topo.check(host) == {"platform": False, "failures": []}
    host.says = ""
    assert rdma_topo.check(host) is None and host.notes == ["rdma_topo check: why"]
    host.says = None
    assert rdma_topo.check(host) is None and host.notes[-1] == "rdma_topo: no answer after 10 s"


def test_a_recording_answers_for_a_capture(tmp_path):
    assert rdma_topo.check(Host(str(tmp_path))) is None
    (tmp_path / "gpuwright").mkdir()
    (tmp_path / "gpuwright/rdma_topo-check.txt").write_text(BAD)
    assert len(rdma_topo.check(Host(str(tmp_path)))["failures"]) == 1
