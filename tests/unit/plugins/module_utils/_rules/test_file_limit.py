# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of rule R17: files that lower a limit, and services that ask for more than there can be."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result

from tests.sysroots import network_node, plain_node
from tests.sysroots.engine import plan, steps

GUIDE = "/etc/sysctl.d/99-guide.conf"


def made(root, values):
    return plan(root, "network", values, kernel=network_node.Network, options=network_node.OPTIONS)


def found(root, values):
    return [(one["severity"], one["setting"], one["message"]) for one in made(root, values).findings
            if one["rule"] == "R17"]


def test_a_file_that_lowers_what_systemd_raised_is_named_with_its_line(tmp_path):
    root = network_node.build(tmp_path, **{GUIDE: "# a guide\nfs.file-max = 2097152",
                                           "/proc/sys/fs/file-max": "2097152"})
    assert found(root, {}) == [(
        "W", None, GUIDE + ":2 sets fs.file-max = 2097152, which lowers what systemd raises to 9223372036854775807 at "
        "boot, and jobs of many ranks run out of files: remove that line")]


@pytest.mark.parametrize("line", ["fs.file-max = 9223372036854775807", "fs.nr_open = 1048576", "-fs.file-max",
                                  "net.core.somaxconn = 65535", "net.ipv4.tcp_rmem = 4096 131072 33554432"])
def test_a_file_that_lowers_nothing_is_nothing_to_talk_about(tmp_path, line):
    assert found(network_node.build(tmp_path, **{GUIDE: line}), {}) == []


@pytest.mark.parametrize("line, key", [
    ("fs.nr_open = 65536", "fs.nr_open"), ("net.core.somaxconn = 1024", "net.core.somaxconn"),
    ("net.ipv4.tcp_rmem = 4096 87380 134217728", "net.ipv4.tcp_rmem"),
    ("net.ipv4.tcp_wmem = 4096\t8192\t134217728", "net.ipv4.tcp_wmem")])
def test_what_a_kernel_of_today_starts_with_is_not_to_be_lowered(tmp_path, line, key):
    (severity, setting, words), = found(network_node.build(tmp_path, **{GUIDE: line}), {})
    assert (severity, setting) == ("W", None) and words.startswith("%s:1 sets %s = " % (GUIDE, key))


def test_where_our_own_line_is_read_later_theirs_does_no_harm(tmp_path):
    root = network_node.build(tmp_path, **{"/etc/sysctl.d/50-guide.conf": "net.core.somaxconn = 1024"})
    assert found(root, {"net.core.somaxconn": 4096}) == []
    assert len(found(root, {})) == 1
    (root / "etc/sysctl.d/50-guide.conf").rename(root / GUIDE[1:])
    (severity, setting, _words), = found(root, {"net.core.somaxconn": 4096})
    assert (severity, setting) == ("W", "net.core.somaxconn")
    assert steps(made(root, {"net.core.somaxconn": 4096}))["net.core.somaxconn"]["status"] == "conflict"


def test_without_systemd_nobody_has_raised_it(tmp_path):
    root = network_node.build(tmp_path, **{GUIDE: "fs.file-max = 2097152"})
    (root / "run/systemd/system").rmdir()
    assert found(root, {}) == []


def test_what_the_last_file_says_counts(tmp_path):
    root = network_node.build(tmp_path, **{"/usr/lib/sysctl.d/10-a.conf": "fs.nr_open = 65536",
                                           "/etc/sysctl.d/20-b.conf": "fs.nr_open = 2097152"})
    assert found(root, {}) == []
    plain_node.put(root, "/etc/sysctl.d/90-gpuwright-network.conf", "fs.nr_open = 5000")
    assert found(root, {}) == []


def test_a_service_cannot_have_more_than_a_process(tmp_path):
    root = network_node.build(tmp_path)
    (severity, setting, words), = found(root, {"LimitNOFILE": 1048576})
    assert (severity, setting) == ("E", "LimitNOFILE")
    assert words == "1048576 is above fs.nr_open, 524288: raise network_nr_open, or ask for less"
    both = made(root, {"LimitNOFILE": 1048576})
    assert steps(both)["docker.service/LimitNOFILE"]["status"] == "refused" and _result.failures(both)
    assert found(root, {"LimitNOFILE": 1048576, "fs.nr_open": 1048576}) == []
    assert found(root, {"LimitNOFILE": "infinity", "fs.nr_open": 1048576})[0][0] == "E"
