# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that vLLM does not read, or not as their name says, are named; secrets among them are refused."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.environment_names import (
    CHOOSE_GPUS,
    INSTEAD,
    KNOWN,
    OTHERWISE,
    SECRETS,
    problems,
    warnings,
)


@pytest.mark.parametrize("name,words", [
    ("VLLM_LOGING_LEVEL", "reads no such variable; did you mean VLLM_LOGGING_LEVEL?"),
    ("VLLM_XYZZY_9", "vLLM 0.33.0 reads no such variable"), ("HOST_IP", "vLLM reads VLLM_HOST_IP"),
    ("VLLM_ATTENTION_BACKEND", "say attention-backend in arguments"), ("VLLM_USE_V1", "V1 is the only engine"),
    ("VLLM_PORT", "not the API's, which `port` of the instance says")])
def test_a_name_is_said_with_what_was_meant(name, words):
    found = warnings({name: "8"}, "llama")
    assert len(found) == 1 and found[0].startswith("llama: %s: " % name) and words in found[0]


def test_a_service_of_kubernetes_called_vllm_is_recognised():
    assert "'tcp://10.0.0.1:80'" in warnings({"VLLM_PORT": "tcp://10.0.0.1:80"}, "llama")[0]


def test_what_vllm_reads_and_what_is_not_its_own_passes():
    own = {"VLLM_LOGGING_LEVEL": "INFO", "VLLM_HOST_IP": "10.0.0.1", "VLLM_ROCM_BRAND_NEW": "1", "NCCL_DEBUG": "WARN",
           "OMP_NUM_THREADS": "8", "VLLM_CPU_OMP_THREADS_BIND": "0-3"}
    assert warnings(own, "llama") == [] and problems(own, "llama") == []


@pytest.mark.parametrize("name", CHOOSE_GPUS)
def test_gpus_are_chosen_by_the_instance_alone(name):
    found = problems({name: "0,1"}, "llama")
    assert len(found) == 1 and found[0].startswith("llama: %s: the role sets it" % name) and "`gpus`" in found[0]


def test_a_secret_is_refused_and_not_repeated():
    found = problems(dict.fromkeys(SECRETS, "abc"), "llama")
    assert len(found) == 3 and all("vllm_service_secrets" in words and "abc" not in words for words in found)


def test_the_lists_do_not_contradict_one_another():
    assert len(KNOWN) > 280 and not set(INSTEAD) & KNOWN and set(OTHERWISE) <= KNOWN
    assert all(name.startswith("VLLM_") and name == name.upper() for name in KNOWN)
