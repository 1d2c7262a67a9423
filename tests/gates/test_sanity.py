# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test sanity on the artifact, nothing ignored."""

from __future__ import annotations


def test_ansible_test_sanity_passes(show):
    show("sanity", ["tests/setup/sanity.sh"])
