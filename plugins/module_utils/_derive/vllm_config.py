# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of a model's config.json, each read with its type and range, or refused by name.

PRIVATE to the collection. Pure. A value that is absent or null takes the family's default; where the family has none,
it is missing, and that is said: nothing is guessed.
"""

from __future__ import annotations

import json
import math
import re

from .vllm_families import FAMILIES, GONE, HOLDERS, NESTED

_MOST_LAYERS = 1000
_MOST = 1 << 40  # Larger than any field of any model; keeps the arithmetic of odd JSON small.
# As vLLM has them (config/model.py, transformers_utils/model_arch_config_convertor.py): with YaRN
# max_position_embeddings is the stretched length already.
_WITHOUT_FACTOR = ("default", "su", "longrope", "llama3", "mrope", "proportional", "yarn", "deepseek_yarn",
                   "deepseek_llama_scaling")
_LENGTHS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "model_max_length",
            "max_target_positions", "max_sequence_length", "max_seq_length", "seq_len")


class BadConfig(ValueError):
    """config.json lacks what the sizing needs, or is of a kind that it does not know; the text says what was read."""


def parse(config):
    """config.json as a dict; text is parsed. Raises BadConfig."""
    if isinstance(config, (str, bytes)):
        try:
            config = json.loads(config)
        except (ValueError, RecursionError) as error:
            raise BadConfig("config is to be a model's config.json (a dict, or its text), and this text is no JSON: %s"
                            % error) from error
    if not isinstance(config, dict):
        raise BadConfig("config is to be a model's config.json, a dict, and is %s" % type(config).__name__)
    if not config:
        raise BadConfig("config is empty: a model's config.json is needed")
    return config


def split(config):
    """(config of the language model, its model_type, its family): nested text_config and the like are found."""
    outer = config.get("model_type")
    inner = next((config[key] for key in HOLDERS if isinstance(config.get(key), dict)), None)
    text = config if inner is None else inner
    kind = text.get("model_type") or outer
    if not isinstance(kind, str):
        raise BadConfig("config has no model_type (read: architectures %s; keys %s): the architecture cannot be told"
                        % (config.get("architectures"), ", ".join(sorted(map(str, config))[:12]) or "none"))
    if kind not in FAMILIES and kind + "_text" in FAMILIES:
        kind += "_text"
    if inner is not None:
        text = {**NESTED.get(kind, {}), **text}
    if kind not in FAMILIES:
        raise BadConfig(_unknown(kind, config.get("architectures")))
    return text, kind, FAMILIES[kind]


def _unknown(kind, architectures):
    """Why this model is refused, and where its numbers are to be had."""
    gone = next((name for name in architectures if isinstance(name, str) and name in GONE),
                None) if isinstance(architectures, list) else None
    if gone:
        return "model_type %s: vLLM served %s up to %s, and no longer does" % (kind, gone, GONE[gone])
    return ("model_type %s (architectures %s) is not known to the sizing, and its size is not guessed. What is known "
            "without it: the bytes of weights are metadata.total_size in model.safetensors.index.json, and what its KV "
            "cache holds vLLM logs when it starts. Known: %s" % (kind, architectures, ", ".join(sorted(FAMILIES))))


def whole(config, key, default=None, least=1):
    """An integer field. Raises BadConfig where it is missing without a default, of another type, or too small."""
    value = config.get(key)
    if value is None:
        value = default
    if value is None:
        raise BadConfig("config.json has no %s, which the sizing needs (keys: %s)"
                        % (key, ", ".join(sorted(map(str, config))[:30])))
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
        raise BadConfig("config.json: %s is %.60r, not an integer of %d or more" % (key, value, least))
    return value


def few(config):
    """The number of layers."""
    layers = whole(config, "num_hidden_layers")
    if layers > _MOST_LAYERS:
        raise BadConfig("config.json: num_hidden_layers is %d; no model has more than %d" % (layers, _MOST_LAYERS))
    return layers


def flag(config, key, default=False):
    """A boolean field."""
    value = config.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise BadConfig("config.json: %s is %.60r, neither true nor false" % (key, value))
    return value


def listed(config, key):
    """A list field; [] where it is missing."""
    value = config.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadConfig("config.json: %s is %s, not a list" % (key, type(value).__name__))
    return value


def mapping(config, key):
    """A dict field; {} where it is missing."""
    value = config.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadConfig("config.json: %s is %s, not a dict" % (key, type(value).__name__))
    return value


def kind_of(text, layer):
    """What layer_types calls this layer; None where there is no such list."""
    kinds = listed(text, "layer_types")
    if not kinds:
        every = whole(text, "full_attention_interval", 0, 0)
        return None if not every else "full_attention" if (layer + 1) % every == 0 else "linear_attention"
    if layer >= len(kinds) or not isinstance(kinds[layer], str):
        raise BadConfig("config.json: layer_types has %d entries, and there are more layers" % len(kinds))
    return kinds[layer]


def longest(config, default=None):
    """Tokens that vLLM lets max_model_len be; None where config.json has no such field."""
    length = min((whole(config, key) for key in _LENGTHS if config.get(key) is not None), default=default)
    if config.get("model_max_length"):
        length = whole(config, "model_max_length")  # Command R has a smaller max_position_embeddings beside it.
    scale = 1
    for rope in _ropes(config):
        factor = rope.get("factor")
        plain = rope.get("rope_type", rope.get("type")) in _WITHOUT_FACTOR
        if not plain and not isinstance(factor, bool) and isinstance(factor, (int, float)) and 1 <= factor <= _MOST:
            scale = factor
    if length is None or str(config.get("model_type")).startswith("gemma3"):
        return length
    return int(length * scale)


def unset(config, length):
    """Tokens that vLLM takes where max_model_len is not said: `length`, or less with LongRoPE; 2048 for None."""
    if any(rope.get("rope_type", rope.get("type")) in ("longrope", "su") for rope in _ropes(config)):
        length = whole(config, "original_max_position_embeddings", length)
    return 2048 if length is None else length


def _ropes(config):
    """How positions are stretched: one dict, or one for each type of layer."""
    rope = next((config[key] for key in ("rope_parameters", "rope_scaling") if isinstance(config.get(key), dict)), {})
    inner = [one for one in rope.values() if isinstance(one, dict)]
    return inner if inner and "rope_type" not in rope else [rope]


def dtype_of(config, text):
    """What config.json says the weights are in: 'bfloat16', 'float32' ...; None where it does not."""
    for one in (text, config):
        for key in ("dtype", "torch_dtype"):
            if isinstance(one.get(key), str):
                return re.sub(r"^torch\.", "", one[key])
    return None
