# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws bus bandwidth over message size for one operation, with the line that is expected.

PRIVATE to the collection. The same measurements give the same bytes.
"""

from __future__ import annotations

import io

from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark.table import hosts

# Colours that people with any colour vision can tell apart (Okabe and Ito).
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_FAILED, _CROWD, _EXPECTED = "#D55E00", "#9aa5b1", "#333333"
_NAMED = 6
_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B"))


class NoPlot(Exception):
    """There is nothing to draw with; the text says what is missing."""


def draw(operation, runs, kind):
    """The bytes of a picture, "svg" or "png". `runs` are those of benchmark.json. Raises NoPlot."""
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoPlot("no plot: matplotlib is not installed on the controller") from error
    # A fixed salt and no date: SVG gives its elements random names otherwise.
    with matplotlib.rc_context({"svg.hashsalt": "gpuwright", "svg.fonttype": "path", "font.size": 10}):
        figure = Figure(figsize=(9, 5.4), layout="constrained")
        FigureCanvasAgg(figure)
        _draw(figure.add_subplot(), operation, runs)
        picture = io.BytesIO()
        figure.savefig(picture, format=kind, dpi=120, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return picture.getvalue()


def _draw(axes, operation, runs):
    """What was measured, then what was expected."""
    few, crowd = _chosen(runs)
    for number, run in enumerate(crowd):
        axes.plot(*_points(run), color=_CROWD, linewidth=0.8, alpha=0.6, zorder=1,
                  label=None if number else "%d %sruns" % (len(crowd), "other " if few else ""))
    colours = iter(colour for colour in _COLOURS if colour != _FAILED)
    for run in few:
        failed = run["verdict"] == "fail" and not run["variant"]
        axes.plot(*_points(run), marker="o", markersize=3.5, linewidth=1.6, zorder=3,
                  color=_FAILED if failed else next(colours, _CROWD), linestyle="-." if run["variant"] else "-",
                  label=_label(run))
    for value in sorted({run["expected"] for run in runs if run["expected"] and not run["variant"]}):
        axes.axhline(value, color=_EXPECTED, linestyle="--", linewidth=1.2, zorder=2)
        axes.text(0.01, value, "expected: %.0f GB/s" % value, transform=axes.get_yaxis_transform(), va="bottom",
                  color=_EXPECTED)
    axes.set_title("%s: bus bandwidth over message size" % operation, loc="left")
    _axes(axes, sorted({size for run in runs for size in _points(run)[0]}))


def _axes(axes, sizes):
    """Scales, ticks and words."""
    axes.set_xscale("log", base=2)
    shown = sizes[::max(1, -(-len(sizes) // 11))]
    axes.set_xticks(shown, [_size(size) for size in shown])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.margins(y=0.1)
    axes.set_xlabel("message size")
    axes.set_ylabel("bus bandwidth in GB/s, out of place")
    axes.grid(True, which="major", color="#e3e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="center left", facecolor="white", edgecolor="none", framealpha=0.9)


def _chosen(runs):
    """(runs that get a name, the others). Of many those that failed and what was compared: the rest is a crowd."""
    if len(runs) <= _NAMED:
        return runs, []
    few = [run for run in runs if run["verdict"] == "fail" or run["variant"]][:_NAMED]
    return few, [run for run in runs if run not in few]


def _points(run):
    """Sizes and bandwidths of the rows that have both: size 0 has no place on a logarithmic axis."""
    points = [(row["size"], row["out_of_place"]["busbw"]) for row in run["rows"] or ()
              if row["size"] and row["out_of_place"] and row["out_of_place"]["busbw"] is not None]
    return [size for size, _value in points], [value for _size_of, value in points]


def _label(run):
    words = hosts(run["hosts"]) + (" with %s" % run["variant"] if run["variant"] else "")
    return words + (" (failed)" if run["verdict"] == "fail" and not run["variant"] else "")


def _size(count):
    unit, name = next((unit, name) for unit, name in _UNITS if count >= unit)
    return "%.3g %s" % (count / unit, name)
