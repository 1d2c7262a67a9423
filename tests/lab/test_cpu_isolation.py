# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role cpu_isolation and reboot.yml on a real kernel: one host goes through all modes, in this order, and back.

The tests build on one another: what one leaves is what the next one finds.
"""

from __future__ import annotations

import json
import pathlib
import re

import pytest

HERE = pathlib.Path(__file__).resolve().parent
LOGS = HERE.parents[1] / "report" / "test"

# One core of two on each NUMA node; the work's CPUs are the others.
HOUSEKEEPING, WORKLOAD = "0-1,4-5", "2-3,6-7"
OF_NODE = {"0": {0, 1}, "1": {4, 5}, "-1": {0, 1, 4, 5}}
WORK = {2, 3, 6, 7}
MASK = "33"
SLICES = ("system.slice", "user.slice", "init.scope")

# What an administrator left: another drop-in that sets the same variable, arguments twice, quotes, a space.
GRUB = "/etc/default/grub.d/20-local.cfg"
GRUB_TEXT = r'GRUB_CMDLINE_LINUX_DEFAULT="quiet local.x=1 local.x=1 local.note=\"two words\" console=tty0"' + "\n"
ORIGINAL = 'console=ttyS0 net.ifnames=0 quiet local.x=1 local.x=1 "local.note=two words" console=tty0'
ARGUMENTS = {"isolcpus": "managed_irq,domain," + WORKLOAD, "nohz_full": WORKLOAD, "rcu_nocbs": WORKLOAD,
             "irqaffinity": HOUSEKEEPING}

STARTER = "/usr/local/sbin/slurmd"
BUSY = "for _ in 1 2 3 4; do sh -c 'while :; do :; done' & done; wait"
# Large pieces are hashed outside of the interpreter's lock.
EIGHT_THREADS = """
import hashlib, threading
def work():
    piece = bytes(1 << 22)
    while True:
        hashlib.sha256(piece).digest()
for _number in range(8):
    threading.Thread(target=work).start()
"""

# An interrupt moves when it next comes: those that come here, and the NUMA node of their device.
COMING = r"""
nvme list > /dev/null
nvme list > /dev/null
for line in $(grep -E '(nvme[0-9]+q0|virtio[0-9]+-(input|output)\.0)$' /proc/interrupts |
              sed -E 's/^ *([0-9]+):.* ([^ ]+)$/\1:\2/'); do
    irq=${line%%:*} name=${line#*:}
    case $name in
        nvme*) node=$(cat /sys/class/nvme/${name%q0}/device/numa_node) ;;
        *) node=-1 ;;
    esac
    echo $name $node $(cat /proc/irq/$irq/effective_affinity_list)
done
"""

# The driver of the network card and of a drive, away and back: both ask for new interrupts.
AGAIN = r"""
device=$(basename $(readlink -f /sys/class/net/eth0/device)) drive=$(readlink -f /sys/class/nvme/nvme0/device)
driver=$(readlink -f $drive/driver)
cd /sys/bus/virtio/drivers/virtio_net
echo $device > unbind
echo $device > bind
echo $(basename $drive) > $driver/unbind
echo $(basename $drive) > $driver/bind
"""


def asked(mode, **others):
    """The role alone, in this mode."""
    return ["--tags", "cpu_isolation", "-e", json.dumps(
        {"cpu_isolation_mode": mode, "cpu_isolation_housekeeping_cores_per_node": 1, **others})]


SLICED = asked("slices")
BOOTED = asked("boot", cpu_isolation_threads_pinned=True)


@pytest.fixture(scope="module", autouse=True)
def before(eight_cpus):
    """How the host is before us: its kernel values, its files, its boot loader's file."""
    eight_cpus.command("cat > %s; update-grub" % GRUB, input=GRUB_TEXT)
    eight_cpus.command("cat > %s; chmod 755 %s" % (STARTER, STARTER), input="#!/bin/sh\nwhile :; do sleep 60; done\n")
    return {**eight_cpus.snapshot(), "sets": sets(eight_cpus), "grub": eight_cpus.command("cat /boot/grub/grub.cfg")}


