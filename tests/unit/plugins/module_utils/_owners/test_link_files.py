# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of which .link file applies to an interface, by its conditions and udev's word, and the name it gives."""

from __future__ import annotations

import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import link_files

from tests.sysroots import link_node
from tests.sysroots.link_node import DEFAULT, NET
from tests.sysroots.plain_node import put

ETC, RUN = "/etc/systemd/network/", "/run/systemd/network/"
ANY = "[Match]\nOriginalName=*\n[Link]\nName=%s"


def winner(tmp_path, name="eth1", suffix=".link", **files):
    host = Host(str(link_node.build(tmp_path, **files)))
    return link_files.winner(host, link_files.device(host, name), suffix)


def test_the_first_name_wins_over_the_folder(tmp_path):
    assert winner(tmp_path, **{RUN + "10-a.link": ANY, ETC + "20-b.link": ANY}) == RUN + "10-a.link"


def test_a_file_hides_its_namesake_below(tmp_path):
    assert winner(tmp_path, **{ETC + "99-default.link": ANY}) == ETC + "99-default.link"


def test_a_masked_file_matches_nothing(tmp_path):
    root = link_node.build(tmp_path)
    os.symlink("/dev/null", root / ETC[1:] / "99-default.link")
    host = Host(str(root))
    assert link_files.winner(host, link_files.device(host, "eth1")) is None


def test_ours_is_never_the_winner(tmp_path):
    assert winner(tmp_path, **{ETC + "00-gpuwright-network-eth1.link": ANY}) == DEFAULT


@pytest.mark.parametrize("match", [
    "MACAddress=0c:42:a1:00:00:01", "MACAddress=ff:ff:ff:ff:ff:ff 0C:42:A1:00:00:01",
    "PermanentMACAddress=0c-42-a1-00-00-01", "Path=pci-0000:02:*", "Driver=mlx4* mlx5*", "Driver=!virtio_net",
    "Type=ether", "Path=\nPath=pci-0000:02:00.0", "MACAddress=0c:42:a1:00:00:01\nDriver=mlx5_core"])
def test_conditions_that_hold(tmp_path, match):
    assert winner(tmp_path, **{ETC + "10-a.link": "[Match]\n%s\n[Link]\nName=x" % match}) == ETC + "10-a.link"


@pytest.mark.parametrize("match", [
    "MACAddress=0c:42:a1:00:00:02", "Path=pci-0000:03:*", "Driver=!mlx5_core", "Type=wlan", "Kind=bond", "SSID=x", "",
    "MACAddress=0c:42:a1:00:00:01\nDriver=virtio_net", "Path=pci-0000:02:00.0\nPath=", "# Path=pci-0000:02:00.0"])
def test_conditions_that_do_not_hold(tmp_path, match):
    assert winner(tmp_path, **{ETC + "10-a.link": "[Match]\n%s\n[Link]\nName=x" % match}) == DEFAULT


@pytest.mark.parametrize("match", ["Property=ID_MODEL=x", "Host=a", "OriginalName=eth*", "KernelVersion=>=6"])
def test_of_what_cannot_be_judged_udev_knows(tmp_path, match):
    theirs = {ETC + "10-a.link": "[Match]\n%s\n[Link]\nName=x" % match}
    assert winner(tmp_path / "a", **theirs) == DEFAULT
    said = link_node.udev({"ID_NET_LINK_FILE": ETC + "10-a.link"})
    assert winner(tmp_path / "b", **dict(theirs, **{"/run/udev/data/n3": said})) == ETC + "10-a.link"


def test_a_condition_in_a_drop_in_counts(tmp_path):
    assert winner(tmp_path, **{DEFAULT + ".d/a.conf": "[Match]\nDriver=virtio_net"}) is None


def test_the_original_name_counts_where_nobody_has_changed_it(tmp_path):
    theirs = {ETC + "10-a.link": "[Match]\nOriginalName=eth1\n[Link]\nMTUBytes=1", NET + "/eth1/name_assign_type": "1"}
    assert winner(tmp_path, **theirs) == ETC + "10-a.link"


def test_lines_come_with_their_place_and_drop_ins_follow_by_name(tmp_path):
    root = link_node.build(tmp_path, **{RUN + "10-a.link": "[Match]\nDriver=*\n; no\n[Link]\n Name = a ",
                                        ETC + "10-a.link.d/b.conf": "[Link]\nName=b",
                                        RUN + "10-a.link.d/a.conf": "[Link]\nName=c",
                                        RUN + "10-a.link.d/b.conf": "[Link]\nName=hidden",
                                        RUN + "10-a.link.d/readme": "[Link]\nName=no"})
    found = link_files.lines(Host(str(root)), RUN + "10-a.link")
    assert [(item["key"], item["value"], item["file"], item["line"]) for item in found] == [
        ("Driver", "*", RUN + "10-a.link", 2), ("Name", "a", RUN + "10-a.link", 5),
        ("Name", "c", RUN + "10-a.link.d/a.conf", 2), ("Name", "b", ETC + "10-a.link.d/b.conf", 2)]


