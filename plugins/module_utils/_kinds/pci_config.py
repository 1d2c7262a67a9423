# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind pci_config: not wired yet.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has.
"""

from __future__ import annotations

KEYED_BY = "target"
VOLATILE = True
OWNER = None
ABSENT = "not wired yet"


def files(role):
    return []


def file(role, target, taken=False):
    return None


def places(host, row, options):
    return []


def devices(host):
    return {}


def others(host):
    return []
