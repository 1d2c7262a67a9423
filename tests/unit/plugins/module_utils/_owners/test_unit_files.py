# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of who sets a property of a unit: folders, names and prefixes in systemd's order, as seen on systemd 252."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import unit_files

from tests.sysroots import plain_node
from tests.sysroots.plain_node import put

UNIT = "a-b.slice"
LAID = {
    "/usr/lib/systemd/system/a-b.slice": "[Slice]\nAllowedCPUs=0",
    "/etc/systemd/system/a-b.slice": "[Slice]\nAllowedCPUs=1",
    "/etc/systemd/system/a-b.slice.d/50-x.conf": "[Slice]\nAllowedCPUs=2",
    "/usr/lib/systemd/system/a-b.slice.d/50-x.conf": "[Slice]\nAllowedCPUs=3",
    "/run/systemd/system/a-.slice.d/60-x.conf": "[Slice]\nAllowedCPUs=4",
    "/usr/lib/systemd/system/slice.d/70-x.conf": "[Slice]\nAllowedCPUs=5",
    "/etc/systemd/system/slice.d/50-x.conf": "[Slice]\nAllowedCPUs=6",
    "/etc/systemd/system/a-b.slice.d/README": "AllowedCPUs=7",
}


def laid(root, files):
    for path, text in files.items():
        put(root, path, text)
    return Host(str(root))


def test_files_come_in_the_order_in_which_systemd_reads_them(tmp_path):
    host = laid(tmp_path, LAID)
    assert [item["value"] for item in unit_files.assignments(host, UNIT, {"AllowedCPUs"})] == ["1", "2", "4", "5"]


@pytest.mark.parametrize("text, found", [
    ("[Slice]\n#AllowedCPUs=0\n ;AllowedCPUs=0\nAllowedCPUs = 1 \n", [("1", 4)]),
    ("[Slice]\nAllowedCPUs=1 \\\n# between\n  2\nCPUWeight=5\nAllowedCPUs=\n", [("1    2", 2), ("", 6)]),
    ("", []), ("junk\n[Slice\nAllowedCPUs\n", []),
])
def test_lines_are_read_as_systemd_does(tmp_path, text, found):
    host = laid(tmp_path, {"/etc/systemd/system/" + UNIT: text})
    lines = [(item["value"], item["line"]) for item in unit_files.assignments(host, UNIT, {"AllowedCPUs"})]
    assert lines == found


def test_an_instance_is_made_from_its_template(tmp_path):
    host = laid(tmp_path, {
        "/usr/lib/systemd/system/llm@.service": "[Service]\nSlice=a.slice",
        "/etc/systemd/system/llm@.service.d/50-x.conf": "[Service]\nSlice=b.slice",
        "/etc/systemd/system/llm@.service.d/60-x.conf": "[Service]\nSlice=c.slice",
        "/etc/systemd/system/llm@one.service.d/50-x.conf": "[Service]\nSlice=d.slice",
        "/etc/systemd/system/llm@two.service": "[Service]\nSlice=e.slice"})

    def said(unit):
        return [item["value"] for item in unit_files.assignments(host, unit, {"Slice"})]
    assert said("llm@one.service") == ["a.slice", "d.slice", "c.slice"]
    assert said("llm@two.service") == ["e.slice", "b.slice", "c.slice"]
    assert said("llm@.service") == ["a.slice", "b.slice", "c.slice"]


def test_services_are_those_with_a_file_that_nothing_masks(tmp_path):
    root = plain_node.build(tmp_path, **{"/usr/lib/systemd/system/a.service": "", "/etc/systemd/system/b@.service": "",
                                         "/usr/lib/systemd/system/c.service": "", "/dev/null": "",
                                         "/usr/lib/systemd/system/d.timer": ""})
    (root / "etc/systemd/system/c.service").symlink_to("/dev/null")
    assert unit_files.services(Host(str(root))) == ["a.service", "b@.service"]


def test_who_sets_a_key_is_found_by_unit_drop_in_and_shared_drop_in(tmp_path):
    units = "/usr/lib/systemd/system/"
    root = plain_node.build(tmp_path, **{
        units + "a.service": "LimitNOFILE=1", units + "b.service": "", units + "c-one.service": "",
        units + "d.service": "",
        "/etc/systemd/system/b.service.d/x.conf": "LimitNOFILE=1",
        "/etc/systemd/system/c-.service.d/x.conf": "LimitNOFILE=1"})
    assert unit_files.that_set(Host(str(root)), ("LimitNOFILE",)) == ["a.service", "b.service", "c-one.service"]
    plain_node.put(root, "/etc/systemd/system/service.d/x.conf", "LimitNOFILE=1")
    assert "d.service" in unit_files.that_set(Host(str(root)), ("LimitNOFILE",))
