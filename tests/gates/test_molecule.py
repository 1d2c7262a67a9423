# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The molecule scenario that needs no virtual machine."""

from __future__ import annotations


def test_molecule_default_scenario_passes(show):
    show("molecule-default", ["molecule", "test", "--scenario-name", "default"])
