# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changelog's fragments are what antsibull-changelog can publish."""

from __future__ import annotations


def test_changelog_fragments_are_valid(show):
    show("changelog", ["antsibull-changelog", "lint"])
