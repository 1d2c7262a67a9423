# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real parser of vLLM alone: what we write arrives to the letter, and what it refuses we refuse before it."""

from __future__ import annotations

import collections
import gzip
import json
import pathlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import engine_config, known_arguments
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.argument_names import (
    CLASSES,
    GONE,
    OF_THE_ROLE,
    SECRETS,
)
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.arguments import (
    check,
    doubts,
    find,
    parse_help,
)
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance import presets

from tests.gates import vllm_parser

HELP = pathlib.Path(__file__).parents[1] / "captures" / "vllm-help" / "0.32.0-wide.txt.gz"
MAPPINGS = {"compilation-config": {"mode": 3, "cudagraph_capture_sizes": [1, 2, 4]},
            "speculative-config": {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4},
            "hf-overrides": {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}, "a": "it's: {x} # \u00e9\U0001f600"},
            "kv-transfer-config": {"kv_connector": "NixlConnector", "kv_role": "kv_both"},
            "limit-mm-per-prompt": {"image": 4}, "custom-histogram-buckets": {"vllm:e2e": [0.5, 1.0]},
            "default-mm-loras": {"audio": "/adapter"}, "media-io-kwargs": {"video": {"num_frames": 40}},
            "model-class-overrides": {"A": "b.c:D"}, "pt-load-map-location": {"cuda:1": "cuda:0"},
            "reasoning-effort-map": {"high": "max"}, "allowed-origins": ["https://a.example", "*"]}
TEXTS = {"chat-template": "{% for m in messages %}'\"\\\u00e9\u2028\n\t{{ m }}{% endfor %}",
         "lora-modules": ["a=/adapters/a", {"name": "b", "path": "/adapters/b"}], "max-model-len": "8k",
         "middleware": "package.module.Class", "scheduler-cls": "package.module.Class",
         "worker-extension-cls": "package.module.Class", "tokenizer": "no", "data-parallel-supervisor-port": 9300,
         "max-num-batched-tokens": "25.6k", "kv-cache-memory-bytes": "1G", "numa-bind-cpus": ["0-3"]}
# Values that are wrong for most flags, each as YAML that a person could have written by hand.
ODD = ("false", "true", True, False, ["a", "b"], [1], {"a": 1}, "nonsense", -1, 0, 1, 3, 10 ** 9, 2.5, -0.5, "", "None",
       "8k", "1.5K", "auto", "-x", "/a/b", 1.5e-7, 1e30)
