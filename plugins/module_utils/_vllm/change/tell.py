# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of this collection's instances is on a node: the phase of each, and what systemd has of it.

PRIVATE to the collection.
"""

from __future__ import annotations

from ... import _journal
from ..._kinds import vllm_instance
from . import state
from .plan import ours


def tell(host):
    """{name: {"phase", "since", "state", "command", "summary", "error"}}."""
    return {name: _tell(host, name) for name in ours(host, _journal.load(host))}


def _tell(host, name):
    kept = state.read(host, name)
    made = kept["deployment"] or {}
    return {"phase": kept["phase"], "since": kept["since"], "error": kept["error"],
            "state": vllm_instance.state(vllm_instance.show(host, made.get("unit") or "vllm@%s.service" % name)),
            "command": made.get("command"), "summary": made.get("summary")}