def test_an_address_that_was_changed_is_not_the_own_one(tmp_path):
    root = link_node.build(tmp_path, **{NET + "/eth1/addr_assign_type": "3",
                                        NET + "/eth1/address": "02:00:00:00:00:09"})
    host = Host(str(root))
    assert link_files.device(host, "eth1")["mac"] == "0c:42:a1:00:00:01"
    put(root, "/run/udev/data/n3", link_node.udev({"ID_PATH": "pci-0000:02:00.0"}))
    assert link_files.device(Host(str(root)), "eth1")["mac"] is None


def test_that_of_a_virtual_function_is_not_relied_upon(tmp_path):
    root = link_node.build(tmp_path)
    (root / "sys/devices/pci0000:00/0000:02:00.0/physfn").mkdir()
    assert link_files.device(Host(str(root)), "eth1")["mac"] is None


def name_of(tmp_path, text, known, assigned="4"):
    root = link_node.build(tmp_path, **{ETC + "10-a.link": "[Match]\nDriver=*\n[Link]\n" + text,
                                        NET + "/eth1/name_assign_type": assigned,
                                        "/run/udev/data/n3": link_node.udev(dict(ID_NET_DRIVER="x", **known))})
    host = Host(str(root))
    return link_files.name_of(link_files.lines(host, ETC + "10-a.link"), link_files.device(host, "eth1"))


@pytest.mark.parametrize("text, known, assigned, name", [
    ("NamePolicy=slot path", {"ID_NET_NAME_PATH": "p", "ID_NET_NAME_SLOT": "s"}, "4", "s"),
    ("NamePolicy=slot path", {"ID_NET_NAME_PATH": "p"}, "4", "p"),
    ("NamePolicy=keep kernel path", {"ID_NET_NAME_PATH": "p"}, "3", "eth1"),
    ("NamePolicy=kernel path", {"ID_NET_NAME_PATH": "p"}, "2", "eth1"),
    ("NamePolicy=kernel path", {"ID_NET_NAME_PATH": "p"}, "1", "p"),
    ("NamePolicy=database\nName=rail0", {}, "4", "rail0"),
    ("MTUBytes=1", {"ID_NET_NAME_PATH": "p"}, "4", None),
    ("Name=rail0", {"ID_NET_NAME": "rail1", "ID_NET_LINK_FILE": ETC + "10-a.link"}, "4", "rail1"),
    ("Name=rail0", {"ID_NET_NAME": "rail1", "ID_NET_LINK_FILE": ETC + "00-gpuwright-network-eth1.link"}, "4", "rail1"),
    ("Name=rail0", {"ID_NET_NAME": "rail1", "ID_NET_LINK_FILE": DEFAULT}, "4", "rail0")])
def test_the_name_at_the_next_boot(tmp_path, text, known, assigned, name):
    assert name_of(tmp_path, text, known, assigned) == name


def started_with_ours(tmp_path, copied):
    """What applies without ours to an interface that started with it; `copied` is what it was made of, if it is there.
    """
    known = {"ID_PATH": "pci-0000:02:00.0", "ID_NET_LINK_FILE": ETC + "00-gpuwright-network-eth1.link"}
    files = {"/run/udev/data/n3": link_node.udev(known), ETC + "10-a.link": "[Match]\nOriginalName=enp2s0\n[Link]\n",
             ETC + "20-b.link": "[Match]\nOriginalName=enp3s0\n[Link]\n"}
    if copied:
        files[known["ID_NET_LINK_FILE"]] = "[Match]\n%s\n[Link]\n" % (link_files.COPIED_FROM % copied)
    host = Host(str(link_node.build(tmp_path, **files)))
    it = link_files.device(host, "eth1")
    return link_files.winner(host, it), link_files.undecided(host, it)


@pytest.mark.parametrize("copied", [ETC + "20-b.link", DEFAULT])
def test_after_a_boot_with_ours_what_it_copied_still_applies(tmp_path, copied):
    assert started_with_ours(tmp_path, copied) == (copied, None)


def test_when_ours_has_gone_since_the_boot_udev_cannot_say_what_applies(tmp_path):
    assert started_with_ours(tmp_path, None) == (DEFAULT, ETC + "10-a.link")


def test_a_continued_line_is_one(tmp_path):
    root = link_node.build(tmp_path, **{
        ETC + "10-a.link": "[Match]\n[Link]\nDescription=one \\\n# no end\n  two\nName=eth1 \\"})
    assert [(line["key"], line["value"], line["line"]) for line in link_files.lines(Host(str(root)), ETC + "10-a.link")
            ] == [("Description", "one    two", 3), ("Name", "eth1", 6)]


@pytest.mark.parametrize("number, wins", [("1", False), ("32", True), ("280", False)])
def test_the_type_is_that_of_the_hardware(tmp_path, number, wins):
    file = ETC + "10-a.link"
    found = winner(tmp_path, **{file: "[Match]\nType=infiniband\n[Link]\n", NET + "/eth1/type": number})
    assert (found == file) == wins
