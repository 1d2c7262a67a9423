# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the pictures of a benchmark into the report folder: one an operation.

PRIVATE to the collection.
"""

from __future__ import annotations

import os

from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import plot


def write(runs, place, kind):
    """([path], [sentence]) of the pictures that were written, and of those that could not be."""
    shown = [run for run in runs if run["rows"] and not run["search"]]
    paths, said = [], []
    for operation in dict.fromkeys(run["operation"] for run in shown) if kind in ("svg", "png") else ():
        path = os.path.join(place, "benchmark-%s.%s" % (operation, kind))
        try:
            picture = plot.draw(operation, [run for run in shown if run["operation"] == operation], kind)
        except plot.NoPlot as error:
            return paths, [str(error)]
        with open(path + ".new", "wb") as file:
            file.write(picture)
        os.replace(path + ".new", path)
        paths.append(path)
    return paths, said
