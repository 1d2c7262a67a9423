# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule on a node for which nothing of NCCL is set: it says why, for silence looks like a role that did not run.

PRIVATE to the collection.
"""

from __future__ import annotations

from .finding import finding


def nothing_set(view):
    """The one reason for which every variable is left alone, where there is one and nobody asked for any."""
    derived = view.options.get("nccl_env_derived") or {}
    reasons = {told.get("why") for told in derived.values()}
    if view.steps or len(reasons) != 1 or any(told.get("value") is not None for told in derived.values()):
        return []
    return [finding("nccl", "I", None, "nothing is set: %s" % reasons.pop())]
