# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a checkpoint is quantised: its quantization_config as bits, scales, and what is left in 16 bits.

PRIVATE to the collection. Pure. Formats as vLLM loads them (vllm/model_executor/layers/quantization): scales and zero
points are counted, embeddings, norms, gates and biases never are quantised, the head only where the file says so.
"""

from __future__ import annotations

import collections
import fnmatch
import re

from . import vllm_config as read

# bits: of one number; group: numbers of a row that share a scale, 0 for one scale a column; block: (rows, columns) that
# share one; scale: bytes of it; zeros: zero points too; kinds: matrices; left: names left out; targets: names taken.
Format = collections.namedtuple("Format", "name bits group block scale zeros kinds left targets")
_BOTH = ("linear", "expert")
_GONE = ("bitsandbytes", "gguf", "hqq", "aqlm", "eetq", "deepspeedfp", "marlin", "squeezellm", "bitblas")
# What other families call a matrix, by the end of the name that it has here.
_SYNONYMS = {"in_proj_qkvz": ("in_proj_qkv", "in_proj_z"), "in_proj_ba": ("in_proj_b", "in_proj_a"),
             "c_fc": ("up_proj", "fc1", "dense_h_to_4h"), "c_proj": ("down_proj", "fc2", "dense_4h_to_h"),
             "experts.gate_up_proj": ("experts.up_proj",), "latent_proj": ("fc1_latent_proj", "fc2_latent_proj")}
_NONE = (frozenset(), ())  # Names and patterns, as _patterns makes them.
# What --quantization makes of 16-bit weights when they are loaded, and what a converted checkpoint would be.
PLANNED = {
    "fp8": Format("fp8", 8, 0, None, 4, False, _BOTH, _NONE, ()),
    "int8": Format("int8", 8, 0, None, 4, False, _BOTH, _NONE, ()),
    "int4": Format("int4", 4, 128, None, 2, True, _BOTH, _NONE, ()),
    "awq": Format("awq", 4, 128, None, 2, True, _BOTH, _NONE, ()),
    "gptq": Format("gptq", 4, 128, None, 2, True, _BOTH, _NONE, ()),
    "nvfp4": Format("nvfp4", 4, 16, None, 1, False, _BOTH, _NONE, ()),
    "mxfp4": Format("mxfp4", 4, 32, None, 1, False, _BOTH, _NONE, ()),
}
# As vLLM's --dtype, where auto makes 16 bits of 32.
PLAIN = {"auto": 2, "bfloat16": 2, "float16": 2, "half": 2, "float32": 4, "float": 4}


def formats(shape, dtype):
    """(formats of the quantised matrices, bytes of one number of the others). Raises BadConfig."""
    if not isinstance(dtype, str) or (dtype not in PLAIN and dtype not in PLANNED):
        raise read.BadConfig("dtype: %.40r is not one of %s" % (dtype, ", ".join([*PLAIN, *PLANNED])))
    given = shape["quantization"]
    method = _method(given) if given else None
    if method is None:
        return ([PLANNED[dtype]] if dtype in PLANNED else []), PLAIN.get(dtype, 2)
    if method in _GONE:
        raise read.BadConfig("quantization_config: quant_method %s is none that vLLM 0.32 loads: take a "
                             "checkpoint in FP8, AWQ or GPTQ, or the one in 16 bits with vLLM's --quantization fp8"
                             % method)
    if method not in _METHODS:
        raise read.BadConfig("quantization_config: quant_method %s is not known to the sizing, and its size is not "
                             "guessed. Known: %s" % (method, ", ".join(sorted(_METHODS))))
    found = _METHODS[method](given, method)
    if dtype in PLANNED and all(one.bits != PLANNED[dtype].bits for one in found):
        raise read.BadConfig("dtype: %s was asked for, and config.json says that this checkpoint is %s already"
                             % (dtype, method))
    return found, PLAIN.get(dtype, 2)


def method_of(config):
    """The quant_method of a config.json, or None. Raises BadConfig."""
    config = read.parse(config)
    inner = next((config[key] for key in read.HOLDERS if isinstance(config.get(key), dict)), {})
    given = next((read.mapping(one, key) for one in (config, inner)
                  for key in ("quantization_config", "compression_config") if one.get(key) is not None), None)
    return _method(given) if given else None


def _method(given):
    method = given.get("quant_method")
    producer = given.get("producer")
    if method is None and isinstance(producer, dict) and producer.get("name") == "modelopt":
        method = "modelopt"
    if method is None and given.get("config_groups"):
        method = "compressed-tensors"
    if not isinstance(method, str):
        raise read.BadConfig("quantization_config has no quant_method (keys: %s)"
                             % ", ".join(sorted(map(str, given))[:12]))
    return method.lower().replace("_", "-") if method.lower() in ("compressed_tensors",) else method.lower()


def bytes_of(matrix, one, width):
    """Bytes of one matrix with its scales in its format, or unquantised where that is None."""
    numbers = matrix.count * matrix.rows * matrix.columns
    if one is None:
        return numbers * width
    rows, columns = matrix.rows, matrix.columns
    if one.block:
        scales = -(-rows // one.block[1]) * -(-columns // one.block[0])
    else:
        scales = columns * (-(-rows // one.group) if one.group > 0 else 1)
    extra = scales * one.scale + (scales * one.bits // 8 if one.zeros else 0)
    return numbers * one.bits // 8 + matrix.count * extra


def format_of(matrix, found):
    """The format of a matrix, or None where it is not quantised."""
    names = None
    for one in found:
        if matrix.kind not in one.kinds:
            continue
        names = names or _names(matrix.name)
        if one.targets and not any(_matches(name, one.targets) for name in names):
            continue
        return None if any(_matches(name, one.left) for name in names) else one
    return None


def _names(name):
    """The names that checkpoints give to a matrix which is counted as one here."""
    found = [name]
    if name.endswith((".q_proj", ".k_proj", ".v_proj")):
        found.append(name[:-6] + "qkv_proj")
    if name.endswith((".gate_proj", ".up_proj")):
        found.append(name.rsplit(".", 1)[0] + ".gate_up_proj")
    if name.endswith("gate_up_proj"):
        found.append(name[:-12] + "gate_proj")
    for end, others in _SYNONYMS.items():
        if name.endswith("." + end):
            found += [name[:-len(end)] + other for other in others]
    if ".shared_experts." in name:
        found += [one.replace(".shared_experts.", ".shared_expert.") for one in found]
    if ".experts." in name:
        found += [one.replace(".experts.", ".experts.0.") for one in found]
        found += [one.replace(".mlp.", ".block_sparse_moe.") for one in found]
    found += [one.replace(".mlp.", ".feed_forward.") for one in found if ".mlp." in one]
    # Nemotron-H calls each block of a layer so.
    return found + [re.sub(r"^model\.layers\.(\d+)\.\w+\.", r"backbone.layers.\1.mixer.", one) for one in found]


def _matches(name, patterns):
    """Whole names, parts of them between dots, shell patterns, and regular expressions after 're:'."""
    plain, others = patterns
    words = name.split(".")
    parts = (".".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1))
    return any(part in plain for part in parts) or any(_match(name, pattern) for pattern in others)


def _patterns(names):
    """(names, patterns): a checkpoint may list hundreds of names, and each is looked up for each matrix."""
    names = [name.replace("language_model.", "") for name in names if isinstance(name, str)]
    others = tuple(name for name in names if name.startswith("re:") or "*" in name)
    return frozenset(names) - frozenset(others), others


def _match(name, pattern):
    if pattern.startswith("re:"):
        try:
            return re.match(pattern[3:], name) is not None
        except (re.error, OverflowError) as error:
            raise read.BadConfig("quantization_config: %.60r is no regular expression: %s"
                                 % (pattern, error)) from error
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, pattern + ".*")


def _left(given, *keys):
    return _patterns([name for key in keys for name in read.listed(given, key)])


def _fp8(given, method):
    left = _left(given, "ignored_layers", "modules_to_not_convert", "ignore")
    block = read.listed(given, "weight_block_size")
    if block:
        sizes = [read.whole({"weight_block_size": size}, "weight_block_size") for size in block[:2]]
        if len(block) != 2:
            raise read.BadConfig("quantization_config: weight_block_size is %.60r, not two integers" % block)
        return [Format(method, 8, 0, tuple(sizes), 4, False, _BOTH, left, ())]
    return [Format(method, 8, 0, None, 4, False, _BOTH, left, ())]


def _grouped(given, method):
    """AWQ, GPTQ and what writes the same files."""
    bits = read.whole(given, "bits", given.get("w_bit", given.get("weight_bits")))
    group = read.whole(given, "group_size", given.get("q_group_size", -1), -1)
    if bits not in (2, 3, 4, 8):
        raise read.BadConfig("quantization_config: bits is %d, not 2, 3, 4 or 8" % bits)
    plain, others = _left(given, "modules_to_not_convert", "ignore")
    dynamic = {name: rule for name, rule in read.mapping(given, "dynamic").items() if isinstance(name, str)}
    left = plain, others + tuple("re:" + name[2:] for name in dynamic if name[:2] == "-:")
    kinds = _BOTH + (("head",) if read.flag(given, "lm_head") else ())
    zeros = "gptq" in method or read.flag(given, "zero_point", True)
    found = [Format(method, bits, max(group, 0), None, 2, zeros, kinds, left, ())]
    for name, rule in reversed(list(dynamic.items())):  # The first that matches counts.
        if name[:2] != "-:" and isinstance(rule, dict):
            own = (read.whole(rule, "bits", bits), max(read.whole(rule, "group_size", group, -1), 0))
            pattern = "re:" + (name[2:] if name[:2] == "+:" else name)
            found.insert(0, found[-1]._replace(bits=own[0], group=own[1], targets=(frozenset(), (pattern,))))
    return found


def _compressed(given, method):
    left, found = _left(given, "ignore"), []
    for name in sorted(read.mapping(given, "config_groups"), key=str):
        group = read.mapping(given["config_groups"], name)
        weights = read.mapping(group, "weights")
        if not weights:
            continue
        bits, size = read.whole(weights, "num_bits"), read.whole(weights, "group_size", 0, -1)
        four = bits == 4 and weights.get("type") == "float"
        plain, others = _left(group, "targets")
        targets = () if "Linear" in plain else (plain, others) if plain or others else ()
        block = read.listed(weights, "block_structure")
        block = tuple(read.whole({"block": one}, "block") for one in block) if len(block) == 2 else None
        found.append(Format(method, bits, max(size, 0), block, 1 if four else 2,
                            not read.flag(weights, "symmetric", True), _BOTH + (("head",) if targets else ()), left,
                            targets))
    if not found:
        raise read.BadConfig("quantization_config: compressed-tensors without weights in config_groups")
    return found


def _modelopt(given, method):
    inner = read.mapping(given, "quantization") or given
    algorithm = inner.get("quant_algo", given.get("quant_algo"))
    left = _left(inner, "exclude_modules", "ignore", "modules_to_not_convert")
    kinds = {"FP8": (8, 0, 4), "NVFP4": (4, 16, 1), "W4A16_AWQ": (4, 128, 2), "MXFP8": (8, 32, 1),
             "FP8_PB_WO": (8, 128, 4)}
    if algorithm not in kinds:
        raise read.BadConfig("quantization_config: quant_algo %.40r of modelopt is not known to the sizing: %s"
                             % (algorithm, ", ".join(sorted(kinds))))
    bits, group, scale = kinds[algorithm]
    return [Format(method, bits, group, None, scale, False, _BOTH, left, ())]


def _mxfp4(given, method):
    """gpt-oss: the experts only."""
    left = _left(given, "modules_to_not_convert", "ignored_layers")
    return [Format(method, 4, 32, None, 1, False, ("expert",), left, ())]


def _mxfp8(given, method):
    left = _left(given, "modules_to_not_convert", "ignored_layers", "exclude_modules")
    return [Format(method, 8, 32, None, 1, False, _BOTH, left, ())]


def _experts_int8(given, method):
    return [Format(method, 8, 0, None, 4, False, ("expert",), _NONE, ())]


_METHODS = {"fp8": _fp8, "fbgemm_fp8": _fp8, "awq": _grouped, "awq_marlin": _grouped, "auto_awq": _grouped,
            "gptq": _grouped, "gptq_marlin": _grouped, "auto_gptq": _grouped, "auto-round": _grouped, "inc": _grouped,
            "moe_wna16": _grouped, "compressed-tensors": _compressed, "modelopt": _modelopt, "modelopt_fp4": _modelopt,
            "modelopt_mxfp8": _modelopt, "mxfp4": _mxfp4, "gpt_oss_mxfp4": _mxfp4, "mxfp8": _mxfp8,
            "experts_int8": _experts_int8}
