# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rule returns: one finding a violation, and the words it is made of.

PRIVATE to the collection. A rule is a function of a View (_guard.py) that returns a list of findings. Pure.
"""

from __future__ import annotations


def finding(rule, severity, setting, message):
    """`rule` is its number or name; severity E refuses, W warns, I informs; `setting` is a row's name or None."""
    return {"rule": rule, "severity": severity, "setting": setting, "message": message}
