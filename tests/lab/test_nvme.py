# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role nvme on real NVMe queues: applied, after a reboot, on a drive that is plugged in later, and back.

The tests build on one another: what one leaves is what the next one finds.
"""

from __future__ import annotations

import json
import pathlib
import time

import pytest

LOGS = pathlib.Path(__file__).resolve().parents[2] / "report" / "test"
RULES = "/etc/udev/rules.d/90-gpuwright-nvme.rules"
POINT = "/models"
HARDWARE = "512"  # What a drive of the emulator can do at once.
SET = {"scheduler": "mq-deadline", "max_sectors_kb": HARDWARE, "nr_requests": "100", "wbt_lat_usec": "0",
       "rq_affinity": "2", "nomerges": "0"}
ASKED = ["--tags", "nvme", "-e", json.dumps({
    "nvme_scheduler": "mq-deadline", "nvme_max_sectors_kb": 4096, "nvme_nr_requests": 100, "nvme_wbt_lat_usec": 0,
    "nvme_rq_affinity": 2, "nvme_read_ahead_kb": 4097, "nvme_volumes": [POINT]})]

# A volume that is device mapper's, on the drive of node 0, whatever its name is now.
VOLUME = r"""
drive=$(readlink -f /dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_LAB0)
dmsetup create models --uuid LAB-models --table "0 $(blockdev --getsz $drive) linear $drive 0"
udevadm settle
[ "$1" = new ] && mkfs.ext4 -q /dev/mapper/models
mkdir -p /models
mount /dev/mapper/models /models
"""
# SERIAL FILE VALUE of every drive's queue, the word in brackets, and of the volume's.
QUEUES = r"""
cd /sys/class/block
for drive in nvme*n*; do
    for file in scheduler max_sectors_kb nr_requests wbt_lat_usec rq_affinity nomerges read_ahead_kb; do
        echo $(cat $drive/device/serial) $file $(sed 's/.*\[\(.*\)\].*/\1/' $drive/queue/$file)
    done
done 2> /dev/null
for volume in dm-*; do
    [ ! -e $volume ] || echo volume read_ahead_kb $(cat $volume/queue/read_ahead_kb)
done
"""


def queues(host):
    """{serial number, or "volume": {file: value}}; of a drive that is just being pulled out some of it is missing."""
    lines = [line.split() for line in host.command("sh -s", input=QUEUES).splitlines()]
    found = {}
    for serial, name, value in (words for words in lines if len(words) == 3):
        found.setdefault(serial, {})[name] = value
    return found


def drive(queue):
    """The part of a drive's queue that is set here."""
    return {name: queue[name] for name in SET}


@pytest.fixture(scope="module", autouse=True)
def before(drives):
    """How the host is before us, with a drive that somebody gave smaller requests."""
    drives.command("sh -s new", input=VOLUME)
    drives.command("echo 256 > /sys/class/block/$(basename $(readlink -f "
                   "/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_LAB0))/queue/max_sectors_kb")
    return {**drives.snapshot(), "queues": queues(drives)}


@pytest.mark.lab
def test_real_queues_are_set_and_more_than_the_hardware_can_is_ok(drives, before):
    answer = drives.playbook("site", *ASKED)
    assert {step["status"] for step in answer["settings"]} <= {"ok", "drift"}
    now = queues(drives)
    assert [drive(now["LAB0"]), drive(now["LAB1"])] == [SET, SET]
    assert now["volume"] == {"read_ahead_kb": "4096"}
    for serial in ("LAB0", "LAB1"):
        assert now[serial]["read_ahead_kb"] == before["queues"][serial]["read_ahead_kb"]
    told = [finding["message"] for finding in answer["rules"] if finding["rule"] == "volume"]
    assert len(told) == 1
    assert told[0].startswith(POINT + ": ext4 on dm-0 (models), of nvme")
    assert told[0].endswith("; NUMA node 0")


@pytest.mark.lab
def test_a_second_run_changes_nothing_and_names_the_clamp(drives):
    answer = drives.playbook("site", *ASKED)
    assert {step["status"] for step in answer["settings"]} == {"ok"}
    assert " changed=0 " in (LOGS / "lab-site.log").read_text().rpartition("PLAY RECAP")[2]
    sizes = [step for step in answer["settings"] if step["name"] == "queue/max_sectors_kb"]
    assert [(step["desired"], step["running"]) for step in sizes] == [("4096", "512 of at most 512")] * 2
    clamped = [finding["message"] for finding in answer["rules"] if finding["rule"] == "clamp"]
    assert len(clamped) == 2 and all("max_hw_sectors_kb" in message for message in clamped)


@pytest.mark.lab
def test_right_after_a_reboot_udev_has_set_them(drives):
    drives.task("ansible.builtin.reboot", "")
    now = queues(drives)
    assert [drive(now["LAB0"]), drive(now["LAB1"])] == [SET, SET]
    drives.command("sh -s again", input=VOLUME)
    assert queues(drives)["volume"] == {"read_ahead_kb": "4096"}
    assert drives.command("ls /etc/systemd/system | grep gpuwright || true") == ""
    drives.command("for queue in /sys/class/block/nvme*n*/queue; do echo 128 > $queue/max_sectors_kb; done; "
                   "udevadm trigger --action=change --subsystem-match=block --settle")
    now = queues(drives)
    assert [drive(now["LAB0"]), drive(now["LAB1"])] == [SET, SET]


@pytest.mark.lab
def test_a_drive_that_is_plugged_in_later_is_set_too(drives):
    drives.monitor("device_del", id="nvme1")
    until(lambda: "LAB1" not in queues(drives))
    drives.monitor("blockdev-add", driver="null-co", size=1 << 28, **{"node-name": "new"})
    drives.monitor("device_add", driver="nvme", id="new", drive="new", serial="NEW", bus="port1")
    until(lambda: "NEW" in queues(drives))
    drives.command("udevadm settle")
    assert drive(queues(drives)["NEW"]) == SET
    answer = drives.playbook("audit", *ASKED)
    assert {step["status"] for step in answer["settings"]} == {"ok"}


def until(so):
    """Waits until something is so, or a minute and more."""
    for _try in range(40):
        if so():
            return
        time.sleep(2)
    pytest.fail("it is not so, and was waited for")


@pytest.mark.lab
def test_rollback_gives_everything_back(drives, before):
    assert RULES in drives.snapshot()["files"]
    drives.playbook("rollback")
    now = {**drives.snapshot(), "queues": queues(drives)}
    for one in ("LAB0", "volume"):
        assert now["queues"][one] == before["queues"][one]
    names = {*before["files"], *now["files"]}
    changed = {name for name in names if before["files"].get(name) != now["files"].get(name)}
    assert {name for name in changed if "gpuwright" in name or "udev" in name} == set()
