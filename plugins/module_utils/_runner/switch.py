# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What switches the node runner off on a node.

PRIVATE to the collection.
"""

from __future__ import annotations

DISABLED = "/etc/gpuwright/disabled"
ARGUMENT = "gpuwright=off"


def off(host):
    """What switches the runner off on this node, in words, or None."""
    if host.exists(DISABLED):
        return "%s exists" % DISABLED
    if ARGUMENT in (host.text("/proc/cmdline") or "").split():
        return "the kernel argument %s is given" % ARGUMENT
    return None
