# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU and rings of a real NIC, kept by a .link file that real udev honours at boot, and no interface has another name.

The tests build on one another. An administrator has named the second NIC by a .link file, which ours has to copy: were
it not, the NIC would be eth1 after the reboot.
"""

from __future__ import annotations

import json

import pytest

NAME = "rail0"
THEIRS = "/etc/systemd/network/10-rails.link"
THEIRS_TEXT = "[Match]\nMACAddress=52:54:00:12:34:57\n\n[Link]\nName=rail0\nAlternativeName=fabric0\n"
OURS = "/etc/systemd/network/00-gpuwright-network-%s.link"
# The driver of the NIC, away and back: udev names it anew. It looks for changed files every three seconds at most.
AGAIN = r"""
udevadm control --reload
device=$(basename $(readlink -f /sys/class/net/eth1/device))
cd /sys/bus/virtio/drivers/virtio_net
echo $device > unbind
echo $device > bind
udevadm wait --timeout=60 --settle /sys/class/net/rail0
"""
# All there is to compare: names, alternative names, addresses, and which file udev took each from.
NAMES = r"""
for folder in /sys/class/net/*; do
    udevadm info $folder | sed -n 's/^E: \(INTERFACE\|ID_NET_NAME\)=/\1=/p'
    cat $folder/address
done
ip -o link show | grep -o 'altname [^ \\]*'
"""


def asked(**values):
    """The role alone, for the named interface unless told otherwise."""
    return ["--tags", "network", "-e", json.dumps({"network_interfaces": [NAME], **values})]


WANTED = asked(network_mtu=9000, network_ring_rx=4096, network_ring_tx=128, network_default_qdisc="fq",
               network_tcp_congestion_control="bbr", network_internet_facing=True)
QUEUES = ("net.core.default_qdisc", "net.ipv4.tcp_congestion_control")


@pytest.fixture(scope="module", autouse=True)
def before(two_nics):
    """How the host is before us, with the administrator's name for the NIC."""
    two_nics.command("cat > %s" % THEIRS, input=THEIRS_TEXT)
    two_nics.command("sh -es", input=AGAIN)
    return {**two_nics.snapshot(), "names": two_nics.command("sh -s", input=NAMES), "running": running(two_nics),
            "queues": queues(two_nics)}


def running(host, name=NAME):
    """(MTU, receive ring, transmit ring) as the kernel has them."""
    text = host.command("cat /sys/class/net/%s/mtu; ethtool -g %s | sed '1,/^Current/d'" % (name, name))
    rings = dict(line.split(":") for line in text.splitlines()[1:] if line.count(":") == 1)
    return text.splitlines()[0], rings["RX"].strip(), rings["TX"].strip()


def queues(host):
    """The default queueing discipline and congestion control, and the discipline of the NIC that is up."""
    values = host.command("sysctl -n " + " ".join(QUEUES)).split()
    return [*values, host.command("tc qdisc show dev eth0 root").split()[1]]


def links(answer):
    """{target: step} of this kind."""
    return {step["target"]: step for step in answer["settings"] if step["kind"] == "netdev"
            and step["status"] != "not_applicable"}


def link_file(host, name=NAME):
    """The file that udev took the interface's settings from."""
    words = host.command("udevadm info /sys/class/net/%s" % name)
    return next(line.partition("=")[2] for line in words.splitlines() if line.startswith("E: ID_NET_LINK_FILE="))


@pytest.mark.lab
def test_the_interface_that_we_came_in_by_is_left_alone(two_nics, before):
    answer = two_nics.playbook("site", *asked(network_interfaces=["eth0"], network_mtu=1400), fails=True)
    assert links(answer)["eth0/link/mtu"]["status"] == "refused"
    assert "eth0 is what this node is reached by" in links(answer)["eth0/link/mtu"]["reason"]
    assert two_nics.command("cat /sys/class/net/eth0/mtu").strip() == "1500"


@pytest.mark.lab
def test_rings_and_mtu_are_set_and_clamped_to_the_hardware(two_nics, before):
    assert before["running"] == ("1500", "256", "256")
    assert link_file(two_nics) == THEIRS
    answer = two_nics.playbook("site", *WANTED)
    assert {step["status"] for step in links(answer).values()} == {"drift"}
    clamped = [finding["message"] for finding in answer["rules"] if finding["rule"] == "clamp"]
    assert clamped == ["rail0/ring/rx: 4096 is asked for, and its hardware has 256: it gets that"]
    assert running(two_nics) == ("9000", "256", "128")


@pytest.mark.lab
def test_a_second_run_changes_nothing_and_tells_which_devices_have_another_qdisc_than_the_default(two_nics, before):
    answer = two_nics.playbook("site", *WANTED)
    assert {target: step["status"] for target, step in links(answer).items()} == {
        "rail0/link/mtu": "ok", "rail0/ring/rx": "ok", "rail0/ring/tx": "ok"}
    assert not any(step.get("changed") for step in answer["settings"])
    assert queues(two_nics) == ["fq", "bbr", before["queues"][2]]
    told = [finding["message"] for finding in answer["rules"] if finding["rule"] == "qdisc"]
    assert len(told) == 1 and "eth0 has %s" % before["queues"][2] in told[0]


@pytest.mark.lab
def test_udev_honours_our_file_at_boot_and_no_interface_has_another_name(two_nics, before):
    two_nics.task("ansible.builtin.reboot", "reboot_timeout=1200")
    two_nics.command("systemctl is-system-running --wait")
    assert link_file(two_nics) == OURS % NAME
    assert two_nics.command("sh -s", input=NAMES) == before["names"]
    assert running(two_nics) == ("9000", "256", "128")
    assert queues(two_nics) == ["fq", "bbr", "fq"]
    answer = two_nics.playbook("audit", *WANTED)
    assert {step["status"] for step in links(answer).values()} == {"ok"}
    assert [finding for finding in answer["rules"] if finding["rule"] == "qdisc"] == []


@pytest.mark.lab
def test_rollback_leaves_nothing(two_nics, before):
    two_nics.playbook("rollback")
    assert running(two_nics) == before["running"]
    assert queues(two_nics)[:2] == before["queues"][:2]
    now = two_nics.snapshot()
    assert now["files"] == before["files"]
    two_nics.command("sh -es", input=AGAIN.replace("eth1", NAME))
    assert link_file(two_nics) == THEIRS
    assert two_nics.command("sh -s", input=NAMES) == before["names"]
