# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of model files share: a hub that runs, and a node with a volume for models."""

from __future__ import annotations

import pytest

from tests.sysroots import model_hub


@pytest.fixture(name="hub")
def fixture_hub():
    """A running hub."""
    with model_hub.serve() as running:
        yield running


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    """A node with a volume for models."""
    (tmp_path / "node" / "data").mkdir(parents=True)
    return tmp_path / "node"
