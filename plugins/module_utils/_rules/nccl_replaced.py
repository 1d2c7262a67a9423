# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule on a nccl.conf that was handed over: which of its lines go with the file, for nobody asked for them of us.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._owners import nccl_env
from .finding import finding
from .isolation import listed
from .rdma_node import nccl_steps, replaced_file


def lost_lines(view):
    """Name the variables that somebody else's file has, and ours will not."""
    text = view.text(nccl_env.CONF) or ""
    if replaced_file(view) is None or nccl_env.is_ours(text):
        return []
    ours = {step["target"] for step in nccl_steps(view)}
    lost = list(dict.fromkeys("%s (line %d)" % (name, number) for number, name, _value in nccl_env.lines(text)
                              if name not in ours))
    if not lost:
        return []
    return [finding("nccl", "W", None, "%s is replaced as a whole, and %s %s with it: what is still wanted goes into "
                    "nccl_env_further; rollback brings the file back"
                    % (nccl_env.CONF, listed(lost), "goes" if len(lost) == 1 else "go"))]
