# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flags of vllm serve 0.33.0 that take no value, and the first of those that take one, data of known_arguments.py.

PRIVATE to the collection. Written by tests/setup/vllm_arguments.py, which says how; not by hand.
"""

from __future__ import annotations

VERSION = "0.33.0"
# --NAME and --no-NAME.
BOOLEANS = """
allow-credentials allow-deprecated-quantization async-scheduling cohere-is-reasoning-model cudagraph-metrics
data-parallel-external-lb,-dpe data-parallel-hybrid-lb,-dph dcp-q-replicate enforce-eager
exclude-tools-when-tool-choice-none fail-on-environ-validation fully-sharded-loras interleave-mm-strings
jit-monitor-verbose kv-cache-metrics kv-sharing-fast-prefill language-model-only log-error-stack
long-prefill-token-threshold-adaptive mm-device-do-normalize mm-encoder-only monokernel numa-bind
ray-workers-use-nsight return-sampling-mask return-tokens-as-token-ids scheduler-reserve-full-isl skip-mm-profiling
skip-tokenizer-init sleep-mode-offload-cudagraph specialize-active-lora swa-bounded-replay tokens-only
trust-remote-code trust-request-chat-template trust-request-mm-kwargs use-fp64-gumbel use-replayssm use-tqdm-on-load
"""
# --enable-NAME and --disable-NAME: the other one is the negative form.
PAIRS = """
disable-cascade-attn disable-chunked-mm-input disable-custom-all-reduce disable-fastapi-docs
disable-hybrid-kv-cache-manager disable-nccl-for-dp-synchronization disable-sliding-window
disable-uvicorn-access-log enable-auto-tool-choice enable-batch-sharded-sampling enable-chunked-prefill
enable-cumem-allocator enable-dbo enable-elastic-ep enable-ep-weight-filter enable-eplb enable-expert-parallel,-ep
enable-fault-tolerance enable-flash-late-interaction enable-flashinfer-autotune enable-force-include-usage
enable-hc-sp enable-layerwise-nvtx-tracing enable-log-deltas enable-log-outputs enable-log-requests
enable-logging-iteration-details enable-lora enable-mamba-cache-stochastic-rounding
enable-mamba-shared-prefix-checkpoint enable-mfu-metrics enable-mixed-moe-lora-format enable-mm-embeds
enable-moe-shared-loras enable-nccl-comm-suspend enable-offline-docs enable-per-request-metrics
enable-prefix-caching enable-prompt-embeds enable-prompt-tokens-details enable-request-id-headers
enable-return-routed-experts enable-scale-out enable-server-load-tracking enable-shm-tensor-arena enable-sleep-mode
enable-ssl-refresh enable-tokenizer-info-endpoint enable-tower-connector-lora enable-trace-replay
"""
# --NAME only.
SWITCHES = """
aggregate-engine-logging data-parallel-multi-port-external-lb,-dpm disable-log-stats grpc headless
"""
# NAME,OTHER NAMES | what it takes | bounds | choices | default; a line that begins with a blank goes on.
VALUES = """
api-server-count,-asc | int
config | str
gdn-prefill-backend | str |  | flashinfer, triton, cutedsl, aiter_flydsl, sycl
kda-decode-backend | str |  | auto, native, flashinfer, triton
kda-prefill-backend | str |  | auto, triton, flashkda, flashinfer, fused
shutdown-timeout | int |  |  | 0
allowed-headers | list |  |  | ['*']
allowed-methods | list |  |  | ['*']
allowed-origins | list |  |  | []
anthropic-disabled-thinking-effort | str |  | auto, high, low, max, medium, none, xhigh | auto
api-key | str many
chat-template | str
chat-template-content-format | str |  | auto, openai, string | auto
cohere-format | str |  |  | cmd4
data-parallel-supervisor-port | int |  |  | 9256
default-chat-template-kwargs | dict
disable-access-log-for-endpoints | str
dp-supervisor-probe-failure-threshold | int |  |  | 3
dp-supervisor-probe-interval-s | float |  |  | 5.0
dp-supervisor-probe-timeout-s | float |  |  | 5.0
fingerprint-mode | str |  | custom, full, hash, none | full
fingerprint-value | str
grpc-port | int
h11-max-header-count | int |  |  | 256
h11-max-incomplete-event-size | int |  |  | 4194304
host | str
lora-modules | str many
max-log-len | int
middleware | str |  |  | []
port | int |  |  | 8000
reasoning-effort-map | dict
response-role | str |  |  | assistant
root-path | str
sse-keep-alive-interval | int |  |  | 0
ssl-ca-certs | str
ssl-cert-reqs | int |  |  | 0
ssl-certfile | str
ssl-ciphers | str
ssl-keyfile | str
tool-call-parser | str
tool-parser-plugin | str
tool-server | str
tool-strict-level | str |  | auto, function, parameter
uds | str
uvicorn-log-level | str |  | critical, debug, error, info, trace, warning | info
allowed-local-media-path | str
allowed-media-domains | str many
code-revision | str
config-format | str |  |  | auto
convert | str |  | auto, classify, embed, none | auto
dtype | str |  | auto, bfloat16, float, float16, float32, half | auto
generation-config | str |  |  | auto
hf-config-path | str
hf-overrides | dict |  |  | {}
hf-token | str optional
io-processor-plugin | str
logits-processors | str many
logprobs-mode | str |  | processed_logits, processed_logprobs, raw_logits, raw_logprobs | raw_logprobs
max-logprobs | int | >=-1 |  | 20
max-model-len | size-auto | >=-1
model | str |  |  | Qwen/Qwen3-0.6B
model-class-overrides | dict |  |  | {}
model-impl | str |  |  | auto
override-generation-config | dict |  |  | {}
pooler-config | dict
quantization,-q | str
quantization-config | dict
renderer-num-workers | int |  |  | 1
revision | str
runner | str |  | auto, draft, generate, pooling | auto
seed | int |  |  | 0
served-model-name | str many
sleep-mode-backend | str |  |  | cumem
sleep-preserve-parameter-names | str many |  |  | []
tokenizer | str
tokenizer-mode | str |  |  | auto
tokenizer-revision | str
download-dir | str
ignore-patterns | str many |  |  | ['original/**/*']
load-format | str |  |  | auto
model-loader-extra-config | dict-or-text |  |  | {}
pt-load-map-location | dict-or-text |  |  | cpu
safetensors-load-strategy | str |  | eager, lazy, prefetch, torchao
safetensors-prefetch-block-size | size | >=1 |  | 16777216
safetensors-prefetch-num-threads | int | >=1 |  | 8
attention-backend | str
mamba-backend | str |  |  | MambaBackendEnum.TRITON
mamba-cache-philox-rounds | int |  |  | 0
mamba-ssu-algorithm | str |  | auto, horizontal, simple, vertical
reasoning-parser | str
reasoning-parser-plugin | str
all2all-backend | str |  | allgather_reducescatter, deepep_high_throughput, deepep_low_latency, deepep_v2,
  flashinfer_all2allv, flashinfer_nvlink_one_sided, flashinfer_nvlink_two_sided, moonep, mori_high_throughput,
  mori_low_latency, naive, nixl_ep, pplx | allgather_reducescatter
cp-kv-cache-interleave-size | int
cpu-distributed-timeout-seconds | int
data-parallel-address,-dpa | str
data-parallel-backend,-dpb | str |  | ray, mp | mp
data-parallel-rank,-dpn | int | >=0
data-parallel-rpc-port,-dpp | int | >=1 <=65535
data-parallel-size,-dp | int | >=1 |  | 1
data-parallel-size-local,-dpl | int | >=0
data-parallel-start-rank,-dpr | int
"""