# name: (the file that a person could have written, what check is given, what the real parser does with that file).
TRAPS = {
    "false in quotes": ('enforce-eager: "false"', {"enforce-eager": "false"}, "refuses"),
    "true in quotes": ('enforce-eager: "true"', {"enforce-eager": "true"}, "refuses"),
    "a plain false": ("use-tqdm-on-load: false", {"disable-log-stats": False}, "drops it"),
    "a list for one value": ("max-num-seqs: [1, 2]", {"max-num-seqs": [1, 2]}, "refuses"),
    "one value for a mapping": ("compilation-config: high", {"compilation-config": "high"}, "refuses"),
    "two spellings": ("max-model-len: 9\nmax_model_len: 8", {"max-model-len": 9, "max_model_len": 8}, "takes the last"),
    "null": ("max-num-seqs: null", {"max-num-seqs": "null"}, "refuses"),
    "null for text": ("tokenizer: null", {"tokenizer": "None"}, "drops it"),
    "the beginning of a name": ("max-model: 8", {"max-model": 8}, "completes it"),
    "no such name": ("max-num-sequences: 8", {"max-num-sequences": 8}, "refuses"),
    "in British": ("gpu-memory-utilisation: 0.9", {"gpu-memory-utilisation": 0.9}, "refuses"),
    "gone: swap-space": ("swap-space: 4", {"swap-space": 4}, "refuses"),
    "gone: num-scheduler-steps": ("num-scheduler-steps: 8", {"num-scheduler-steps": 8}, "refuses"),
    "gone: use-v1": ("use-v1: true", {"use-v1": True}, "refuses"),
    "gone: device": ("device: cuda", {"device": "cuda"}, "refuses"),
    "an empty file": ("# Written by somebody", {"-": 1}, "refuses"),
    "a negative form": ("no-enforce-eager: true", {"no-enforce-eager": True}, "takes it; one way to say it is enough"),
    "out of range": ("gpu-memory-utilization: 1.5", {"gpu-memory-utilization": 1.5}, "refuses"),
    "a size with a point": ("max-num-batched-tokens: 1.5K", {"max-num-batched-tokens": "1.5K"}, "refuses"),
    "a negative number": ("seed: -0.5", {"seed": -0.5}, "refuses"),
    "a hyphen first": ("tokenizer: --trust-remote-code", {"tokenizer": "--trust-remote-code"}, "refuses"),
    "a key that is not there": ("compilation-config: {modus: 3}", {"compilation-config": {"modus": 3}}, "refuses"),
    "a word of a key": ("compilation-config: {cudagraph_mode: FULL_DECODE}",
                        {"compilation-config": {"cudagraph_mode": "FULL_DECODE"}}, "refuses"),
    "no length": ("max-model-len: 0", {"max-model-len": 0}, "takes it; the engine fails on it later"),
    "dots": ("compilation-config.mode: 3", {"compilation-config.mode": 3}, "takes it; one way to say it is enough"),
    "half of a pair": ("enable-auto-tool-choice: true", {"enable-auto-tool-choice": True}, "refuses"),
    "statistics": ("enable-per-request-metrics: true\ndisable-log-stats: true",
                   {"enable-per-request-metrics": True, "disable-log-stats": True}, "refuses"),
    "the role's": ("port: 9000", {"port": 9000}, "takes it; the role would look elsewhere"),
    "a secret": ("api-key: abc", {"api-key": "abc"}, "takes it; everybody could read it"),
}


def legal(flag, entry):
    """A value that a flag takes."""
    if flag in MAPPINGS or flag in TEXTS:
        return MAPPINGS.get(flag, TEXTS.get(flag))
    if entry["takes"] == "none":
        return entry["default"] != "True" or not entry["negative"]
    if entry["choices"] or entry["words"]:
        one = (entry["choices"] or entry["words"])[-1]
    elif entry["type"] == "json":
        one = [] if entry["json_of"] == "list" else {}
    else:
        one = {"int": 3, "float": 0.5}.get(entry["type"], "/some where/%s" % flag)
    return [one] if entry["takes"] == "many" else one


def argv(flag, value):
    """The words of a person who knows argparse, past everything that is tested here."""
    if value is False:
        return ["--no-" + flag]
    values = value if isinstance(value, list) and flag not in ("allowed-origins", "allowed-methods",
                                                               "allowed-headers") else [value]
    return ["--" + flag] + [one if isinstance(one, str) else json.dumps(one) for one in values if one is not True]


@pytest.fixture(scope="module", name="real")
def fixture_real():
    """One process of the real parser for all: {case: what it made of it}, and what it has."""
    told = parse_help(gzip.decompress(HELP.read_bytes()).decode())
    schema = known_arguments.complete(told, "0.32.0")
    said = {flag: legal(flag, entry) for flag, entry in schema["flags"].items()
            if flag not in OF_THE_ROLE and flag not in SECRETS}
    cases = {("trap", name): [text, []] for name, (text, _arguments, _does) in TRAPS.items()}
    for flag, value in said.items():
        cases["words", flag] = [None, argv(flag, value)]
        cases["ours", flag] = [engine_config.text({flag: value}, schema), []]
        cases["our words", flag] = [None, engine_config.words({flag: value}, schema)]
        if schema["flags"][flag]["negative"]:
            cases["false", flag] = [engine_config.text({flag: False}, schema), []]
    for flag, odd in _odd(schema, said):
        cases["odd", flag, json.dumps(odd)] = [json.dumps({flag: odd}), []]
        if not check({flag: odd}, schema, "here"):
            cases["ours", flag, json.dumps(odd)] = [engine_config.text({flag: odd}, schema), []]
    for name, settings in presets.PRESETS.items():
        cases["preset", name] = [engine_config.text(settings, schema), []]
    read = vllm_parser.read(list(cases.values()))
    return {"schema": schema, "said": said, "cases": dict(zip(cases, read["read"], strict=True)), "base": read["base"],
            "flags": read["flags"], "words": read["words"], "help": read["help"]}


