# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of the collection that the node runner was made from.

PRIVATE to the collection. Here, and not read from galaxy.yml, for that does not travel to the node.
"""

from __future__ import annotations

VERSION = "0.1.0"
