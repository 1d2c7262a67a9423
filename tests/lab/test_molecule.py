# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The molecule scenario on real hosts: site, again, reboot, rollback, each proved on the host."""

from __future__ import annotations

import pytest
import yaml


@pytest.mark.lab
def test_molecule_lab_scenario_passes(show):
    show("molecule-lab", ["molecule", "test", "--scenario-name", "lab"])


@pytest.mark.parametrize("name", ["default", "lab"])
def test_every_step_of_a_scenario_has_something_to_run(checkout, name):
    """Molecule goes on with a warning where a playbook or a folder of tests is missing."""
    scenario = checkout / "molecule" / name
    steps = yaml.safe_load((scenario / "molecule.yml").read_text())["scenario"]["test_sequence"]
    named = [step.split() for step in steps if " " in step]
    assert {verb for verb, _place in named} == {"verify", "side_effect"}
    for verb, place in named:
        assert list((scenario / place).glob("test_*.py")) if verb == "verify" else (scenario / place).is_file()
