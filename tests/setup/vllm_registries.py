# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real vLLM has in registries: the words of flags that its parser takes as any text; for vllm_arguments.py."""

from __future__ import annotations

import importlib
import typing

# NAME or NAME.KEY of a mapping: the module and what in it has the words; each is read by _names.
REGISTRIES = {
    "attention-backend": "vllm.v1.attention.backends.registry:AttentionBackendEnum",
    "attention-config.backend": "vllm.v1.attention.backends.registry:AttentionBackendEnum",
    "attention-config.mla_prefill_backend": "vllm.v1.attention.backends.mla.prefill.registry:MLAPrefillBackendEnum",
    "cohere-format": "vllm.renderers.cohere:_VALID_FORMATS",
    "compilation-config.cudagraph_mode": "vllm.config.compilation:CUDAGraphMode",
    "compilation-config.mode": "vllm.config.compilation:CompilationMode",
    "config-format": "vllm.transformers_utils.config:_CONFIG_FORMAT_TO_CONFIG_PARSER",
    "distributed-executor-backend": "vllm.config.parallel:DistributedExecutorBackend",
    "ec-transfer-config.ec_connector": "vllm.distributed.ec_transfer.ec_connector.factory:ECConnectorFactory._registry",
    "kernel-config.linear_backend": "vllm.config.kernel:LinearBackend",
    "kernel-config.moe_backend": "vllm.config.kernel:MoEBackend",
    "kernel-config.sparse_indexer_topk_backend": "vllm.config.kernel:SparseIndexerTopkBackend",
    "kv-cache-dtype": "vllm.config.cache:CacheDType",
    "kv-transfer-config.kv_connector":
        "vllm.distributed.kv_transfer.kv_connector.factory:KVConnectorFactory._registry",
    "load-format": "vllm.model_executor.model_loader:_LOAD_FORMAT_TO_MODEL_LOADER",
    "mamba-backend": "vllm.config.mamba:MambaBackendEnum",
    "mm-encoder-attn-backend": "vllm.v1.attention.backends.registry:AttentionBackendEnum",
    "model-impl": "vllm.config.model:ModelImpl",
    "quantization": "vllm.model_executor.layers.quantization:QUANTIZATION_METHODS",
    "reasoning-config.reasoning_parser": "vllm.reasoning:ReasoningParserManager",
    "reasoning-parser": "vllm.reasoning:ReasoningParserManager",
    "sleep-mode-backend": "vllm.device_allocator.sleep_mode_backend:SleepModeBackendFactory._registry",
    "speculative-config.attention_backend": "vllm.v1.attention.backends.registry:AttentionBackendEnum",
    "speculative-config.kv_cache_dtype": "vllm.config.cache:CacheDType",
    "speculative-config.method": "vllm.config.speculative:SpeculativeMethod",
    "speculative-config.moe_backend": "vllm.config.kernel:MoEBackend",
    "speculative-config.quantization": "vllm.model_executor.layers.quantization:QUANTIZATION_METHODS",
    "structured-outputs-config.reasoning_parser": "vllm.reasoning:ReasoningParserManager",
    "tokenizer-mode": "vllm.tokenizers.registry:_VLLM_TOKENIZERS",
    "tool-call-parser": "vllm.tool_parsers:ToolParserManager",
    "weight-transfer-config.backend":
        "vllm.distributed.weight_transfer.factory:WeightTransferEngineFactory._registry",
}
# What is legal and stands in no registry: what vLLM asks for before it looks there.
BESIDE = {
    "attention-backend": ["auto"],
    "attention-config.backend": ["auto"],
    "config-format": ["auto"],
    # Of a checkpoint in AWQ or GPTQ, where it means the one that vLLM has for that.
    "quantization": ["marlin"],
    "speculative-config.quantization": ["marlin"],
    "reasoning-parser": ["none"],
    "speculative-config.attention_backend": ["auto"],
    "tokenizer-mode": ["auto"],
}


def words():
    """{NAME or NAME.KEY: its words, sorted}, of the registries that this vLLM has."""
    found = {}
    for name, place in REGISTRIES.items():
        module, _colon, path = place.partition(":")
        try:
            registry = importlib.import_module(module)
            for part in path.split("."):
                registry = getattr(registry, part)
        except (ImportError, AttributeError):
            continue
        found[name] = sorted(set(_names(registry)) | set(BESIDE.get(name, ())))
    return found


def lines():
    """Names and the words that they share, each as one line."""
    shared = {}
    for name, found in sorted(words().items()):
        shared.setdefault(" ".join(found), []).append(name)
    return ["%s: %s" % (" ".join(names), found) for found, names in shared.items()]


def _names(registry):
    """The words of an enumeration, a parser manager, a type of nothing but words, a list or a mapping."""
    if hasattr(registry, "__members__"):
        return list(registry.__members__)
    if hasattr(registry, "list_registered"):
        return registry.list_registered()
    if typing.get_origin(registry) is typing.Literal:
        return list(typing.get_args(registry))
    return list(registry)