def _odd(schema, said):
    """Every odd value for flags of a rare sort; for the many of each common one, every third in turn."""
    for number, flag in enumerate(said):
        entry = schema["flags"][flag]
        common = entry["takes"] == "none" or (entry["takes"] == "one" and entry["type"] in ("int", "str"))
        for odd in ODD[number % 3::3] if common else ODD:
            yield flag, odd


def test_the_help_is_read_whole(real):
    assert parse_help(real["help"])["flags"].keys() == real["schema"]["flags"].keys()
    flags = [one for one in real["flags"] if "--help" not in one["names"]]
    found = real["schema"]["flags"]
    assert len(found) == len(flags) > 300
    for one in flags:
        flag, entry, _false = find(next(name for name in one["names"] if name.startswith("--"))[2:], real["schema"])
        assert set(one["names"]) == set(entry["names"] + (["--" + entry["inverse"]] if entry["inverse"] else [])), flag
        assert {"0": "none", "None": "one", "+": "many", "?": "optional"}[str(one["nargs"])] == entry["takes"], flag
        if entry["choices"] and one["choices"]:
            assert [str(word) for word in one["choices"] if word is not None] == entry["choices"], flag


def test_every_flag_with_a_legal_value_arrives(real):
    known = {name: one["dest"] for one in real["flags"] for name in one["names"]}
    for flag, value in real["said"].items():
        ours, words = real["cases"]["ours", flag], real["cases"]["words", flag]
        assert check({flag: value}, real["schema"], "here") == [] or "needs" in check({flag: value}, real["schema"],
                                                                                     "")[0], flag
        assert ours == words == real["cases"]["our words", flag], flag
        found = dict(real["base"], **ours["differs"])[known["--" + flag]]
        if isinstance(value, bool):
            assert found is value or ours["refused"], flag
        elif isinstance(value, (int, float)):
            assert str(found) == str(value), flag  # The optimization level is text until the engine starts.
    assert real["cases"]["ours", "max-model-len"]["differs"] == {"max_model_len": 8000}
    assert real["cases"]["ours", "tokenizer"]["differs"] == {"tokenizer": "no"}
    assert real["cases"]["ours", "chat-template"]["differs"] == {"chat_template": TEXTS["chat-template"]}
    assert real["cases"]["ours", "hf-overrides"]["differs"] == {"hf_overrides": MAPPINGS["hf-overrides"]}


def test_false_arrives_as_false(real):
    known = {name: one["dest"] for one in real["flags"] for name in one["names"]}
    negative = [flag for flag in real["said"] if real["schema"]["flags"][flag]["negative"]]
    for flag in negative:
        case = real["cases"]["false", flag]
        assert not case["refused"], flag
        assert dict(real["base"], **case["differs"])[known["--" + flag]] is False, flag
    assert len(negative) > 80


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_caught_before_the_real_parser_sees_it(real, name):
    _text, arguments, does = TRAPS[name]
    # What another release than the one that is known here may have a word for is said, and not refused.
    assert check(arguments, real["schema"], "here") or doubts(arguments, real["schema"])
    assert bool(real["cases"]["trap", name]["refused"]) == (does == "refuses"), real["cases"]["trap", name]


