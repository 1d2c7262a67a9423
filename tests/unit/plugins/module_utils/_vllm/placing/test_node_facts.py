# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools, specifications for containers, shared memory and logind, as files and programs tell them."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing import node_facts

from tests.sysroots import sysfs

# As nvidia-ctk cdi generate writes it (documentation of NVIDIA's container toolkit).
_YAML = """---
cdiVersion: 0.5.0
containerEdits:
  deviceNodes:
    - path: /dev/nvidiactl
  env:
    - NVIDIA_VISIBLE_DEVICES=void
devices:
    - containerEdits:
        deviceNodes:
            - path: /dev/nvidia0
      name: "0"
    - containerEdits:
        deviceNodes:
            - path: /dev/nvidia0
      name: GPU-11111111-2222-3333-4444-555555555555
    - containerEdits:
        deviceNodes:
            - path: /dev/nvidia0
      name: all
kind: nvidia.com/gpu
"""


def test_specifications_in_yaml_and_json(tmp_path):
    sysfs.write(tmp_path, "etc/cdi/nvidia.yaml", _YAML)
    sysfs.write(tmp_path, "var/run/cdi/amd.json", json.dumps({
        "cdiVersion": "0.6.0", "kind": "amd.com/gpu", "devices": [{"name": "0", "containerEdits": {}}]}))
    sysfs.write(tmp_path, "etc/cdi/broken.json", "{")
    sysfs.write(tmp_path, "etc/cdi/notes.txt", "kind: x/y")
    assert node_facts.cdi(Host(str(tmp_path))) == {
        "nvidia.com/gpu": ["0", "GPU-11111111-2222-3333-4444-555555555555", "all"], "amd.com/gpu": ["0"]}


class _Programs(Host):
    """A host whose container engines answer: a stand-in for their programs."""

    runs_commands = True

    def run(self, argv, seconds=10, changes=True):
        """Podman's version; Docker's takes too long."""
        if argv == ["podman", "--version"]:
            return 0, "podman version 4.9.3\n", ""
        raise CommandNotRun("%s: no answer after 10 s" % argv[0])


def test_versions_of_what_is_installed(tmp_path):
    for name in ("podman", "docker"):
        sysfs.write(tmp_path, "usr/bin/" + name, "")
    sysfs.write(tmp_path, "usr/local/bin/numactl", "")
    host = _Programs(str(tmp_path))
    assert node_facts.tools(host) == {"numactl": "/usr/local/bin/numactl", "nvidia-ctk": None, "podman": "4.9.3",
                                      "docker": "unknown"}
    assert host.notes == ["docker: no answer after 10 s"]


@pytest.mark.parametrize(("options", "size"), [
    ("rw,nosuid,nodev,inode64", 500 << 20), ("rw,size=65536k", 64 << 20), ("rw,size=8g,mode=1777", 8 << 30)])
def test_the_size_of_shared_memory(options, size, tmp_path):
    sysfs.write(tmp_path, "proc/mounts", "tmpfs /run tmpfs rw,size=1k 0 0\ntmpfs /dev/shm tmpfs %s 0 0" % options)
    sysfs.write(tmp_path, "proc/meminfo", "MemTotal:       1024000 kB")
    assert node_facts.shared_memory(Host(str(tmp_path))) == size


def test_no_mount_no_size(tmp_path):
    assert node_facts.shared_memory(Host(str(tmp_path))) is None


def test_logind_removes_by_default_where_there_is_systemd(tmp_path):
    host = Host(str(tmp_path))
    assert node_facts.remove_ipc(host) is None
    sysfs.write(tmp_path, "run/systemd/system/x", "")
    assert node_facts.remove_ipc(Host(str(tmp_path))) is True
    sysfs.write(tmp_path, "etc/systemd/logind.conf.d/90-gpuwright-rdma_roce.conf", "[Login]\nRemoveIPC=no")
    assert node_facts.remove_ipc(Host(str(tmp_path))) is False


def test_addresses_of_all_interfaces(tmp_path):
    sysfs.write(tmp_path, "said.json", json.dumps([
        {"ifname": "bond0", "addr_info": [{"local": "10.0.0.1"}, {"local": "fe80::1"}]}, {"ifname": "eno1"}]))
    host = Host(str(tmp_path))
    assert node_facts.addresses(host, "/said.json") == {"10.0.0.1": "bond0", "fe80::1": "bond0"}
    assert node_facts.addresses(host, "/nothing.json") == {}


def test_users(tmp_path):
    sysfs.write(tmp_path, "etc/passwd", "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\nbroken")
    assert node_facts.system_users(Host(str(tmp_path))) == {"root": 0, "ada": 1000}
