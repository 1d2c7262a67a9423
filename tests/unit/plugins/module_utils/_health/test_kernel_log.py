# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel logs in every form, recorded and live."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _host
from ansible_collections.gpuwright.node.plugins.module_utils._health import kernel_log

CAPTURES = pathlib.Path(__file__).resolve().parents[4] / "captures"
XID = "NVRM: Xid (PCI:0000:9b:00): 79, GPU has fallen off the bus."
UNIX = "1740327858.123456 node kernel: " + XID


@pytest.mark.parametrize(("line", "last"), [
    (UNIX, "2025-02-23T16:24:18Z"),
    ("[  858.123456] " + XID, "2025-02-23T16:24:18Z"),
    ("<3>[  858.123456] " + XID, "2025-02-23T16:24:18Z"),
    ("kern  :err   : [  858.123456] " + XID, "2025-02-23T16:24:18Z"),
    ("[  858.123456,3] " + XID, "2025-02-23T16:24:18Z"),
    ("3,1234,858123456,-;" + XID, "2025-02-23T16:24:18Z"),
    ("[Sun Feb 23 16:24:18 2025] " + XID, "Sun Feb 23 16:24:18 2025"),
    ("2025-02-23T16:24:18,123456+01:00 " + XID, "2025-02-23T16:24:18,123456+01:00"),
    ("Feb 23 16:24:18 node kernel: [  858.123456] " + XID, "Feb 23 16:24:18"),
    (XID, None), ("99999999999.0 node kernel: " + XID, "5138-11-16T09:46:39Z"),
])
def test_when_a_line_was_written(line, last):
    assert [record["last"] for record in kernel_log.parse(line, booted=1740327000)["xids"]] == [last]


def test_without_the_time_of_boot_the_seconds_stay_seconds():
    assert kernel_log.parse("[  858.6] " + XID)["xids"][0]["last"] == "859 s after boot"


def test_a_real_log():
    found = kernel_log.parse((CAPTURES / "kernel-log/gpud-xid-119/dmesg.txt").read_text())
    assert [{key: record[key] for key in ("pci_address", "code", "severity", "count", "last")}
            for record in found["xids"]] == [
        {"pci_address": "0000:9b:00.0", "code": 119, "severity": "fatal", "count": 5,
         "last": "Sun Feb 23 16:30:13 2025"}]
    assert found["aer"] == found["events"] == found["sxids"] == []


def test_one_record_a_device_and_code_keeps_the_worst_severity():
    fatal, other = ("NVRM: Xid (PCI:0000:04:00): 149, NETIR %s XC0" % word for word in ("Fatal", "Nonfatal"))
    record, = kernel_log.parse("\n".join((other, fatal, other)))["xids"]
    assert (record["count"], record["severity"]) == (3, "fatal")


@pytest.mark.parametrize("text", ["", "\n\n", "\0\0", "NVRM: Xid (", "[Hardware Error]:", "\x1b[31m\xff"])
def test_a_log_without_events(text):
    assert kernel_log.parse(text) == {"xids": [], "sxids": [], "aer": [], "events": []}


@pytest.mark.parametrize("path", ["/gpuwright/kernel.log", "/var/log/dmesg"])
def test_a_recorded_log(machine, path):
    found = kernel_log.read(machine({path: "[1.5] " + XID, "/proc/stat": "cpu 1\nbtime 1740327000\n"}), {})
    assert found["source"] == path
    assert found["xids"][0]["last"] == "2025-02-23T16:10:01Z"


def test_no_recorded_log_is_not_a_log_without_events(machine):
    host = machine({})
    assert kernel_log.read(host, {}) == {"source": None, "xids": None, "sxids": None, "aer": None, "events": None}
    assert host.notes == []


def test_the_journal_is_asked_first(live):
    host = live({"journalctl": (0, UNIX, "")})
    found = kernel_log.read(host, {})
    assert (found["source"], found["xids"][0]["code"]) == ("journalctl -k -b", 79)
    assert host.asked == [("journalctl", 20, False)]


@pytest.mark.parametrize("journal", [
    _host.CommandNotRun("journalctl: No such file or directory"), (0, "", ""), (1, "", "No journal files were found.")])
def test_the_ring_buffer_stands_in(live, journal):
    found = kernel_log.read(live({"journalctl": journal, "dmesg": (0, "[1.0] " + XID, "")}), {})
    assert (found["source"], len(found["xids"])) == ("dmesg", 1)


def test_a_log_out_of_reach_is_told_with_every_reason(live):
    host = live({"journalctl": _host.CommandNotRun("journalctl: no answer after 20 s"),
                 "dmesg": (1, "", "dmesg: read kernel buffer failed: Operation not permitted")})
    assert kernel_log.read(host, {})["source"] is None
    assert host.notes == ["journalctl: no answer after 20 s; dmesg: read kernel buffer failed: Operation not permitted"]


def test_a_flood_is_told(live):
    host = live({"journalctl": (0, "x\n" * 200000, "")})
    kernel_log.read(host, {})
    assert host.notes == ["journalctl: only the last 200000 lines were read"]
