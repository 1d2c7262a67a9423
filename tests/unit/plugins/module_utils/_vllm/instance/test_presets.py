# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The presets say only what the engine knows, and which values of the guides are left to it."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import known_arguments
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.arguments import check
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.presets import LEFT_TO_VLLM, PRESETS

SCHEMA = known_arguments.schema()


def test_every_preset_passes_and_sets_nothing_that_goes_by_the_node():
    assert set(PRESETS) == {"throughput", "latency", "balanced"}
    for settings in PRESETS.values():
        assert check(settings, SCHEMA, "preset") == []
        assert not set(settings) & {flag for flag, _value, _why in LEFT_TO_VLLM}


def test_a_value_of_the_guides_can_still_be_said():
    for flag, value, why in LEFT_TO_VLLM:
        assert check({flag: value}, SCHEMA, "instance") == [] and why