def sets(host):
    """The CPUs that control groups, kernel work and new interrupts are held to."""
    return host.command("cd /sys/fs/cgroup; grep -s . %s /sys/devices/virtual/workqueue/cpumask "
                        "/proc/irq/default_smp_affinity || true" % " ".join(
                            "%s/cpuset.cpus" % name for name in (*SLICES, "gpuwright.slice")))


def cpus_of(host, unit, samples, *enough):
    """Where a unit's threads run."""
    words = " ".join(str(word) for word in ("python3 -", unit, samples, *enough))
    return json.loads(host.command(words, input=(HERE / "cpus_of.py").read_text()))


def statuses(answer):
    """{name: status} of the settings that apply here."""
    return {step["name"]: step["status"] for step in answer["settings"] if step["status"] != "not_applicable"}


def nothing_changed(answer):
    """Whether a run found everything as it shall be, and Ansible says so too."""
    recap = (LOGS / "lab-site.log").read_text().rpartition("PLAY RECAP")[2]
    return set(statuses(answer).values()) == {"ok"} and " changed=0 " in recap and not answer["reboot_required"]


def kernel_arguments(host):
    """The kernel's command line, without where GRUB and the root file system are."""
    return host.command("cat /proc/cmdline").strip().split(" ro ", 1)[1]


@pytest.mark.lab
def test_auto_restricts_nothing_where_somebody_would_be_squeezed(eight_cpus, before):
    eight_cpus.command("systemd-run -q --unit=slurmd " + STARTER)
    answer = eight_cpus.playbook("site", *asked("auto"))
    withheld = [step for step in answer["settings"] if step["name"].endswith("/AllowedCPUs")]
    assert len(withheld) == 4
    for step in withheld:
        assert step["status"] == "not_applicable"
        assert "(slurmd)" in step["reason"]
        assert "/system.slice/slurmd.service" in step["reason"]
    assert sets(eight_cpus) == before["sets"]


@pytest.mark.lab
def test_slices_are_refused_while_somebody_would_be_squeezed(eight_cpus, before):
    answer = eight_cpus.playbook("site", *SLICED, fails=True)
    eight_cpus.command("systemctl stop slurmd")
    refused = [step for step in answer["settings"] if step["name"].endswith("/AllowedCPUs")]
    assert {step["status"] for step in refused} == {"refused"}
    errors = [finding["message"] for finding in answer["rules"] if finding["severity"] == "E"]
    assert any("(slurmd) in /system.slice/slurmd.service" in message for message in errors)
    assert sets(eight_cpus) == before["sets"]


@pytest.mark.lab
def test_slices_keep_a_busy_service_from_the_workloads_cpus(eight_cpus):
    eight_cpus.command("systemd-run -q --unit=busy sh -c \"$(cat)\"", input=BUSY)
    free = cpus_of(eight_cpus, "busy", 500, 4)
    assert set(free["seen"]) & WORK, "nothing would be shown: the load is not on these CPUs without us either"
    eight_cpus.command("systemctl kill -s STOP busy")  # A site.yml beside it takes a minute more.
    answer = eight_cpus.playbook("site", *SLICED)
    assert set(statuses(answer).values()) <= {"ok", "drift"}
    eight_cpus.command("systemctl kill -s CONT busy")
    held = cpus_of(eight_cpus, "busy", 100)
    eight_cpus.command("systemctl stop busy")
    assert held["effective"] == HOUSEKEEPING
    assert held["seen"] and set(held["seen"]) <= OF_NODE["-1"]


@pytest.mark.lab
def test_threads_of_the_workload_spread_over_its_slice(eight_cpus):
    eight_cpus.command("systemd-run -q --unit=work --slice=gpuwright.slice python3 -c \"$(cat)\"", input=EIGHT_THREADS)
    spread = cpus_of(eight_cpus, "work", 1000, len(WORK))
    eight_cpus.command("systemctl stop work")
    assert spread == {"effective": WORKLOAD, "seen": sorted(WORK), "at_once": len(WORK)}


