# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-lint, production profile, nothing ignored."""

from __future__ import annotations


def test_ansible_lint_has_nothing_to_say(show):
    show("ansible-lint", ["ansible-lint", "--profile", "production", "--strict", "--nocolor"])
