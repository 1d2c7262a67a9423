# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known here of a release: whole, and used of another one only where it is the same flag."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import known_arguments
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.help_text import blank

FLAGS = known_arguments.schema()["flags"]


def test_every_line_of_the_data_is_read():
    assert len(FLAGS) == 320 and known_arguments.VERSION == "0.33.0"
    assert {entry["type"] for entry in FLAGS.values()} == {"bool", "int", "float", "str", "json"}
    assert {entry["takes"] for entry in FLAGS.values()} == {"none", "one", "many", "optional"}
    assert FLAGS["gpu-memory-utilization"]["bounds"] == ">0 <=1"
    assert FLAGS["max-lora-rank"]["choices"] == ["1", "8", "16", "32", "64", "128", "256", "320", "512"]
    assert FLAGS["all2all-backend"]["choices"][-1] == "pplx"  # Its line goes on in further ones.
    assert FLAGS["max-model-len"]["auto"] and FLAGS["max-num-batched-tokens"]["sizes"]
    assert FLAGS["kv-transfer-config"]["keys"]["kv_role"].endswith("/kv_producer,kv_both,kv_consumer")
    assert FLAGS["data-parallel-hybrid-lb"]["names"] == ["--data-parallel-hybrid-lb", "-dph"]


def test_a_build_of_a_release_is_that_release():
    assert known_arguments.same_release("0.33.0+cu129") and known_arguments.same_release("0.33.0")
    assert not known_arguments.same_release("0.33.1") and not known_arguments.same_release(None)


def test_a_help_gets_types_and_bounds_and_of_the_same_release_keys():
    told = {"flags": {"max-num-seqs": blank(["--max-num-seqs"]), "brand-new": blank(["--brand-new"]),
                      "eplb-config": dict(blank(["--eplb-config"]), keys={"old_key": "*"}),
                      "kv-transfer-config": blank(["--kv-transfer-config"]),
                      "hf-token": blank(["--hf-token"])}}
    other, same = (known_arguments.complete(told, version)["flags"] for version in ("0.40.0", "0.33.0+cpu"))
    assert (other["max-num-seqs"]["type"], other["max-num-seqs"]["bounds"]) == ("int", ">=1")
    assert other["brand-new"] == blank(["--brand-new"])
    assert other["hf-token"]["type"] is None  # It takes something else there.
    assert {"old_key", "window_size"} <= set(other["eplb-config"]["keys"])
    assert set(other["eplb-config"]["keys"].values()) == {"*"} and other["kv-transfer-config"]["keys"] is None
    assert same["eplb-config"]["keys"] == FLAGS["eplb-config"]["keys"]
