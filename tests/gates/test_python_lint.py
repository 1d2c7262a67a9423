# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ruff on every Python file and yamllint on every YAML file."""

from __future__ import annotations


def test_ruff_has_nothing_to_say(show):
    show("ruff", ["ruff", "check", "--no-cache", "."])


def test_yamllint_has_nothing_to_say(show):
    show("yamllint", ["yamllint", "--strict", "."])
