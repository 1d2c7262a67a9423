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

from tests.sysroots import eight_gpu, plain_node  # noqa: E402


def build():
    """One plain node; one with eight GPUs, to which a plain node's values are added."""
    plain_node.build(NODES / "plain-node")
    gpu_node = NODES / "gpu-node"
    eight_gpu.build(gpu_node)
    plain_node.build(gpu_node, **{path: None for path in plain_node.FILES if (gpu_node / path[1:]).exists()})
    for name in ("plain-node", "gpu-node"):
        shutil.copytree(NODES / name, NODES / (name + ".before"), symlinks=True)


if __name__ == "__main__":
    build()
