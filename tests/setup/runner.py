# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the node runner as one file: runner.py FILE. It needs nothing but Python and this checkout."""

from __future__ import annotations

import pathlib
import sys

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / ".cache/collections"))

from ansible_collections.gpuwright.node.plugins.module_utils._runner import bundle  # noqa: E402


def main(place):
    """Write the file, which can be started."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(bundle.build())
    place.chmod(0o755)
    sys.stdout.write("%s: %d bytes\n" % (place, place.stat().st_size))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
