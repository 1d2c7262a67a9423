# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of vllm serve's flags that are not for `arguments`: the role's own, secrets, and those that are gone.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

# What the role sets, and where a person says it.
OF_THE_ROLE = {
    "model": "`model` of the instance says it",
    "model-tag": "`model` of the instance says it",
    "revision": "`revision` of the instance says it",
    "served-model-name": "`served_name` of the instance says it",
    "config": "the role writes that file itself",
    "host": "`listen` of the instance says it",
    "port": "`port` of the instance says it",
    "uds": "the role serves on `listen` and `port` of the instance; with a socket vLLM ignores both",
    "data-parallel-multi-port-external-lb": "an instance has one port; make an instance of each rank",
    "grpc-port": "the role asks the HTTP server; vLLM has this port only with its Rust front end",
    "grpc": "it serves no HTTP, and the role asks /health and /v1/models",
    "headless": "the role sets it on all nodes of the instance but the first",
    "nnodes": "`nodes` of the instance says it",
    "node-rank": "the place of a node in `nodes` of the instance says it",
    "master-addr": "the first of `nodes` of the instance says it",
    "master-port": "`master_port` of the instance says it",
    "help": "it prints help and serves nothing",
    "version": "it prints the version and serves nothing",
}
SECRETS = {
    "api-key": "it would be readable in /etc/vllm and in ps; put it into vllm_service_secrets[NAME].api_key",
    "hf-token": "it would be readable in /etc/vllm and in ps; put it into vllm_service_secrets[NAME].hf_token",
}
# What vLLM had, or never had, and what there is instead. Asked only about a flag that the engine does not list.
GONE = {
    "cuda-graph-sizes": "cudagraph-capture-sizes",
    "device": "nothing: the build of vLLM decides",
    "disable-async-output-proc": "nothing: V1 has no such thing",
    "disable-frontend-multiprocessing": "nothing: the engine always has its own process",
    "disable-log-requests": "enable-log-requests: false, which is the default",
    "disable-mm-preprocessor-cache": "mm-processor-cache-gb: 0",
    "enable-reasoning": "reasoning-parser",
    "engine-use-ray": "distributed-executor-backend: ray",
    "gpu-memory-utilisation": "gpu-memory-utilization",
    "guided-decoding-backend": "structured-outputs-config: {backend: ...}",
    "lora-extra-vocab-size": "nothing: adapters no longer add words",
    "max-seq-len-to-capture": "max-cudagraph-capture-size",
    "multi-step-stream-outputs": "stream-interval",
    "ngram-prompt-lookup-max": "speculative-config: {prompt_lookup_max: ...}",
    "num-lookahead-slots": "speculative-config: {num_speculative_tokens: ...}",
    "num-scheduler-steps": "async-scheduling, which is on by default; multi-step scheduling is gone with V0",
    "num-speculative-tokens": "speculative-config: {num_speculative_tokens: ...}",
    "override-pooler-config": "pooler-config",
    "preemption-mode": "nothing: V1 always recomputes",
    "rope-scaling": "hf-overrides: {rope_scaling: ...}",
    "rope-theta": "hf-overrides: {rope_theta: ...}",
    "scheduler-delay-factor": "nothing: V1 has no such thing",
    "speculative-model": "speculative-config: {model: ...}",
    "swap-space": "kv-offloading-size; V1 recomputes what does not fit and swaps nothing",
    "task": "runner: pooling, with convert: embed or classify",
    "use-v1": "nothing: V1 is the only engine",
    "use-v2-block-manager": "nothing: V1 is the only engine",
    "utilisation": "gpu-memory-utilization",
    "utilization": "gpu-memory-utilization",
    "worker-use-ray": "distributed-executor-backend: ray",
}
# Beyond what the engine's configuration classes say: what its other checks say, and where we are stricter.
BOUNDS = {
    "api-server-count": ">=1",
    "data-parallel-supervisor-port": ">=1024 <=65535",
    "kv-cache-memory-bytes": ">=1",
    "kv-offloading-size": ">0",
    "optimization-level": ">=0 <=3",
    "shutdown-timeout": ">=0",
    "sse-keep-alive-interval": ">=0",
}
MOST_MEMORY = 0.95
TOO_MUCH_MEMORY = ("more than 0.95 of a GPU leaves too little for CUDA graphs and NCCL, which are partly outside of "
                   "it; legal is more than 0, up to 0.95 (for an exact size: kv-cache-memory-bytes)")
# Words that vLLM takes in capitals and in small letters, and some of them with hyphens; NAME, or NAME.KEY of a mapping.
ANY_CASE = ("attention-backend", "mm-encoder-attn-backend", "mamba-backend", "load-format", "tokenizer-mode",
            "quantization", "attention-config.backend", "attention-config.mla_prefill_backend",
            "compilation-config.cudagraph_mode", "compilation-config.mode", "kernel-config.linear_backend",
            "kernel-config.moe_backend", "kernel-config.sparse_indexer_topk_backend",
            "speculative-config.attention_backend", "speculative-config.quantization")
# Where a class is legal too, as package.module.Class.
OR_A_CLASS = ("distributed-executor-backend",)
# Where no text at all is legal too, and says that there is none.
MAY_BE_EMPTY = ("reasoning-config.reasoning_parser", "structured-outputs-config.reasoning_parser")
# What must have a point in it, for vLLM takes what is before the last one for a module.
CLASSES = ("middleware", "scheduler-cls", "worker-extension-cls")
# Who names one of these, a flag or a key of the same mapping, may mean a word that only it has.
OPENED_BY = {
    "tool-call-parser": ("tool-parser-plugin",),
    "reasoning-parser": ("reasoning-parser-plugin",),
    "reasoning-config.reasoning_parser": ("reasoning-parser-plugin",),
    "structured-outputs-config.reasoning_parser": ("reasoning-parser-plugin", "reasoning_parser_plugin"),
    "kv-transfer-config.kv_connector": ("kv_connector_module_path",),
    "ec-transfer-config.ec_connector": ("ec_connector_module_path",),
}
# What every value of a mapping is, whatever its key.
MAPPINGS_OF = {"custom-histogram-buckets": list, "default-mm-loras": str, "media-io-kwargs": dict,
               "model-class-overrides": str, "pt-load-map-location": str, "reasoning-effort-map": str}
# Mappings that are not whole without some key.
NEVER_EMPTY = ("speculative-config", "watermark-config")
# These flags work only together with, or never together with, another one.
NEEDS = (("enable-auto-tool-choice", "tool-call-parser"), ("enable-log-outputs", "enable-log-requests"))
NEVER_WITH = (("enable-per-request-metrics", "disable-log-stats"),)
# A flag and a key of a mapping that say the same thing: vLLM takes one of them.
SAME_AS_KEY = (("attention-backend", "attention-config", "backend"),
               ("cudagraph-capture-sizes", "compilation-config", "cudagraph_capture_sizes"),
               ("enable-flashinfer-autotune", "kernel-config", "enable_flashinfer_autotune"),
               ("max-cudagraph-capture-size", "compilation-config", "max_cudagraph_capture_size"))
