# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes this checkout importable as `ansible_collections.gpuwright.node`, whatever its folder is called."""

from __future__ import annotations

import pathlib
import sys

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent
COLLECTIONS = CHECKOUT / ".cache" / "collections"


def _link():
    place = COLLECTIONS / "ansible_collections" / "gpuwright" / "node"
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        place.unlink(missing_ok=True)
        place.symlink_to(pathlib.Path("../../../.."))


_link()
sys.path.insert(0, str(COLLECTIONS))


@pytest.fixture(scope="session")
def checkout():
    """The folder of this checkout."""
    return CHECKOUT
