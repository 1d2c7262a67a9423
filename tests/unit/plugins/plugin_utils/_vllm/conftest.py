# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report folder in which this process is its own run."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The report folder of one run."""
    monkeypatch.setattr(parts, "current_run", lambda: "1-a")
    return str(tmp_path / "report")
