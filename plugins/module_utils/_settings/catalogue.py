# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: every role's rows, options and rules, by the role's name.

PRIVATE to the collection.
"""

from __future__ import annotations

from . import cpu_isolation, numa, thp, vm

ROLES = {"vm": vm, "thp": thp, "numa": numa, "cpu_isolation": cpu_isolation}

# The variables that belong to no role; README.md says what each does.
FOR_EVERY_ROLE = ("gpuwright_allow", "gpuwright_ignore_variables", "gpuwright_nodes", "gpuwright_report_dir",
                  "gpuwright_serial", "gpuwright_take_over", "gpuwright_workload")


def variables(role):
    """Every variable that a role knows, in the order of its rows."""
    return [row.variable for row in ROLES[role].ROWS] + [option["name"] for option in ROLES[role].OPTIONS]
