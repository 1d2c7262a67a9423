# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of loopback that nobody else gets, for programs that are told a number and bind it later, or again.

The kernel hands a bound port to nobody else; who asks for it by its number gets it as long as nobody listens and
both say SO_REUSEADDR, which servers do.
"""

from __future__ import annotations

import socket

_HELD = []


def held_port():
    """A port that stays ours for as long as this process lives, and that a program we start may listen on."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _HELD.append(holder)
    return holder.getsockname()[1]
