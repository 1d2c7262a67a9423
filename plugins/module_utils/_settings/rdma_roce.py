# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role rdma_roce: one traffic class from NIC to application, and what RDMA needs of a node.

PRIVATE to the collection.
"""

from __future__ import annotations

ROWS = ()
OPTIONS = ()
RULES = ()
