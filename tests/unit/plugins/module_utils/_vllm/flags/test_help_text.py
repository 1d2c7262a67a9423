# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The help of three real releases, and of argparse as this Python prints it, is read to the letter."""

from __future__ import annotations

import argparse
import gzip
import pathlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import known_arguments
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.help_text import parse_help

HELPS = pathlib.Path(__file__).parents[5] / "captures" / "vllm-help"
COUNTS = {"0.11.0.txt": 183, "0.32.0-wide.txt": 316, "0.33.0.txt": 320}


def flags(name):
    return parse_help(gzip.decompress((HELPS / (name + ".gz")).read_bytes()).decode())["flags"]


@pytest.mark.parametrize("name", COUNTS)
def test_a_real_help_is_read_whole(name):
    found = flags(name)
    assert len(found) == COUNTS[name]
    assert found["tensor-parallel-size"]["names"] == ["--tensor-parallel-size", "-tp"]
    assert found["served-model-name"]["takes"] == "many" and found["hf-token"]["takes"] == "optional"
    assert found["dtype"]["choices"] == ["auto", "bfloat16", "float", "float16", "float32", "half"]
    assert (found["headless"]["takes"], found["headless"]["negative"]) == ("none", False)
    assert (found["max-num-batched-tokens"]["type"], found["max-num-batched-tokens"]["sizes"]) == ("int", True)
    assert found["compilation-config"]["type"] == "json" and found["block-size"]["names"] == ["--block-size"]
    assert found["collect-detailed-traces"]["choices"] == ["all", "model", "worker"]
    assert (found["tokenizer-mode"]["takes"], found["load-format"]["choices"]) == ("one", None)
    assert "help" not in found and all(" " not in flag for flag in found)


def test_the_name_that_says_false_goes_by_release():
    old, new = flags("0.32.0-wide.txt"), flags("0.33.0.txt")
    assert old["enable-log-requests"]["inverse"] == "no-enable-log-requests"
    assert new["enable-log-requests"]["inverse"] == "disable-log-requests"
    assert new["disable-cascade-attn"]["inverse"] == "enable-cascade-attn"
    assert new["enable-expert-parallel"]["names"] == ["--enable-expert-parallel", "-ep"]
    assert old["gpu-memory-utilization"]["names"] == ["--gpu-memory-utilization", "--device-memory-utilization"]


def test_defaults_and_what_follows_from_them():
    wide, narrow = flags("0.32.0-wide.txt"), flags("0.33.0.txt")
    assert narrow["gpu-memory-utilization"]["default"] == "0.92" and narrow["gpu-memory-utilization"]["type"] == "float"
    assert narrow["max-num-seqs"]["type"] is None and narrow["max-num-seqs"]["default"] == "None"
    assert set(wide["eplb-config"]["keys"]) >= {"window_size", "use_async"} and narrow["eplb-config"]["keys"] is None
    assert set(wide["compilation-config"]["keys"]) >= {"mode", "pass_config"}
    assert "fuse_act_quant" not in wide["compilation-config"]["keys"]


def test_the_data_of_a_release_is_what_its_help_says():
    told, known = flags("0.33.0.txt"), known_arguments.schema()["flags"]
    assert told.keys() == known.keys()
    for flag, entry in told.items():
        for what in ("names", "takes", "inverse", "negative"):
            assert known[flag][what] == entry[what], (flag, what)
        assert not entry["choices"] or entry["choices"] == known[flag]["choices"], flag
        assert entry["type"] in (None, "float", known[flag]["type"]), flag


def made(columns, monkeypatch):
    """A help that this Python's argparse prints, as wide as `columns`."""
    monkeypatch.setenv("COLUMNS", str(columns))
    parser = argparse.ArgumentParser(prog="vllm serve", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    group = parser.add_argument_group("Group", "Words on it.")
    group.add_argument("--one-value", "-ov", default=8, type=int, help="words " * 30)
    group.add_argument("--switched", action=argparse.BooleanOptionalAction, default=False, help="Words.")
    group.add_argument("--alone", "-a", action="store_true", help="Words.")
    group.add_argument("--some", nargs="+", default=None, help="Words.")
    group.add_argument("--any", nargs="*", default=None, help="Words.")
    group.add_argument("--pair", nargs=2, default=None, help="Words.")
    group.add_argument("--perhaps", nargs="?", const=True, default=None, help="Words.")
    group.add_argument("--word", "-w", choices=["a", "b-c", None], default="a", help="Words -x, --y of it.")
    group.add_argument("--words", nargs="+", choices=["a", "b"], default=None, help="- a list\n- of words")
    group.add_argument("--listed", metavar=["auto", "hf, --x"], default="auto", help="Words.")
    group.add_argument("--text", metavar="{a,b} or a name", default="it (default: x)", help="Words.")
    return parser.format_help()


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 4000])
def test_what_argparse_prints_here_at_any_width(columns, monkeypatch):
    found = parse_help(made(columns, monkeypatch))["flags"]
    assert {flag: entry["takes"] for flag, entry in found.items()} == {
        "one-value": "one", "switched": "none", "alone": "none", "some": "many", "any": "many", "pair": "many",
        "perhaps": "optional", "word": "one", "words": "many", "listed": "one", "text": "one"}
    assert found["one-value"]["names"] == ["--one-value", "-ov"] and found["one-value"]["default"] == "8"
    assert found["switched"]["inverse"] == "no-switched" and not found["alone"]["negative"]
    assert found["word"]["choices"] == ["a", "b-c"] and found["words"]["choices"] == ["a", "b"]
    assert found["text"]["choices"] is None and found["listed"]["choices"] is None


def test_colours_log_lines_and_no_help_at_all():
    text = ("INFO 11-21 12:00:00 starting\n\x1b[1moptions:\x1b[0m\n  \x1b[32m--a A\x1b[0m  words (default: 1)\n"
            "epilog --b\n")
    assert list(parse_help(text)["flags"]) == ["a"]
    assert parse_help("Traceback (most recent call last):\n  File x\n") == {"flags": {}}
