# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners of host settings: only what runs, or left its state, counts."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._topology import owner

NOBODY = {"tuned": None, "kubelet": False, "nodewright": False, "irqbalance": False, "lldpad": False}
PROFILE = {"/etc/tuned/active_profile": "throughput-performance\n"}


@pytest.mark.parametrize(("files", "answer"), [
    ({"/proc/1/comm": "systemd\n"}, {}),
    (dict(PROFILE, **{"/proc/1/comm": "systemd\n"}), {}),
    (dict(PROFILE, **{"/proc/1/comm": "systemd\n", "/run/tuned/tuned.pid": "77"}), {}),
    (dict(PROFILE, **{"/proc/77/comm": "tuned\n"}), {"tuned": "throughput-performance"}),
    (dict(PROFILE, **{"/run/tuned/tuned.pid": "77\n"}), {"tuned": "throughput-performance"}),
    ({"/proc/77/comm": "tuned\n", "/etc/tuned/active_profile": "\n"}, {}),
    ({"/proc/77/comm": "tuned\n", "/etc/tuned/active_profile": "a  b\n"}, {"tuned": "a b"}),
    ({"/proc/9/comm": "kubelet\n"}, {"kubelet": True}),
    ({"/proc/9/comm": "k3s-agent\n"}, {"kubelet": True}),
    ({"/proc/9/comm": "kubelet-wrapper\n"}, {}),
    ({"/proc/9/comm": "irqbalance\n", "/proc/10/comm": "lldpad\n"}, {"irqbalance": True, "lldpad": True}),
    ({"/run/irqbalance.pid": "3"}, {"irqbalance": True}),
    ({"/etc/skyhook/flags/x": ""}, {"nodewright": True}),
    ({"/var/lib/skyhook/x": ""}, {"nodewright": True}),
    ({"/etc/skyhook/config.yaml": ""}, {}),
    ({"/proc/notanumber/comm": "kubelet\n", "/proc/5/stat": ""}, {}),
])
def test_owners(machine, files, answer):
    assert owner.read(machine(files), {}) == dict(NOBODY, **answer)
