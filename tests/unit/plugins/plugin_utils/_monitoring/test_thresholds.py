# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbook monitoring: defaults, null, and what is refused in which words."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._monitoring import thresholds


def test_what_is_not_said_has_its_default_and_null_leaves_out():
    said = thresholds.read({"kv_cache_usage": None, "queue_seconds": "3", "dcgm_port": "9400"})
    assert (said["kv_cache_usage"], said["queue_seconds"], said["dcgm_port"]) == (None, 3, 9400)
    assert said["node_port"] == 9100 and set(said) == set(thresholds.DEFAULTS)


@pytest.mark.parametrize("given, words", [
    ({"kv_cache_usage": 90}, "monitoring_kv_cache_usage: 90; legal is a number above 0, at most 1"),
    ({"queue_seconds": True}, "True; legal"), ({"queue_seconds": "fast"}, "'fast'"), ({"node_port": 9100.5}, "9100.5"),
    ({"error_share": 0}, "above 0"), ({"targets_directory": "x"}, "no absolute path"),
    ({"targets_directory": None}, "a value is needed"), ({"baseline_offset": "yesterday"}, "no duration"),
    ({"queue_second": 1}, "did you mean queue_seconds")])
def test_what_cannot_be_is_refused(given, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        thresholds.read(given)


def test_a_misspelt_variable_is_refused_unless_it_is_meant():
    for name in ("monitoring_node_port", "monitoring_address", "monitoring_directory", "other"):
        thresholds.check_names({name: 1})
    thresholds.check_names({"monitoring_mine": 1, "gpuwright_ignore_variables": ["monitoring_mine"]})
    with pytest.raises(ValueError, match="monitoring_queue_second: after monitoring_, did you mean queue_seconds"):
        thresholds.check_names({"monitoring_queue_second": 1})
