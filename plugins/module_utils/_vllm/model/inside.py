# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a path that comes from elsewhere must be like to be written below a folder of ours.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

OURS = ".gpuwright"


def outside(path):
    """Why a relative path from a hub or an archive is refused, in words, or None where it stays in its folder."""
    if not path or not path.isprintable() or "\\" in path:
        return "%r is no name of a file" % path
    if path.startswith("/"):
        return "%r is an absolute path" % path
    parts = path.split("/")
    if ".." in parts:
        return "%r leads out of its folder" % path
    if "" in parts or "." in parts:
        return "%r is no plain path" % path
    if any(len(part.encode("utf-8", "replace")) > 255 for part in parts) or len(path) > 1024:
        return "a name of %d letters is too long" % len(path)
    if parts[0].startswith(OURS):
        return "%r is a name that only we give" % path
    return None
