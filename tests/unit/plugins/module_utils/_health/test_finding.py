# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of findings."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._health import finding


def test_a_finding():
    assert finding.finding("E", None, "gpu_lost", "GPU 1") == {
        "severity": "E", "device": None, "what": "gpu_lost", "message": "GPU 1"}


def test_numbers_with_their_noun():
    assert [finding.plural(count, "bank") for count in (0, 1, 2)] == ["0 banks", "1 bank", "2 banks"]
