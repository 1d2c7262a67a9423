# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the versions in the report (R34): hosts that differ from most are told, those that agree are not."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import summary, versions


def host(driver="570.86.15", gpu="NVIDIA H100 80GB HBM3", count=8):
    gpus = [{"index": number, "name": gpu, "driver": "nvidia", "driver_version": driver} for number in range(count)]
    return {"status": "answered", "message": None, "classes": [], "reboot_required": False, "changed": False,
            "roles": {}, "settings": [], "rules": [], "topology": {"gpus": gpus}}


def shown(hosts):
    found = versions.none()
    for name, one in hosts:
        versions.add(found, name, one)
    return [text for text, _kind in versions.lines(found, 200)]


def fleet(odd, count=3):
    return [("n%02d" % number, host()) for number in range(count)] + [("x", odd)]


@pytest.mark.parametrize("odd", [host(), dict(host(), topology=None), host(None), host("535", "NVIDIA A100-SXM4-80GB"),
                                 host("535", gpu=None), host("535", count=4), host(count=0)])
def test_hosts_that_agree_or_have_nothing_in_common_are_not_mentioned(odd):
    assert shown(fleet(odd)) == []


def test_another_driver_is_r34():
    assert shown(fleet(host("560.35.03"))) == [
        "", "Versions that are not those of most nodes",
        "  x: R34: the nvidia driver is 560.35.03, and 570.86.15 on 3 of 4 nodes of its model"]


def test_the_screen_has_room_for_few():
    hosts = [("n%02d" % number, host()) for number in range(30)]
    hosts += [("x%02d" % number, host("560")) for number in range(14)]
    lines = shown(hosts)
    assert len(lines) == 13 and lines[-1] == "  and 4 more"


def test_few_and_many_hosts_show_it():
    hosts = fleet(host("560"))
    assert any("R34" in text for text, _kind in summary.of_few(hosts, 100))
    merged = summary.empty_merge()
    for name, one in hosts:
        summary.merge(merged, name, one)
    assert any("R34" in text for text, _kind in summary.of_many(merged, 100))
