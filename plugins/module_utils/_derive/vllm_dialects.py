# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Families whose config.json says what others say in its own way: each brought to the common names and lists.

PRIVATE to the collection. Pure. Names that only differ are in the table of families; here is what has to be reckoned.
"""

from __future__ import annotations

from . import vllm_config as read

_NEMOTRON = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}


def common(text, kind, family):
    """config.json of the language model in the common names. Raises BadConfig."""
    text = {key: value for key, value in text.items() if value is not None}
    for ours, theirs in family.get("names", {}).items():
        if ours not in text and theirs in text:
            text[ours] = text[theirs]
    text = {**family.get("defaults", {}), **text}
    for key in family.get("without", ()):
        if text.get(key):
            raise read.BadConfig("config.json: %s is %.40r: a %s with it is a variant whose size is not known here"
                                 % (key, text[key], kind))
    return _DIALECTS[kind](text) if kind in _DIALECTS else text


def _four(text):
    """GPT: the MLP is four times as wide as the model where nothing is said."""
    return {"intermediate_size": 4 * read.whole(text, "hidden_size"), **text}


def _bigcode(text):
    return dict(_four(text), num_key_value_heads=1 if read.flag(text, "multi_query", True) else
                read.whole(text, "num_attention_heads"))


def _opt(text):
    """Of OPT the smallest but one has narrower embeddings, and no last norm."""
    if read.whole(text, "word_embed_proj_dim", text.get("hidden_size")) != read.whole(text, "hidden_size"):
        raise read.BadConfig("config.json: word_embed_proj_dim is %s, and hidden_size %s: a variant of opt whose size "
                             "is not known here" % (text["word_embed_proj_dim"], text["hidden_size"]))
    return text


def _falcon(text):
    """Three generations: 40B has KV heads and a norm each for attention and MLP; 7B one of both; RW neither."""
    newer, heads = read.flag(text, "new_decoder_architecture"), read.whole(text, "num_attention_heads")
    both = 1 if read.flag(text, "parallel_attn", True) else 2
    both = read.whole(text, "num_ln_in_parallel_attn", 2) if newer else both
    shared = 1 if read.flag(text, "multi_query", True) else heads
    kv_heads = read.whole(text, "num_kv_heads", text.get("n_head_kv", heads)) if newer else shared
    return dict(_four(text), num_key_value_heads=kv_heads, norms=both)


def _dbrx(text):
    attention, experts = read.mapping(text, "attn_config"), read.mapping(text, "ffn_config")
    return dict(text, num_key_value_heads=read.whole(attention, "kv_n_heads", 1),
                num_local_experts=read.whole(experts, "moe_num_experts", 4),
                num_experts_per_tok=read.whole(experts, "moe_top_k", 1),
                intermediate_size=read.whole(experts, "ffn_hidden_size", 3584))


def _chatglm(text):
    """KV heads are told only where there are fewer than heads."""
    if not read.flag(text, "multi_query_attention"):
        text = dict(text, num_key_value_heads=read.whole(text, "num_attention_heads"))
    return text


def _stablelm(text):
    return dict(text, norms=1 if read.flag(text, "use_parallel_residual") else 2)


def _nemotron_h(text):
    """A layer is one block: Mamba, attention, an MLP or experts."""
    pattern = text.get("hybrid_override_pattern")
    kinds = read.listed(text, "layers_block_type") or read.listed(text, "layer_types")
    if not kinds and isinstance(pattern, str):
        kinds = [_NEMOTRON.get(one, one) for one in pattern.replace("|", "")]
    odd = next((one for one in kinds if one not in (*_NEMOTRON.values(), "full_attention", "linear_attention")), None)
    if not kinds or odd is not None:
        raise read.BadConfig("config.json: hybrid_override_pattern is %.80r: which layer is what cannot be told from %s"
                             % (pattern, "it" if odd is None else repr(odd)))
    return dict(text, layer_types=kinds, num_hidden_layers=len(kinds), norms=1,
                mamba_conv_bias=text.get("use_conv_bias", text.get("mamba_conv_bias")),
                mamba_proj_bias=read.flag(text, "use_bias"))


def _gemma4(text):
    """Experts, where there are any, are beside the MLP, with norms of their own and a scale of the router."""
    own = [one for one in read.mapping(text, "per_layer_config").values() if isinstance(one, dict)]
    if any(one != own[0] for one in own):
        raise read.BadConfig("config.json: per_layer_config gives layers different sizes: a variant of gemma4 whose "
                             "size is not known here")
    told = {"head_dim": "global_head_dim", "num_key_value_heads": "num_global_key_value_heads"}
    text = dict(text, **{told[key]: value for key, value in (own[0] if own else {}).items() if key in told})
    return dict(text, norms=8) if read.flag(text, "enable_moe_block") else dict(text, num_experts=0)


def _jamba(text):
    """Layers at an offset in each period attend; others are Mamba. One expert is none."""
    if text.get("num_experts") == 1:
        text = dict(text, num_experts=0)
    period, offset = read.whole(text, "attn_layer_period", 8), read.whole(text, "attn_layer_offset", 4, 0)
    return {"layer_types": ["attention" if layer % period == offset else "mamba" for layer in _layers(text)], **text}


def _lfm2(text):
    """Which layers attend is a list of kinds or of numbers; the MLP is narrower than what is said."""
    full = read.listed(text, "full_attn_idxs") if "full_attn_idxs" in text else list(_layers(text))
    kinds = ["full_attention" if layer in full else "conv" for layer in _layers(text)]
    wide = read.whole(text, "intermediate_size", text.get("block_ff_dim"))
    if read.flag(text, "block_auto_adjust_ff_dim", True):
        factor = text.get("block_ffn_dim_multiplier", 1)
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 < factor <= 64:
            raise read.BadConfig("config.json: block_ffn_dim_multiplier is %.40r, not a number above 0" % (factor,))
        step = read.whole(text, "block_multiple_of", 256)
        wide = -(-int(factor * int(2 * wide / 3)) // step) * step
    return {"layer_types": kinds, **text, "intermediate_size": wide}


def _layers(text):
    return range(read.few(text))


_DIALECTS = {"gpt2": _four, "gptj": _four, "bloom": _four, "gpt_bigcode": _bigcode,
             "falcon": _falcon, "opt": _opt, "dbrx": _dbrx, "chatglm": _chatglm, "stablelm": _stablelm,
             "nemotron_h": _nemotron_h, "gemma4_text": _gemma4, "jamba": _jamba, "lfm2": _lfm2}
