# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA's daemons, by unit and by process."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils import _host
from ansible_collections.gpuwright.node.plugins.module_utils._health import service

SHOWN = ("Id=nvidia-persistenced.service\nLoadState=loaded\nActiveState=active\n\n"
         "Id=nvidia-fabricmanager.service\nLoadState=loaded\nActiveState=failed\n\n"
         "Id=nvidia-imex.service\nLoadState=not-found\nActiveState=inactive\n")
SYSTEMD = {"/run/systemd/system/x": "", "/proc/812/comm": "nvidia-persiste\n"}


def test_units_and_processes(live):
    host = live({"systemctl": (0, SHOWN, "")}, SYSTEMD)
    assert service.read(host, {}) == {
        "nvidia-persistenced": {"unit": "active", "process": True},
        "nvidia-fabricmanager": {"unit": "failed", "process": False},
        "nvidia-imex": {"unit": None, "process": False}}


def test_a_daemon_in_a_container_has_a_process_and_no_unit(machine):
    found = service.read(machine({"/proc/5/comm": "nv-fabricmanage\n"}), {})
    assert found["nvidia-fabricmanager"] == {"unit": None, "process": True}


def test_a_systemctl_that_hangs_is_told(live):
    host = live({"systemctl": _host.CommandNotRun("systemctl: no answer after 10 s")}, SYSTEMD)
    assert service.read(host, {})["nvidia-persistenced"] == {"unit": None, "process": True}
    assert host.notes == ["systemctl: no answer after 10 s"]


def test_a_systemctl_that_fails_is_told(live):
    host = live({"systemctl": (1, "", "Failed to connect to bus\n")}, SYSTEMD)
    service.read(host, {})
    assert host.notes == ["systemctl: Failed to connect to bus"]


def test_without_systemd_nothing_is_asked(live):
    assert service.read(live({}), {})["nvidia-imex"] == {"unit": None, "process": False}
