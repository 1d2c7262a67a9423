# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit tests again, on Python 3.13 with the newer ansible-core."""

from __future__ import annotations

import os


def test_unit_tests_pass_on_the_newer_ansible(show):
    workers = str(min(os.cpu_count() or 1, 8))
    show("unit-3.13", [".cache/venv-3.13/bin/python", "-m", "pytest", "-n", workers, "tests/unit"], STAGES_FROM="")
