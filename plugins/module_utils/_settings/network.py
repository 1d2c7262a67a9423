# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role network: TCP/IP sockets, queues and file limits, and the links of network interfaces.

PRIVATE to the collection.
"""

from __future__ import annotations

from . import network_links

ROWS = network_links.ROWS
OPTIONS = network_links.OPTIONS
RULES = network_links.RULES
