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

from .vllm_families import FAMILIES, HOLDERS

_MOST = 1 << 40  # Larger than any field of any model; keeps the arithmetic of odd JSON small.
_WITHOUT_FACTOR = ("default", "su", "longrope", "llama3", "mrope", "proportional")  # vllm/config/model.py


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
    if kind not in FAMILIES:
        raise BadConfig(
            "model_type %s (architectures %s) is not known to the sizing, and its size is not guessed. Known: %s"
            % (kind, config.get("architectures"), ", ".join(sorted(FAMILIES))))
    return text, kind, FAMILIES[kind]


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


def longest(config, default=None):
    """Tokens that the model was made for, as vLLM reckons max_model_len; None where config.json has no such field."""
    keys = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "model_max_length",
            "max_sequence_length")
    length = min((whole(config, key) for key in keys if config.get(key) is not None), default=default)
    rope = next((config[key] for key in ("rope_parameters", "rope_scaling") if isinstance(config.get(key), dict)), {})
    kind = rope.get("rope_type", rope.get("type"))
    factor = rope.get("factor")
    if length is None or kind in _WITHOUT_FACTOR or isinstance(factor, bool) or not isinstance(factor, (int, float)):
        return length
    if not 1 <= factor <= _MOST or str(config.get("model_type")).startswith("gemma3"):
        return length
    if kind == "yarn" and rope.get("original_max_position_embeddings") is not None:
        length = whole(rope, "original_max_position_embeddings")
    return int(length * factor)


def dtype_of(config, text):
    """What config.json says the weights are in: 'bfloat16', 'float32' ...; None where it does not."""
    for one in (text, config):
        for key in ("dtype", "torch_dtype"):
            if isinstance(one.get(key), str):
                return re.sub(r"^torch\.", "", one[key])
    return None