@pytest.mark.lab
def test_interrupts_go_to_housekeeping_and_irqbalance_goes_on(eight_cpus):
    interrupts_are_on_housekeeping(eight_cpus)
    environment = eight_cpus.command(
        "systemctl is-active irqbalance; tr '\\0' '\\n' < /proc/$(pgrep -x irqbalance)/environ").splitlines()
    assert environment[0] == "active"
    assert "IRQBALANCE_BANNED_CPULIST=" + WORKLOAD in environment


def interrupts_are_on_housekeeping(host):
    """Each is on housekeeping CPUs of its device's node."""
    found = [line.split() for line in host.command("sh -s", input=COMING).splitlines()]
    assert len(found) == 4, found
    for name, node, cpu in found:
        assert int(cpu) in OF_NODE[node], (name, node, cpu)


@pytest.mark.lab
def test_a_second_run_changes_nothing(eight_cpus):
    assert nothing_changed(eight_cpus.playbook("site", *SLICED))


@pytest.mark.lab
def test_after_a_driver_was_loaded_again_interrupts_are_back(eight_cpus):
    eight_cpus.command("cat > /run/again", input=AGAIN)
    eight_cpus.command(
        "since=$(journalctl -q -n 0 --show-cursor | sed 's/^-- cursor: //'); "
        "systemd-run -q --wait --unit=again sh -e /run/again; rm /run/again; "
        "timeout 600 journalctl -f --after-cursor=\"$since\" -u gpuwright-boot.service | grep -m 1 Finished")
    interrupts_are_on_housekeeping(eight_cpus)
    answer = eight_cpus.playbook("audit", *SLICED)
    assert set(statuses(answer).values()) == {"ok"}


@pytest.mark.lab
def test_boot_waits_for_a_reboot_that_only_reboot_yml_makes(eight_cpus):
    boot = eight_cpus.command("cat /proc/sys/kernel/random/boot_id")
    answer = eight_cpus.playbook("site", *BOOTED)
    assert answer["reboot_required"]
    waiting = {step["name"] for step in answer["settings"] if step["disruption"] == "reboot" and step.get("changed")}
    assert waiting == set(ARGUMENTS)
    assert eight_cpus.command("cat /proc/sys/kernel/random/boot_id") == boot
    reboot(eight_cpus)
    assert eight_cpus.command("cat /proc/sys/kernel/random/boot_id") != boot


def reboot(host):
    """reboot.yml, which nobody here need be drained for; and everything is started."""
    host.play("reboot", "-e", "gpuwright_drain=none")
    host.command("systemctl is-system-running --wait")


@pytest.mark.lab
def test_the_kernel_runs_with_what_was_asked_and_a_second_run_changes_nothing(eight_cpus):
    words = kernel_arguments(eight_cpus)
    assert words.startswith(ORIGINAL + " ")
    assert sorted(words[len(ORIGINAL) + 1:].split(" ")) == sorted("%s=%s" % pair for pair in ARGUMENTS.items())
    isolated = eight_cpus.command("cd /sys/devices/system/cpu; cat isolated nohz_full").split()
    assert isolated == [WORKLOAD, WORKLOAD]
    assert eight_cpus.command("cat /sys/devices/virtual/workqueue/cpumask").strip() == MASK
    interrupts_are_on_housekeeping(eight_cpus)
    assert nothing_changed(eight_cpus.playbook("site", *BOOTED))


@pytest.mark.lab
def test_rollback_and_a_reboot_bring_back_the_command_line_byte_for_byte(eight_cpus, before):
    eight_cpus.playbook("rollback")
    assert eight_cpus.command("cat /boot/grub/grub.cfg") == before["grub"]
    reboot(eight_cpus)
    assert kernel_arguments(eight_cpus) == ORIGINAL
    assert eight_cpus.command("cat %s" % GRUB) == GRUB_TEXT
    now = {**eight_cpus.snapshot(), "sets": sets(eight_cpus)}
    assert now["sets"] == before["sets"]
    for part in ("values", "files"):
        names = {*before[part], *now[part]} - {"/proc/cmdline"}
        assert {name for name in names if before[part].get(name) != now[part].get(name)} == set()
    assert re.findall("gpuwright", " ".join(now["files"])) == []
