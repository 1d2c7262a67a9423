# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else owns a setting: named in check mode too, taken over when asked for, given back by rollback."""

from __future__ import annotations

import json

import pytest

LOCAL = "/etc/sysctl.d/99-local.conf"
PROFILE = "local-database"
PROFILE_TEXT = "[main]\\ninclude=throughput-performance\\n[vm]\\ntransparent_hugepages=never\\n"
TAKE_OVER = ["-e", json.dumps({"gpuwright_take_over": ["tuned", "sysctl.d"]})]

# What the profile, or the one that it includes, sets to something else.
OF_TUNED = {"transparent_hugepage/enabled", "vm.dirty_ratio", "vm.dirty_background_ratio"}
THP = "transparent_hugepage/enabled"

# tuned in its own words, once it is idle: the profile, and whether all of its values are in place.
TUNED = "tuned-adm active && systemctl is-active tuned"

# The kernel reckons this one itself whenever huge pages go from never to anything else or back, each time a little
# differently, for its result depends on the last one. Writing it would keep the kernel from ever doing so again.
RECKONED = {"/proc/sys/vm/min_free_kbytes"}


@pytest.fixture(scope="module")
def occupied(node):
    """The host with an administrator's sysctl file and an active tuned profile; and how it is then."""
    node.command("set -e; echo 'vm.swappiness = 42' > %s; sysctl -q -p %s" % (LOCAL, LOCAL))
    node.command("set -e; cd /etc/tuned; mkdir %s; printf '%s' > %s/tuned.conf" % (PROFILE, PROFILE_TEXT, PROFILE))
    node.command("set -e; systemctl start tuned; tuned-adm profile %s" % PROFILE)
    before = node.snapshot()
    yield before
    node.command("rm -r %s /etc/tuned/%s; tuned-adm off; systemctl stop tuned" % (LOCAL, PROFILE))


def steps(answer):
    """Steps by name, for settings that have one step each."""
    return {step["name"]: step for step in answer["settings"]}


def different(before, after):
    """The names of what came, went, or is not the same."""
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


@pytest.mark.lab
def test_owners_are_named_in_check_mode_then_taken_over_then_have_it_back(node, occupied):
    found = steps(node.playbook("site", "--check"))
    conflicts = {name: step["reason"] for name, step in found.items() if step["status"] == "conflict"}
    assert set(conflicts) == {"vm.swappiness", *OF_TUNED}
    assert LOCAL in conflicts["vm.swappiness"]
    for name in OF_TUNED:
        assert "tuned" in conflicts[name]
        assert PROFILE in conflicts[name]

    node.playbook("site", *TAKE_OVER)
    answer = node.playbook("audit", *TAKE_OVER)
    assert {steps(answer)[name]["status"] for name in conflicts} == {"ok"}
    assert {step["status"] for step in answer["settings"]} == {"ok", "not_applicable"}
    running = node.command("cat /proc/sys/vm/swappiness /sys/kernel/mm/%s %s; %s" % (THP, LOCAL, TUNED)).splitlines()
    assert running[:3] == ["10", "always [madvise] never", "vm.swappiness = 42"]
    assert running[-1] == "active"

    node.playbook("rollback")
    now = node.snapshot()
    assert different(occupied["values"], now["values"]) - RECKONED == set()
    assert different(occupied["files"], now["files"]) == set()
    assert PROFILE in node.command(TUNED)
