# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of which files are ours, where there is one for each of any number of devices."""

from __future__ import annotations

import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _drop_ins
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host

from tests.sysroots import plain_node

UNITS = "/etc/systemd/system"
KIND = types.SimpleNamespace(files=lambda role: [UNITS + "/*.service.d/90-gpuwright-%s-limits.conf" % role])


@pytest.mark.parametrize("path, ours", [
    (UNITS + "/a.service.d/90-gpuwright-network-limits.conf", True),
    (UNITS + "/a@b.service.d/90-gpuwright-network-limits.conf", True),
    (UNITS + "/a.service.d/90-gpuwright-nvme-limits.conf", False),
    (UNITS + "/a.slice.d/90-gpuwright-network-limits.conf", False), (None, False)])
def test_a_star_stands_for_any_device(path, ours):
    assert _drop_ins.owns(KIND, "network", path) is ours


def test_the_files_that_are_there_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(_drop_ins, "KINDS", {"one": KIND})
    name = UNITS + "/%s.service.d/90-gpuwright-network-limits.conf"
    root = plain_node.build(tmp_path, **{
        name % "a": "[Service]", name % "b": "[Service]\nLimitNOFILE=1", UNITS + "/c.service.d/20-site.conf": ""})
    found = _drop_ins.our_files(Host(str(root)), "network")
    assert found == {name % "a": "[Service]\n", name % "b": "[Service]\nLimitNOFILE=1\n",
                     "/etc/gpuwright/desired/network.json": None}
