# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of how our udev rules are written: the order of a queue, and sizes that rules compare by patterns."""

from __future__ import annotations

import fnmatch
import re

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._owners import udev_rule

DRIVE = 'ATTR{wwid}=="eui.01"'
FILES = ["scheduler", "max_sectors_kb", "nomerges", "nr_requests", "wbt_lat_usec", "read_ahead_kb"]


def written(size, hardware, asked):
    """What the rule makes of a device's size, as udev would."""
    device = {"queue/max_sectors_kb": str(size), "queue/max_hw_sectors_kb": str(hardware)}
    for line in udev_rule.text([(DRIVE + " queue/max_sectors_kb", asked)]).splitlines():
        conditions = re.findall(r'ATTR\{(queue/\w+)\}([=!])="([^"]*)"', line)
        if all(any(fnmatch.fnmatchcase(device[name], part) for part in pattern.split("|")) == (sign == "=")
               for name, sign, pattern in conditions):
            name, value = re.search(r'ATTR\{(queue/\w+)\}="([^"]*)"$', line).groups()
            device[name] = device["queue/max_hw_sectors_kb"] if value.startswith("$attr") else value
    return int(device["queue/max_sectors_kb"])


def test_a_queue_is_written_limits_first_and_read_ahead_last():
    entries = [("%s queue/%s" % (DRIVE, name), "9") for name in reversed(FILES)]
    text = udev_rule.text(entries)
    assigned = re.findall(r'ATTR\{queue/(\w+)\}="9"', text)
    assert assigned == FILES
    assert udev_rule.values(text) == dict(entries)


@pytest.mark.parametrize("asked", [4, 9, 10, 99, 100, 512, 1024, 1280, 2050, 4096])
def test_a_size_is_never_lowered_and_never_above_the_hardware(asked):
    for hardware in (4, 64, 128, 509, 512, 1023, 1280, 4096, 2147483647):
        for size in {4, min(hardware, 128), min(hardware, 1280), hardware}:
            assert written(size, hardware, str(asked)) == max(size, min(asked, hardware)), (size, hardware)


def test_max_is_what_the_hardware_can():
    assert written(128, 4096, "max") == 4096
    assert udev_rule.values(udev_rule.text([(DRIVE + " queue/max_sectors_kb", "max")])) == {
        DRIVE + " queue/max_sectors_kb": "max"}


@pytest.mark.parametrize("name, value", [
    (DRIVE + " queue/max_sectors_kb", "4096"), ('KERNEL=="eth0" net/gro_flush_timeout', "20000"),
    ('KERNEL=="nvme[0-9]*n[0-9]*", ENV{DEVTYPE}=="disk" queue/scheduler', "mq-deadline"),
    ('MOUNT=="/my?040models" queue/read_ahead_kb', "4096")])
def test_what_is_written_is_read_again(name, value):
    assert udev_rule.values("# A head.\n" + udev_rule.text([(name, value), (name, value)])) == {name: value}
