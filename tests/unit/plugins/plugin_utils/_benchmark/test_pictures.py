# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures in the report folder: one an operation, none of what has no rows, a word where none can be drawn."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import pictures, plot


def run(operation, rows=True, search=False):
    points = [{"size": 8, "out_of_place": {"busbw": 1.0}}] if rows else None
    return {"operation": operation, "hosts": ["a"], "rows": points, "search": search, "verdict": "pass", "variant": "",
            "expected": None}


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_one_an_operation(tmp_path, kind):
    runs = [run("all_reduce"), run("alltoall"), run("alltoall", search=True), run("sendrecv", rows=False)]
    paths, said = pictures.write(runs, str(tmp_path), kind)
    assert paths == ["%s/benchmark-%s.%s" % (tmp_path, name, kind) for name in ("all_reduce", "alltoall")]
    assert sorted(str(path) for path in tmp_path.iterdir()) == paths
    assert said == []


def test_none_is_wanted(tmp_path):
    assert pictures.write([run("all_reduce")], str(tmp_path), "none") == ([], [])


def test_none_can_be_drawn(tmp_path, monkeypatch):
    def no_plot(*_arguments):
        raise plot.NoPlot("no plot: x")

    monkeypatch.setattr(pictures.plot, "draw", no_plot)
    assert pictures.write([run("all_reduce"), run("alltoall")], str(tmp_path), "svg") == ([], ["no plot: x"])