def test_presets_arrive_and_every_flag_of_theirs_is_there(real):
    for name, settings in presets.PRESETS.items():
        assert check(settings, real["schema"], "preset") == []
        assert real["cases"]["preset", name] == {"refused": None, "differs": {
            flag.replace("-", "_"): value for flag, value in settings.items()}}
    assert all(flag in real["schema"]["flags"] for flag, _value, _why in presets.LEFT_TO_VLLM)


def test_what_the_real_parser_refuses_is_refused_before(real):
    """Or it is written otherwise than a person would, and then taken: a list as JSON."""
    missed = [key for key, case in real["cases"].items() if key[0] == "ours" and len(key) == 3 and case["refused"]]
    # Whether the file is on the node is not for a parser to say; nor are the keys of a mapping, where neither the help
    # of this release shows them nor the data is of this release: the engine says it, and is put back.
    unknown = {("ours", flag, '{"a": 1}') for flag, entry in real["schema"]["flags"].items()
               if entry["json_of"] == "dict" and not entry["keys"]} | {("ours", "chat-template", '"/a/b"')}
    # Nor are the words of two flags, which the parser itself takes as any text.
    assert {key for key in missed if key not in unknown
            and key[1] not in ("data-parallel-backend", "mm-encoder-attn-backend")} == set()
    assert sum(1 for key in real["cases"] if key[0] == "odd") > 3000


def test_where_we_are_stricter_there_is_a_reason(real):
    reasons = collections.Counter(_reason(key[1], json.loads(key[2]), real["schema"]["flags"][key[1]])
                                  for key, case in real["cases"].items()
                                  if key[0] == "odd" and not case["refused"]
                                  and ("ours",) + key[1:] not in real["cases"])
    assert None not in reasons, reasons


def _reason(flag, value, entry):
    """Why a value that the real parser lets pass is refused."""
    if value is False:
        return "dropped silently"
    if value in ("", "None"):
        return "taken for nothing, silently"
    if isinstance(value, list) and entry["takes"] != "many":
        return "a list of one: a second item would be taken for another argument"
    if isinstance(value, dict) and entry["type"] != "json":
        return "a mapping arrives as its JSON text"
    if entry["type"] == "json":
        return "JSON of another kind than what the engine takes: it fails later"
    if flag == "gpu-memory-utilization" and value == 1:
        return "leaves no memory for what is outside of vLLM's share"
    if flag in ("api-server-count", "data-parallel-supervisor-port", "kv-cache-memory-bytes", "kv-offloading-size",
                "shutdown-timeout", "optimization-level", "max-model-len", "tool-call-parser", "numa-bind-cpus",
                *CLASSES):
        return "the engine fails on it later"
    return None


def test_the_registries_of_this_engine_are_those_that_are_known_of_it(real):
    """Every word that it has passes; one that it has not is refused or said, whatever the release."""
    # A registry may be there before its flag is.
    here = {name: words for name, words in real["words"].items() if name.partition(".")[0] in real["schema"]["flags"]}
    flags = {name: words for name, words in here.items() if "." not in name}
    assert {"tool-call-parser", "reasoning-parser", "load-format", "tokenizer-mode", "quantization", "kv-cache-dtype",
            "attention-backend", "distributed-executor-backend"} <= set(flags) and len(here) >= 25
    assert flags["tool-call-parser"] == sorted(real["schema"]["flags"]["tool-call-parser"]["words"])
    for flag, words in flags.items():
        assert [word for word in words if check({flag: word}, real["schema"], "here")] == [], flag
        wrong = {flag: "no-such-word"}
        assert check(wrong, real["schema"], "here") or doubts(wrong, real["schema"]), flag
    for name, words in here.items():
        flag, point, key = name.partition(".")
        if point:
            assert [word for word in words if check({flag: {key: word}}, real["schema"], "here")] == [], name
            assert doubts({flag: {key: "no-such-word"}}, real["schema"]), name


def test_what_is_said_to_be_gone_is_gone(real):
    assert [name for name in GONE if name in real["schema"]["flags"]] == []
