# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark keeps between its stages."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import kept


def test_kinds_are_kept_apart_and_in_order(tmp_path):
    place = str(tmp_path / "report")
    for name in ("b/../x", "a"):
        kept.keep(place, "look", name, {"host": name})
    kept.keep(place, "plan", "a", [[1]])
    assert kept.everything(place, "look") == {"b/../x": {"host": "b/../x"}, "a": {"host": "a"}}
    assert kept.everything(place, "plan") == {"a": [[1]]}
    assert kept.everything(place, "run") == {}


def test_a_folder_that_cannot_be_written_ends_it_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(kept.NoPlace, match="gpuwright_report_dir"):
        kept.keep(str(tmp_path / "file" / "report"), "look", "a", {})


def test_logs_lie_in_a_folder_of_their_own(tmp_path):
    path = kept.write_log(str(tmp_path), "node-a.all_reduce", "text\n")
    assert path == "%s/benchmark/node-a.all_reduce.log" % tmp_path
    assert open(path).read() == "text\n"
    assert len(list((tmp_path / "benchmark").iterdir())) == 1
