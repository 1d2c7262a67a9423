# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends a subcommand with exit status 2: it could not be done, in words for standard error.

PRIVATE to the collection.
"""

from __future__ import annotations


class CannotDo(Exception):
    """The text says what could not be done, and why."""
