# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the scenario's nodes below the ephemeral folder, and a second copy of each to compare with at the end."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

PROJECT = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
NODES = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "nodes"

sys.path[:0] = [str(PROJECT), str(PROJECT / ".cache" / "collections")]

from tests.sysroots import block_node, eight_gpu, network_node, plain_node  # noqa: E402

SYSCTLS = {"/proc/sys/" + key: value for key, value in network_node.SYSCTLS.items()}
# What eight_gpu.py lacks of an RDMA node: the connection manager's defaults, and logins that read limits.d.
RDMA = {
    "/etc/pam.d/common-session": "session required pam_limits.so",
    "/etc/pam.d/sshd": "@include common-session",
    **{"/sys/kernel/config/rdma_cm/%s/ports/1/default_roce_tos" % name: "0"
       for name in (*eight_gpu.RAILS, *eight_gpu.STORAGE)},
}
# The GPUs' daemons run: a folder has no systemd to start them.
DAEMONS = ("nvidia-persistenced.service", "nvidia-fabricmanager.service")
FOLDERS = ("etc/udev/rules.d", "etc/systemd/system", "etc/modprobe.d", "etc/modules-load.d",
           "etc/security/limits.d")


def build():
    """One plain node with two NVMe drives; one with eight GPUs, to which a plain node's values are added."""
    mount = block_node.mounted("259:0", "/models", source="/dev/nvme0n1")
    block_node.build(NODES / "plain-node", block_node.ROOT_FS, mount, **SYSCTLS)
    gpu_node = NODES / "gpu-node"
    eight_gpu.build(gpu_node)
    here = {path: None for path in plain_node.FILES if (gpu_node / path[1:]).exists()}
    plain_node.build(gpu_node, **SYSCTLS, **RDMA, **here)
    for number, unit in enumerate(DAEMONS):
        plain_node.put(gpu_node, "/sys/fs/cgroup/system.slice/%s/cgroup.procs" % unit, str(900 + number))
        wanted = "/etc/systemd/system/multi-user.target.wants/" + unit
        block_node.link(gpu_node, wanted, "/usr/lib/systemd/system/" + unit)
    for name in ("plain-node", "gpu-node"):
        for folder in FOLDERS:
            (NODES / name / folder).mkdir(parents=True, exist_ok=True)
        shutil.copytree(NODES / name, NODES / (name + ".before"), symlinks=True)


if __name__ == "__main__":
    build()
