# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a verdict is made of: one finding a trouble, and the small words of its message.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations


def finding(severity, device, what, message):
    """`device` is a PCI address where there is one, else a name or None; `what` names the kind of trouble."""
    return {"severity": severity, "device": device, "what": what, "message": message}


def plural(count, noun):
    """A number with its noun: "1 time", "2 times"."""
    return "%d %s%s" % (count, noun, "" if count == 1 else "s")
