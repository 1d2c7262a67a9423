# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the limits of services as their processes, systemd and its files tell them."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import limits

from tests.sysroots import service_node
from tests.sysroots.service_node import DOCKER, LIB, PID, SLURMD, UNITS, Services


def test_a_process_tells_its_pair_from_the_table(tmp_path):
    host = Host(str(service_node.build(tmp_path)))
    assert limits.of_process(host, PID, "LimitNOFILE") == "1024:524288"
    assert limits.of_process(host, PID, "LimitSTACK") == "8388608:unlimited"


def test_the_real_kernels_table_has_every_row():
    assert all(limits.of_process(Host(), "self", name).count(":") == 1 for name in limits.NAMES)


def test_the_main_process_is_systemds_word_and_without_it_the_first(tmp_path):
    root = service_node.build(tmp_path, **{"/sys/fs/cgroup/system.slice/%s/cgroup.procs" % DOCKER: "650\n700"})
    assert limits.main_process(Host(str(root)), DOCKER) == 650
    assert limits.main_process(Services(str(root)), SLURMD) is None


@pytest.mark.parametrize("host_class", [Host, Services])
def test_the_next_start_is_told_by_systemd_or_by_its_files(tmp_path, host_class):
    drop_in = "%s/%s.d/20-site.conf" % (UNITS, SLURMD)
    root = service_node.build(tmp_path, **{drop_in: "[Service]\nLimitNOFILE=4096:8192"})
    assert limits.next_start(host_class(str(root)), SLURMD, "LimitNOFILE") == "4096:8192"


def test_files_alone_do_not_tell_systemds_built_in_default(tmp_path):
    root = service_node.build(tmp_path)
    assert limits.next_start(Host(str(root)), DOCKER, "LimitMEMLOCK") == ""
    service_node.plain_node.put(root, "/etc/systemd/system.conf", "[Manager]\nDefaultLimitMEMLOCK=1G")
    assert limits.next_start(Host(str(root)), DOCKER, "LimitMEMLOCK") == "1G"


def test_whoever_sets_one_is_listed_with_its_line(tmp_path):
    host = Host(str(service_node.build(tmp_path)))
    assert [(item["unit"], item["key"], item["value"], item["file"], item["line"]) for item in limits.assignments(host)
            ] == [(SLURMD, "LimitMEMLOCK", "infinity", LIB + SLURMD, 3)]


@pytest.mark.parametrize("named, unit", [
    ("docker", DOCKER), (DOCKER, DOCKER), ("containerd.service", None), ("vllm@a.service", "vllm@a.service"),
    ("dockerd.service", DOCKER)])
def test_names_and_aliases_lead_to_the_unit(tmp_path, named, unit):
    root = service_node.build(tmp_path, **{LIB + "vllm@.service": "[Service]"})
    (root / "etc/systemd/system/dockerd.service").symlink_to(LIB + DOCKER)
    assert limits.canonical(Host(str(root)), named) == unit
