# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other flags of vllm serve 0.33.0 that take a value, data of known_arguments.py.

PRIVATE to the collection. Written by tests/setup/vllm_arguments.py, which says how; not by hand.
"""

from __future__ import annotations

# NAME,OTHER NAMES | what it takes | bounds | choices | default; a line that begins with a blank goes on.
VALUES = """
dbo-decode-token-threshold | int | >=0 |  | 32
dbo-prefill-token-threshold | int | >=0 |  | 512
dcp-comm-backend | str |  | a2a, ag_rs
dcp-kv-cache-interleave-size | int |  |  | 1
decode-context-parallel-size,-dcp | int | >=1 |  | 1
device-ids | str
distributed-executor-backend | str
distributed-timeout-seconds | int
dp-sync-interval | int | >=1 |  | 16
elastic-ep-max-dp-size | int | >=1
eplb-config | dict
expert-placement-strategy | str |  | linear, round_robin | linear
fault-tolerance-config | dict
master-addr | str |  |  | 127.0.0.1
master-port | int |  |  | 29501
max-parallel-loading-workers | int | >=1
nnodes,-n | int | >=1 |  | 1
node-rank,-r | int | >=0 |  | 0
numa-bind-cpus | str many
numa-bind-nodes | int many
pipeline-parallel-size,-pp | int | >=1 |  | 1
prefill-context-parallel-size,-pcp | int | >=1 |  | 1
tensor-parallel-size,-tp | int | >=1 |  | 1
ubatch-size | int | >=0 |  | 0
worker-cls | str |  |  | auto
worker-extension-cls | str
block-size | int | >0
gpu-memory-utilization,--device-memory-utilization | float | >0 <=1 |  | 0.92
kv-cache-dtype | str |  |  | auto
kv-cache-dtype-skip-layers | str many |  |  | []
kv-cache-memory-bytes | size
kv-offloading-backend | str |  | lmcache, native | native
kv-offloading-size | float
mamba-block-size | int | >0
mamba-cache-dtype | str |  | auto, bfloat16, float16, float32 | auto
mamba-cache-mode | str |  | align, none
mamba-ssm-cache-dtype | str |  | auto, bfloat16, float16, float32 | auto
num-gpu-blocks-override | int
prefix-cache-retention-interval | int | >=0 |  | 0
prefix-caching-hash-algo | str |  | sha256, sha256_cbor, xxhash, xxhash_cbor | sha256
prefix-match-unit | int | >0
replayssm-buffer-len | int | >0 |  | 16
cpu-offload-gb | float |  |  | 0
cpu-offload-params | str many |  |  | set()
offload-backend | str |  | auto, prefetch, uva | auto
offload-group-size | int |  |  | 0
offload-num-in-group | int |  |  | 1
offload-params | str many |  |  | set()
offload-prefetch-step | int |  |  | 1
limit-mm-per-prompt | dict |  |  | {}
media-io-kwargs | dict |  |  | {}
mm-encoder-attn-backend | str
mm-encoder-attn-dtype | str |  | fp8
mm-encoder-fp8-scale-path | str
mm-encoder-fp8-scale-save-margin | float | >0 |  | 1.5
mm-encoder-fp8-scale-save-path | str
mm-encoder-tp-mode | str |  | data, weights | weights
mm-hasher-algorithm | str |  | blake3, sha256, sha512 | blake3
mm-ipc-gpu-memory-gb | float | >=0 |  | 0
mm-processor-cache-gb | float | >=0 |  | 4
mm-processor-cache-type | str |  | lru, shm | lru
mm-processor-device | str |  | auto, cpu | auto
mm-processor-kwargs | dict
mm-shm-cache-max-object-size-mb | int | >=0 |  | 128
mm-tensor-ipc | str |  | direct_rpc, torch_shm | direct_rpc
video-pruning-method | str |  | evs, vidcom2 | evs
video-pruning-rate | float | >=0 <1
default-mm-loras | dict
lora-dtype | str |  | auto, bfloat16, float16 | auto
lora-target-modules | str many
max-cpu-loras | int
max-lora-cls-labels | int | >=1
max-lora-rank | int |  | 1, 8, 16, 32, 64, 128, 256, 320, 512 | 16
max-loras | int | >=1 |  | 1
log-config-file | str
log-level | str |  | CRITICAL, ERROR, WARNING, INFO, DEBUG, NOTSET
logging-config | dict
collect-detailed-traces | str many |  | all, model, worker
custom-histogram-buckets | dict
jit-monitor-mode | str |  | error, warn | warn
kv-cache-metrics-sample | float | >0 <=1 |  | 0.01
otlp-traces-endpoint | str
per-request-spec-decode-metrics | str |  | detailed, none, summary | none
show-hidden-metrics-for-version | str
long-prefill-token-threshold | int | >=0 |  | 0
max-num-active-seqs | int | >=1
max-num-batched-tokens | size | >=1
max-num-queued-reqs | int | >=0
max-num-queued-tokens | size | >=0
max-num-scheduled-tokens | size | >=1
max-num-seqs | int | >=1
prefill-schedule-interval | int | >=1 |  | 1
scheduler-cls | str
scheduling-policy | str |  | fcfs, priority | fcfs
stream-interval | int | >=1 |  | 1
watermark | float | >=0 <1 |  | 0.0
cudagraph-capture-sizes | int many
max-cudagraph-capture-size | int
ir-op-priority | dict
linear-backend | str |  | aiter, auto, b12x, conch, cutlass, deep_gemm, emulation, exllama, fbgemm, flashinfer_b12x,
  flashinfer_cudnn, flashinfer_cutedsl, flashinfer_cutlass, flashinfer_trtllm, humming, machete, marlin, torch,
  triton, xpu, xpu_woq | auto
