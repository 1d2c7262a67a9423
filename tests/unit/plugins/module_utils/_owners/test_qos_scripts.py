# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of who else sets the traffic class: units, hooks and the scripts that they start."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import qos_scripts

from tests.sysroots.plain_node import put

UNIT = "/etc/systemd/system/roce.service"


def found(root):
    return qos_scripts.read(Host(str(root)))


@pytest.mark.parametrize("path, text, what", [
    (UNIT, "[Service]\nExecStart=/usr/bin/mlnx_qos -i eth0 --trust dscp", "mlnx_qos"),
    (UNIT, "[Service]\nExecStartPre=-/sbin/dcb -N pfc set dev eth0 prio-pfc all:off 3:on", "dcb -N pfc"),
    (UNIT, "[Service]\nExecStart=/bin/sh -c 'cma_roce_tos -d mlx5_0 -t 106'", "cma_roce_tos"),
    ("/etc/NetworkManager/dispatcher.d/30-roce", "#!/bin/sh\nmlnx_qos -i $1 --pfc 0,0,0,1,0,0,0,0", "mlnx_qos"),
    ("/etc/udev/rules.d/99-roce.rules", 'ACTION=="add", RUN+="/usr/bin/mlnx_qos -i %k --trust dscp"', "mlnx_qos"),
    ("/etc/rc.local", "echo 106 > /sys/class/infiniband/mlx5_0/tc/1/traffic_class", "/tc/1/traffic_class"),
    ("/etc/network/interfaces", "post-up echo 1 > /sys/class/net/eth0/ecn/roce_np/enable/3", "/ecn/roce_np/"),
])
def test_a_command_is_found_where_it_is_started(tmp_path, path, text, what):
    put(tmp_path, path, text)
    assert found(tmp_path) == [(path, what)]


def test_a_script_of_a_unit_is_looked_into(tmp_path):
    put(tmp_path, UNIT, "[Service]\nExecStart=/usr/local/bin/set-roce --all")
    assert found(tmp_path) == []
    put(tmp_path, "/usr/local/bin/set-roce", "#!/bin/bash\nfor i in eth0; do mlnx_qos -i $i --trust dscp; done")
    assert found(tmp_path) == [(UNIT, "mlnx_qos")]


def test_comments_our_own_and_others_affairs_are_not(tmp_path):
    put(tmp_path, "/etc/rc.local", "# mlnx_qos -i eth0\nexit 0")
    put(tmp_path, "/etc/systemd/system/gpuwright-boot.service", "[Service]\nExecStart=/usr/bin/mlnx_qos")
    put(tmp_path, "/etc/systemd/system/x.service", "[Service]\nExecStart=/usr/bin/dcbnl-exporter")
    assert found(tmp_path) == []
