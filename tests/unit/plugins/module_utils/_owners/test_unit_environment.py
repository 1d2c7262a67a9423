# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of a service's environment, as systemd.exec(5) says that it comes about."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import unit_environment

from tests.sysroots import plain_node
from tests.sysroots.systemd_node import UNITS

UNIT = "a.service"


def next_start(tmp_path, unit_file, **others):
    root = plain_node.build(tmp_path, **dict({"/usr/lib/systemd/system/" + UNIT: "[Service]\n" + unit_file}, **others))
    return unit_environment.next_start(Host(str(root)), UNIT)


@pytest.mark.parametrize("lines, expected", [
    ('Environment=A=1 "B=2 3"', {"A": "1", "B": "2 3"}),
    ("Environment=A=1\nEnvironment=\nEnvironment=B=2", {"B": "2"}),
    ("EnvironmentFile=/etc/one\nEnvironment=A=unit", {"A": "one", "C": "quoted"}),
    ("EnvironmentFile=/etc/two\nEnvironmentFile=-/etc/one", {"A": "one", "C": "quoted"}),
    ("EnvironmentFile=/etc/one\nEnvironmentFile=-/etc/two", {"A": "two", "C": "quoted"}),
    ("EnvironmentFile=/etc/one\nEnvironmentFile=", {}),
    ("EnvironmentFile=-/etc/none\nEnvironment=A=1", {"A": "1"}),
    ("EnvironmentFile=/etc/one\nUnsetEnvironment=C", {"A": "one"}),
    ('Environment="A=1', {'"A': "1"})])
def test_what_the_next_start_is_given(tmp_path, lines, expected):
    files = {"/etc/one": "# A=comment\n[Service]\nA=one\nC='quoted'\n", "/etc/two": "A=t\\\nwo"}
    assert next_start(tmp_path, lines, **files) == expected


def test_a_drop_in_comes_after_the_unit_file(tmp_path):
    drop_in = "%s/%s.d/10-x.conf" % (UNITS, UNIT)
    assert next_start(tmp_path, "Environment=A=1", **{drop_in: "[Service]\nEnvironment=A=2"}) == {"A": "2"}


@pytest.mark.parametrize("folder", unit_environment.CGROUPS)
def test_a_running_service_has_what_it_was_started_with(tmp_path, folder):
    root = plain_node.build(tmp_path, **{
        "/usr/lib/systemd/system/" + UNIT: "[Service]\nEnvironment=A=new",
        "%s/%s/cgroup.procs" % (folder, UNIT): "70\n7", "/proc/7/environ": "A=old\0B=x=y\0",
        "/proc/70/environ": "A=70"})
    host = Host(str(root))
    assert unit_environment.pids(host, UNIT) == [7, 70]
    assert unit_environment.running(host, UNIT) == {"A": "old", "B": "x=y"}


def test_a_service_that_does_not_run_has_what_it_will_get(tmp_path):
    root = plain_node.build(tmp_path, **{"/usr/lib/systemd/system/" + UNIT: "[Service]\nEnvironment=A=new"})
    host = Host(str(root))
    assert unit_environment.running(host, UNIT) == {"A": "new"} and unit_environment.is_installed(host, UNIT)
    assert not unit_environment.is_installed(host, "b.service")
    with pytest.raises(OSError):
        unit_environment.of_process(host, 7)


def test_drop_ins_that_drop_files_are_found(tmp_path):
    root = plain_node.build(tmp_path, **{"%s/%s.d/10-x.conf" % (UNITS, UNIT): "[Service]\nEnvironmentFile="})
    assert [item["name"] for item in unit_environment.drops_files(Host(str(root)), UNIT)] == ["10-x.conf"]
