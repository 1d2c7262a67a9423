# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of which line of limits.conf and limits.d decides, and for whom."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import pam_limits

from tests.sysroots import plain_node

# What Linux-PAM 1.5.2 makes of these files for a user whom no line names, and for root: core 40:44 and 55:55.
FILES = {
    "/etc/security/limits.conf": "nobody - core 11\n*\t-\tcore\t22  # a comment\n#* - core 1",
    "/etc/security/limits.d/50-a.conf": "* - core 33\n* soft nice 0",
    "/etc/security/limits.d/60-b.conf": "* hard core 44\nroot - core 55\n* soft core 40\n@students hard core 5",
    "/etc/security/limits.d/70-c.txt": "* - core 99",
}


def host_with(folder, **files):
    return Host(str(plain_node.build(folder, **files)))


@pytest.mark.parametrize("domain, values", [("*", ["40", "44"]), ("root", ["55", "55"]), ("nobody", ["11", "11"])])
def test_the_later_line_wins_and_everybody_is_not_root(tmp_path, domain, values):
    found = pam_limits.lines(host_with(tmp_path, **FILES))
    assert [one["value"] for one in pam_limits.deciding(found, domain, "core")] == values


def test_every_line_has_its_place(tmp_path):
    found = pam_limits.lines(host_with(tmp_path, **FILES))
    assert [(one["file"].rpartition("/")[2], one["line"], one["name"]) for one in found] == [
        ("limits.conf", 1, ""), ("limits.conf", 2, ""), ("50-a.conf", 1, "50-a.conf"), ("50-a.conf", 2, "50-a.conf"),
        ("60-b.conf", 1, "60-b.conf"), ("60-b.conf", 2, "60-b.conf"), ("60-b.conf", 3, "60-b.conf"),
        ("60-b.conf", 4, "60-b.conf")]


def test_lines_for_some_users_are_told_apart(tmp_path):
    found = pam_limits.of_some(pam_limits.lines(host_with(tmp_path, **FILES)), "core")
    assert [one["domain"] for one in found] == ["nobody", "@students"]


@pytest.mark.parametrize("line, used", [
    ("session required pam_limits.so", True), ("-session optional pam_limits.so", True),
    ("#session required pam_limits.so", False), ("session required pam_limits.so conf=/etc/other", False),
    ("session required pam_unix.so", False), ("session [default=1] /lib/security/pam_limits.so", True)])
def test_whether_pam_reads_them(tmp_path, line, used):
    assert pam_limits.is_used(host_with(tmp_path, **{"/etc/pam.d/sshd": "auth required pam_env.so\n" + line})) is used


@pytest.mark.parametrize("files, uses", [
    ({}, None), ({"sshd_config": "Port 22"}, False), ({"sshd_config": "UsePAM yes"}, True),
    ({"sshd_config": "#UsePAM yes"}, False), ({"sshd_config": "usepam no\nUsePAM yes"}, False),
    ({"sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes", "sshd_config.d/a.conf": "UsePAM=no"}, False),
    ({"sshd_config": "Include sshd_config.d/*.conf\nUsePAM no", "sshd_config.d/a.conf": "UsePAM yes"}, True),
    ({"sshd_config": "UsePAM yes\nInclude sshd_config.d/*.conf", "sshd_config.d/a.conf": "UsePAM no"}, True)])
def test_whether_sshd_asks_pam(tmp_path, files, uses):
    host = host_with(tmp_path, **{"/etc/ssh/" + name: text for name, text in files.items()})
    assert pam_limits.sshd_uses_pam(host) is uses
