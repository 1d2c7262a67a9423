# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that need a network of their own on the real kernel are left out, in words, where nobody may have one."""

from __future__ import annotations

from tests.sysroots import namespace


def pytest_configure(config):
    """Find out whether this machine lets us."""
    config.addinivalue_line("markers", "netns: needs a network namespace")
    try:
        namespace.inside(int)
        config.no_netns = False
    except (AssertionError, OSError) as error:
        config.no_netns = True
        config.left_out.append("policy routing of the real kernel: no network namespace to be had: %s"
                               % str(error).strip().splitlines()[-1])


def pytest_collection_modifyitems(config, items):
    """Leave them out where there is none."""
    if config.no_netns:
        items[:] = [item for item in items if item.get_closest_marker("netns") is None]
