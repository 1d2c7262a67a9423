# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on how the CPUs' frequency is governed.

PRIVATE to the collection.
"""

from __future__ import annotations

from .finding import finding

_SETTING = "cpufreq/scaling_governor"
_FOLDER = "/sys/devices/system/cpu/cpufreq"


def is_offered(view):
    """The governor that is asked for is one that the driver of every CPU's frequency offers."""
    step = view.step(_SETTING)
    if step is None or step["status"] == "not_applicable":
        return []
    for policy in view.host.names(_FOLDER):
        offered = (view.text("%s/%s/scaling_available_governors" % (_FOLDER, policy)) or "").split()
        if offered and step["desired"] not in offered:
            return [finding("governor", "E", _SETTING, "this kernel offers %s" % ", ".join(offered))]
    return []
