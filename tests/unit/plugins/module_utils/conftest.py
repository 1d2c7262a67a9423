# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis the same on every machine: no clock decides, every run has the same examples, nothing is left behind."""

from __future__ import annotations

import hypothesis
import hypothesis.configuration

from tests.conftest import CHECKOUT

hypothesis.configuration.set_hypothesis_home_dir(CHECKOUT / ".cache" / "hypothesis")
hypothesis.settings.register_profile("gpuwright", database=None, deadline=None, derandomize=True, max_examples=300,
                                     suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("gpuwright")
