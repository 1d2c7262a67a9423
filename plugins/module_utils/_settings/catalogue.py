# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: every role's rows, options and rules, by the role's name.

PRIVATE to the collection.
"""

from __future__ import annotations

from . import numa, thp, vm

ROLES = {"vm": vm, "thp": thp, "numa": numa}


def row_by_name(role, name):
    """The row of a role with this name, or None."""
    return next((row for row in ROLES[role].ROWS if row.name == name), None)


def variables(role):
    """Every variable that a role knows, in the order of its rows."""
    return [row.variable for row in ROLES[role].ROWS] + [option["name"] for option in ROLES[role].OPTIONS]
