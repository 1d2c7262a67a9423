# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile whose guard does not hold: the engine is not restarted under nsys. The whole of it is played elsewhere."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm_bench import profile

MADE = {"command": ["nsys"], "output": "/var/cache/vllm/llama/x", "delay": 1, "unit": "vllm@llama.service", "left": {},
        "nsys": "/bin/nsys", "stop_timeout": 120}


class Node(Host):
    """A folder of files on which guards are only noted, and are killed as soon as they begin."""

    leases = ()

    def launch(self, argv, folder, environment, seconds, lease):
        """Note it."""
        self.leases += (lease,)

    def ask_after(self, folder):
        """It is gone."""
        raise OSError("%s: ended from outside" % folder)

    def make_private_folder(self, parent, prefix):
        """A name."""
        return "/var/tmp/gpuwright-benchmark-x"

    def end_launched(self, folder):
        """Nothing runs."""
        return False


def test_without_a_guard_nothing_is_restarted_and_no_drop_in_stays(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(profile, "look", lambda *_given: MADE)
    monkeypatch.setattr(profile.running, "find", lambda *_given: None)
    monkeypatch.setattr(profile.running, "refuse_others", lambda *_given: None)
    for name in ("stop", "start", "systemctl"):
        monkeypatch.setattr(profile.vllm_instance, name, lambda _host, *words, name=name: done.append((name, *words)))
    host = Node(str(tmp_path), read_only=False)
    with pytest.raises(OSError, match="ended from outside"):
        profile.begin(host, "llama", {"duration": 1}, ["restart"], 60)
    assert host.leases == (180,)  # A stop may take two minutes in which nobody asks.
    assert not (tmp_path / "run/systemd/system/vllm@llama.service.d").exists()
    assert done == [("systemctl", "daemon-reload"), ("stop", MADE["unit"]), ("start", MADE["unit"])]
