# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live jobs of a node as the test has them, instead of those of the machine that the tests run on."""

from __future__ import annotations

import os


def live_jobs(_host):
    """A job on the nodes that GPUWRIGHT_TEST_BUSY names."""
    busy = os.environ["NODE"] in os.environ.get("GPUWRIGHT_TEST_BUSY", "").split()
    return ([{"pid": 4711, "comm": "vllm", "holds": "/dev/nvidia0"}] if busy else []), True
