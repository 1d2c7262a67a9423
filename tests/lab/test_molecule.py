# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The molecule scenario on real hosts: site, again, reboot, rollback, each proved on the host."""

from __future__ import annotations

import pytest


@pytest.mark.lab
def test_molecule_lab_scenario_passes(show):
    show("molecule-lab", ["molecule", "test", "--scenario-name", "lab"])
