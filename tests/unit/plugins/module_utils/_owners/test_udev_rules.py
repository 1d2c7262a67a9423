# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what other udev rules make of the devices here."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import udev_rules

from tests.sysroots import block_node, plain_node

KEY = "nvme0n1/queue/nomerges"


def put(root, name, text, folder="/etc/udev/rules.d"):
    plain_node.put(root, "%s/%s" % (folder, name), text)


def found(root, key=KEY):
    return [(one["name"], one["line"], one["value"]) for one in udev_rules.assignments(Host(str(root)))
            if one["key"] == key]


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    root = block_node.build(tmp_path)
    plain_node.put(root, "/sys/class/net/eth0/ifindex", "2")
    return root


def test_files_of_all_folders_come_in_the_order_of_their_names(root):
    put(root, "70-b.rules", 'ATTR{queue/nomerges}="1"', "/usr/lib/udev/rules.d")
    put(root, "60-c.rules", 'ATTR{queue/nomerges}="2"')
    put(root, "80-a.rules", 'ATTR{queue/nomerges}="0"', "/run/udev/rules.d")
    put(root, "99-not.conf", 'ATTR{queue/nomerges}="0"')
    assert found(root) == [("60-c.rules", 1, "2"), ("70-b.rules", 1, "1"), ("80-a.rules", 1, "0")]


def test_a_file_masks_those_of_its_name_in_later_folders(root):
    put(root, "70-b.rules", 'ATTR{queue/nomerges}="1"', "/usr/lib/udev/rules.d")
    put(root, "70-b.rules", "# Nothing.")
    assert found(root) == []
    (root / "etc/udev/rules.d/70-b.rules").unlink()
    (root / "etc/udev/rules.d/70-b.rules").symlink_to("/dev/null")
    assert found(root) == []


@pytest.mark.parametrize("conditions, met", [
    ('KERNEL=="nvme*"', True), ('KERNEL=="sd*|nvme[0-9]n1"', True), ('KERNEL=="sd*"', False), ('KERNEL!="sd*"', True),
    ('SUBSYSTEM=="block"', True), ('SUBSYSTEM=="net"', False), ('ACTION=="add|change"', True),
    ('ACTION=="remove"', False), ('ACTION!="remove"', True), ('ATTR{queue/rotational}=="0"', True),
    ('ATTR{queue/rotational}=="1"', False), ('ATTR{queue/none}=="1"', False), ('ATTR{queue/none}!="1"', False),
    ('ENV{DEVTYPE}=="disk"', True), ('ENV{DEVTYPE}=="partition"', False), ('ENV{ID_MODEL}=="Fast*"', True),
    ('ENV{ID_MODEL}=="Slow"', False), ('ENV{ID_NONE}!="?*"', True), ('ATTRS{vendor}=="0x1234"', True),
    ('TEST=="queue"', True), ('PROGRAM=="/bin/true"', True)])
def test_conditions_are_judged_and_where_they_cannot_be_taken_to_be_met(root, conditions, met):
    plain_node.put(root, "/run/udev/data/b259:0", "I:1\nE:ID_MODEL=Fast one\nV:1")
    put(root, "99-a.rules", conditions + ', ATTR{queue/nomerges}="1"')
    assert found(root) == ([("99-a.rules", 1, "1")] if met else [])


def test_a_rule_may_jump_over_others(root):
    put(root, "99-a.rules", 'SUBSYSTEM!="block", GOTO="end"\nKERNEL=="vd*", GOTO="end"\n'
                            'ATTR{queue/nomerges}="1"\nLABEL="end"\nATTR{queue/nomerges}="2"')
    assert found(root) == [("99-a.rules", 3, "1"), ("99-a.rules", 5, "2")]
    assert found(root, "vda/queue/nomerges") == [("99-a.rules", 5, "2")]


def test_lines_go_on_after_a_backslash_and_are_numbered_as_an_editor_does(root):
    put(root, "99-a.rules", '# A comment \\\nKERNEL=="nvme*", \\\n  ATTR{queue/nomerges}="1"\n\n'
                            'ATTR{queue/nomerges}="2" # Not a comment here, but no rule either.')
    assert found(root) == [("99-a.rules", 2, "1"), ("99-a.rules", 5, "2")]


def test_what_a_rule_remembers_counts_in_later_ones(root):
    put(root, "10-a.rules", 'KERNEL=="nvme0*", ENV{FAST}="1", ATTR{queue/rq_affinity}="2"')
    put(root, "99-a.rules", 'ENV{FAST}=="1", ATTR{queue/nomerges}="1"')
    assert found(root) == [("99-a.rules", 1, "1")]
    assert found(root, "nvme1n1/queue/nomerges") == []


def test_a_value_that_only_udev_can_tell_is_none(root):
    put(root, "99-a.rules", 'ATTR{queue/nomerges}="$env{WHAT}"')
    assert found(root) == [("99-a.rules", 1, None)]


def test_a_program_comes_after_all_rules(root):
    put(root, "10-a.rules", 'KERNEL=="nvme*", RUN+="/bin/sh -c \'echo 2 > /sys/block/%k/queue/nomerges\'"')
    (one,) = [item for item in udev_rules.assignments(Host(str(root))) if item["key"] == KEY]
    assert (one["last"], one["value"], one["line"]) == (True, None, 1)


def test_attributes_of_interfaces_are_told_apart_from_those_of_disks(root):
    put(root, "99-a.rules", 'SUBSYSTEM=="net", KERNEL=="eth*", ATTR{gro_flush_timeout}="20000"')
    assert [(one["key"], one["value"]) for one in udev_rules.assignments(Host(str(root)))] == [
        ("eth0/net/gro_flush_timeout", "20000")]