moe-backend | str |  | aiter, aiter_mega_moe, aiter_triton_mxfp4_bf16, aiter_triton_mxfp4_mxfp4, auto, b12x,
  batched_triton, cutlass, deep_gemm, deep_gemm_mega_moe, emulation, flashinfer_b12x, flashinfer_cutedsl,
  flashinfer_cutlass, flashinfer_moe_ep_cutedsl, flashinfer_moe_ep_mega_deep_gemm, flashinfer_trtllm, flydsl, hpc,
  humming, marlin, rdna3, triton, triton_unfused | auto
sparse-indexer-topk-backend | str |  | aiter, auto, cooperative, deep_select, flashinfer, per_row, persistent, torch
  | auto
additional-config | dict |  |  | {}
attention-config,-ac | dict
aux-output-config | dict
compilation-config,-cc | dict
diffusion-config,-dc | dict
ec-manager-config | dict
ec-transfer-config | dict
engram-config | dict
kernel-config | dict
kv-events-config | dict
kv-transfer-config | dict
optimization-level | int |  |  | 2
performance-mode | str |  | balanced, interactivity, throughput | balanced
profiler-config | dict
reasoning-config | dict
spec-method | str |  | bailing_hybrid_mtp, bailing_hybrid_v3_mtp, custom_class, deepseek_mtp, dflash,
  dots3_note_mtp, draft_model, dspark, eagle, eagle3, ernie_mtp, exaone4_5_mtp, exaone_moe_mtp,
  extract_hidden_states, gemma4_mtp, glm4_moe_lite_mtp, glm4_moe_mtp, glm5_next_mtp, glm_ocr_mtp, hy_v3_mtp,
  hy_v4_mtp, inkling_mtp, kimi_k3_mtp, longcat_flash_mtp, mimo_mtp, mimo_v2_mtp, minimax_m3_mtp, mtp,
  nemotron_h_mtp, ngram, ngram_gpu, pangu_ultra_moe_mtp, qwen3_5_mtp, qwen3_next_mtp, qwen4_exp_mtp, step3p5_mtp,
  step5_mtp, suffix
spec-model | str
spec-tokens | int
speculative-config,-sc | dict
structured-outputs-config | dict
watchdog-config | dict
watermark-config | dict
weight-transfer-config | dict
"""
