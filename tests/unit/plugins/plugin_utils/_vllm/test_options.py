# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of role vllm_service: names as the role has them, secrets that no message tells."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import options


def test_every_variable_of_the_role_is_known_and_a_misspelt_one_is_named(checkout):
    defaults = yaml.safe_load((checkout / "roles/vllm_service/defaults/main.yml").read_text())
    options.check_names(dict(defaults, vllm_service_planned={}, vllm_service_round="0.0", other=1))
    with pytest.raises(options.BadVariable, match="vllm_service_serail: after vllm_service_, did you mean serial"):
        options.check_names({"vllm_service_serail": 1})
    options.check_names({"vllm_service_serail": 1, "gpuwright_ignore_variables": ["vllm_service_serail"]})


def test_what_an_instance_takes_from_the_role_is_what_the_role_has(checkout):
    known, _handed = options.names()
    assert set(options.OF_INSTANCE) | set(options.OF_ENGINE) < set(known)
    text = (checkout / "roles/vllm_service/tasks/plan.yml").read_text()
    assert [name for name in options.OF_INSTANCE + options.OF_ENGINE if "      %s: " % name not in text] == []


@pytest.mark.parametrize("given", [["a"], {"a": "sk-1"}, {"a": {"apikey": "sk-1"}}, {"a": {"api_key": 1}},
                                   {"a": {"api_key": "sk-1\nsk-2"}}])
def test_a_bad_secret_is_refused_and_not_told(given):
    with pytest.raises(options.BadVariable) as error:
        options.secrets(given, {"a": {}})
    assert "sk-" not in str(error.value)


def test_secrets_of_other_nodes_stay_here():
    given = {"a": {"api_key": "x", "hf_token": None}, "b": {"api_key": "y"}}
    assert options.secrets(given, {"a": {}}) == {"a": {"api_key": "x"}}
    assert options.secrets(None, {"a": {}}) == {}


def test_arguments_that_are_no_mapping_are_named():
    with pytest.raises(options.BadVariable, match="vllm_service_arguments"):
        options.defaults({"arguments": "x"})


def test_secrets_of_another_node_s_instance_are_no_error_and_one_nearly_named_is():
    mine = {"llama": {}}
    options.check_secret_names({"llama": {}}, mine, {"llama": {}}, dict, True)
    options.check_secret_names({"lama": {"api_key": "x"}}, mine, {}, lambda: {"llama", "lama"}, False)
    options.check_secret_names({"other": {"api_key": "x"}}, mine, {}, set, False)
    options.check_secret_names({"lama": {"api_key": "x"}}, mine, {}, lambda: None, True)
    with pytest.raises(options.BadVariable, match="no node has an instance lama; did you mean llama"):
        options.check_secret_names({"lama": {"api_key": "x"}}, mine, {}, lambda: {"llama"}, False)
