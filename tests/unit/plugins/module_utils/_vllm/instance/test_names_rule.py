# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R31 says what of an instance its engine does not know, and never passes in silence over what was not checked."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import known_arguments
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.names_rule import r31_names

GOOD = {"name": "llama", "arguments": {"load-format": "mine"}, "environment": {"VLLM_LOGGING_LEVEL": "INFO"}}


def test_what_is_known_and_checked_is_no_finding():
    assert r31_names(GOOD, {"flags": {}}) == []


def test_names_secrets_and_an_unchecked_engine():
    bad = {"name": "llama", "arguments": {}, "environment": {"VLLM_USE_V1": "1", "VLLM_API_KEY": "abc"}}
    found = r31_names(bad, {"flags": {}, "unchecked": "it is not there yet"})
    assert [(one["rule"], one["severity"]) for one in found] == [("R31", "E"), ("R31", "W"), ("R31", "W")]
    assert "abc" not in str(found) and found[2]["message"] == (
        "llama: its arguments are not checked against its engine: it is not there yet")


def test_a_word_that_only_a_plugin_may_know_is_doubted():
    (found,) = r31_names(GOOD, dict(known_arguments.schema(), plugins="it has the plugin mine"))
    assert (found["rule"], found["severity"]) == ("R31", "W")
    assert found["message"].startswith("llama: arguments: load-format: 'mine' is not among the words known of it")
    assert found["message"].endswith("; not refused: it has the plugin mine")
