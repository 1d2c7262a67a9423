# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture: the same bytes each time, a logarithmic axis, the expected line, names for those that failed."""

from __future__ import annotations

import builtins
import re

import pytest
from matplotlib.figure import Figure

from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import plot


def run(host, peak=390.0, verdict="pass", variant="", sizes=(0, 8, 1 << 10, 1 << 20, 1 << 30, 8 << 30)):
    rows = [{"size": size, "out_of_place": {"busbw": peak * size / (size + (8 << 20))}} for size in sizes]
    rows.append({"size": 16 << 30, "out_of_place": None})
    return {"hosts": [host], "verdict": verdict, "variant": variant, "expected": 372.0, "rows": rows}


@pytest.fixture
def axes():
    """A function from runs to what was drawn."""
    def draw(runs):
        found = Figure().add_subplot()
        plot._draw(found, "all_reduce", runs)
        return found
    return draw


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_same_measurements_give_the_same_bytes(kind):
    picture = plot.draw("all_reduce", [run("a"), run("b", 100, "fail")], kind)
    assert picture == plot.draw("all_reduce", [run("a"), run("b", 100, "fail")], kind)
    assert picture != plot.draw("all_reduce", [run("a"), run("b", 120, "fail")], kind)
    assert picture.startswith(b"<?xml" if kind == "svg" else b"\x89PNG")
    assert not re.search(rb"<dc:date>|20\d\d-\d\d-\d\dT", picture)


def test_axes_expectation_and_names(axes):
    found = axes([run("a"), run("b", 100, "fail"), run("a", 200, variant="tree")])
    assert found.get_xscale() == "log"
    assert [text.get_text() for text in found.get_xticklabels()] == ["8 B", "1 KiB", "1 MiB", "1 GiB", "8 GiB"]
    assert [text.get_text() for text in found.texts] == ["expected: 372 GB/s"]
    assert found.get_legend_handles_labels()[1] == ["a", "b (failed)", "a with tree"]
    assert [line.get_color() for line in found.lines if line.get_label() == "b (failed)"] == [plot._FAILED]
    assert list(found.lines[0].get_xdata()) == [8, 1 << 10, 1 << 20, 1 << 30, 8 << 30]


def test_a_crowd_is_grey_and_who_failed_has_a_name(axes):
    found = axes([run("n%d" % number) for number in range(30)] + [run("bad", 100, "fail")])
    assert found.get_legend_handles_labels()[1] == ["30 other runs", "bad (failed)"]
    assert axes([run("n%d" % number) for number in range(30)]).get_legend_handles_labels()[1] == ["30 runs"]


def test_ticks_of_a_whole_sweep_do_not_crowd(axes):
    found = axes([run("a", sizes=[8 << power for power in range(31)])])
    assert len(found.get_xticks()) <= 11


def test_without_matplotlib_there_is_a_word_and_no_failure(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(plot.NoPlot, match="no plot: matplotlib is not installed"):
        plot.draw("all_reduce", [run("a")], "svg")
