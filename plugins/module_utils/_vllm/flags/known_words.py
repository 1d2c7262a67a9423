# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that vLLM 0.33.0 itself has for what its help takes as any text, data of known_arguments.py.

PRIVATE to the collection. Written by tests/setup/vllm_arguments.py, which says how; not by hand.
"""

from __future__ import annotations

# NAME or NAME.KEY of a mapping, all that have the same words, and these; a plugin may add more.
WORDS = """
attention-backend attention-config.backend speculative-config.attention_backend: AMX_MLA B12X CPU_ATTN CPU_MLA
  CUSTOM CUTLASS_MLA CUTLASS_MSA FLASHINFER FLASHINFER_MLA FLASHINFER_MLA_SPARSE FLASHINFER_MLA_SPARSE_DSV4
  FLASHINFER_MLA_SPARSE_DSV41 FLASHINFER_MLA_SPARSE_SM120 FLASHINFER_MLA_SPARSE_SM90 FLASHMLA
  FLASHMLA_MEGA_ATTN_DSV41 FLASHMLA_SPARSE FLASHMLA_SPARSE_DSV4 FLASHMLA_SPARSE_DSV41 FLASH_ATTN FLASH_ATTN_DIFFKV
  FLASH_ATTN_MLA FLASH_ATTN_MLA_SPARSE FLASH_ATTN_MLA_SPARSE_FA4 FLEX_ATTENTION HPC_ATTN MINIMAX_M3_SPARSE
  NO_ATTENTION ROCM_AITER_FA ROCM_AITER_MLA ROCM_AITER_MLA_SPARSE ROCM_AITER_TRITON_MLA ROCM_AITER_UNIFIED_ATTN
  ROCM_ATTN ROCM_FLASHMLA_SPARSE_DSV4 ROCM_FLASHMLA_SPARSE_DSV41 ROCM_OCTAVE ROCM_SEGMENTED_ATTN STEP5_DSA
  TOKENSPEED_MLA TORCH_SDPA TRITON_ATTN TRITON_ATTN_DIFFKV TRITON_FLASHINFER TRITON_FLASH_ATTN TRITON_MLA TRITON_MSA
  TURBOQUANT ULTRAQUANT XPU_MLA_SPARSE auto
attention-config.mla_prefill_backend: CPU CUSTOM FLASHINFER FLASH_ATTN ROCM_AITER_FA TOKENSPEED_MLA TRTLLM_RAGGED
  ZEN_CPU
cohere-format: cmd3 cmd4
compilation-config.cudagraph_mode: FULL FULL_AND_PIECEWISE FULL_DECODE_ONLY NONE PIECEWISE
compilation-config.mode: DYNAMO_TRACE_ONCE NONE STOCK_TORCH_COMPILE VLLM_COMPILE
config-format: auto hf mistral
distributed-executor-backend: external_launcher mp ray uni
ec-transfer-config.ec_connector: ECCPUConnector ECExampleConnector ECMooncakeConnector
kernel-config.linear_backend: aiter auto b12x conch cutlass deep_gemm emulation exllama fbgemm flashinfer_b12x
  flashinfer_cudnn flashinfer_cutedsl flashinfer_cutlass flashinfer_trtllm humming machete marlin torch triton xpu
  xpu_woq
kernel-config.moe_backend speculative-config.moe_backend: aiter aiter_mega_moe aiter_triton_mxfp4_bf16
  aiter_triton_mxfp4_mxfp4 auto b12x batched_triton cutlass deep_gemm deep_gemm_mega_moe emulation flashinfer_b12x
  flashinfer_cutedsl flashinfer_cutlass flashinfer_moe_ep_cutedsl flashinfer_moe_ep_mega_deep_gemm flashinfer_trtllm
  flydsl hpc humming marlin rdna3 triton triton_unfused
kernel-config.sparse_indexer_topk_backend: aiter auto cooperative deep_select flashinfer per_row persistent torch
kv-cache-dtype speculative-config.kv_cache_dtype: auto bfloat16 float16 fp8 fp8_ds_mla fp8_e4m3 fp8_e5m2 fp8_inc
  fp8_per_token_head int4_per_token_head int8_per_token_head nvfp4 nvfp4_4over6 nvfp4_ds_mla octave_k3v3
  octave_k3v3_compact octave_k3v4 turboquant_3bit_nc turboquant_4bit_nc turboquant_k3v4_nc turboquant_k8v4
  ultraquant_4bit
kv-transfer-config.kv_connector: DecodeBenchConnector ExampleConnector ExampleHiddenStatesConnector
  FlexKVConnectorV1 HF3FSKVConnector HiSparseConnector LMCacheConnectorV1 LMCacheMPConnector MoRIIOConnector
  MooncakeConnector MooncakeStoreConnector MultiConnector NixlConnector NixlPullConnector NixlPushConnector
  OffloadingConnector SimpleCPUOffloadConnector
load-format: auto dummy fastsafetensors hf instanttensor ipc_cache mistral modelexpress npcache pt runai_streamer
  runai_streamer_sharded safetensors sharded_state tensorizer
mamba-backend: CPU FLASHINFER TRITON
mm-encoder-attn-backend: AMX_MLA B12X CPU_ATTN CPU_MLA CUSTOM CUTLASS_MLA CUTLASS_MSA FLASHINFER FLASHINFER_MLA
  FLASHINFER_MLA_SPARSE FLASHINFER_MLA_SPARSE_DSV4 FLASHINFER_MLA_SPARSE_DSV41 FLASHINFER_MLA_SPARSE_SM120
  FLASHINFER_MLA_SPARSE_SM90 FLASHMLA FLASHMLA_MEGA_ATTN_DSV41 FLASHMLA_SPARSE FLASHMLA_SPARSE_DSV4
  FLASHMLA_SPARSE_DSV41 FLASH_ATTN FLASH_ATTN_DIFFKV FLASH_ATTN_MLA FLASH_ATTN_MLA_SPARSE FLASH_ATTN_MLA_SPARSE_FA4
  FLEX_ATTENTION HPC_ATTN MINIMAX_M3_SPARSE NO_ATTENTION ROCM_AITER_FA ROCM_AITER_MLA ROCM_AITER_MLA_SPARSE
  ROCM_AITER_TRITON_MLA ROCM_AITER_UNIFIED_ATTN ROCM_ATTN ROCM_FLASHMLA_SPARSE_DSV4 ROCM_FLASHMLA_SPARSE_DSV41
  ROCM_OCTAVE ROCM_SEGMENTED_ATTN STEP5_DSA TOKENSPEED_MLA TORCH_SDPA TRITON_ATTN TRITON_ATTN_DIFFKV
  TRITON_FLASHINFER TRITON_FLASH_ATTN TRITON_MLA TRITON_MSA TURBOQUANT ULTRAQUANT XPU_MLA_SPARSE
model-impl: auto terratorch transformers vllm
quantization speculative-config.quantization: auto_awq auto_gptq awq awq_marlin compressed-tensors deepseek_v4_fp8
  experts_int8 fbgemm_fp8 fp8 fp8_per_block fp8_per_channel fp8_per_tensor fp_quant gpt_oss_mxfp4 gptq gptq_marlin
  humming inc int8_per_channel_weight_only marlin modelopt modelopt_fp4 modelopt_mixed modelopt_mxfp8 moe_wna16
  mxfp4 mxfp8 nvfp4_per_token online quark torchao
reasoning-config.reasoning_parser structured-outputs-config.reasoning_parser: beam cohere_command3 cohere_command4
  deepseek_r1 deepseek_v3 deepseek_v4 deepseek_v41 ernie45 gemma4 glm45 glm47 granite granite_thinking_parser hf
  holo2 hunyuan_a13b hy_v3 hy_v4 inkling k2_horizon kimi_k2 kimi_k3 ling3 mimo minicpmv minimax_m2
  minimax_m2_append_think minimax_m3 mistral muse muse_glimmer musespark1x nemotron_v3 olmo3 openai_gptoss plamo3
  poolside_v1 qwen3 seed_oss step3 step3p5 step5
reasoning-parser: beam cohere_command3 cohere_command4 deepseek_r1 deepseek_v3 deepseek_v4 deepseek_v41 ernie45
  gemma4 glm45 glm47 granite granite_thinking_parser hf holo2 hunyuan_a13b hy_v3 hy_v4 inkling k2_horizon kimi_k2
  kimi_k3 ling3 mimo minicpmv minimax_m2 minimax_m2_append_think minimax_m3 mistral muse muse_glimmer musespark1x
  nemotron_v3 none olmo3 openai_gptoss plamo3 poolside_v1 qwen3 seed_oss step3 step3p5 step5
sleep-mode-backend: cumem
speculative-config.method: bailing_hybrid_mtp bailing_hybrid_v3_mtp custom_class deepseek_mtp dflash dots3_note_mtp
  draft_model dspark eagle eagle3 ernie_mtp exaone4_5_mtp exaone_moe_mtp extract_hidden_states gemma4_mtp
  glm4_moe_lite_mtp glm4_moe_mtp glm5_next_mtp glm_ocr_mtp hy_v3_mtp hy_v4_mtp inkling_mtp kimi_k3_mtp
  longcat_flash_mtp mimo_mtp mimo_v2_mtp minimax_m3_mtp mtp nemotron_h_mtp ngram ngram_gpu pangu_ultra_moe_mtp
  qwen3_5_mtp qwen3_next_mtp qwen4_exp_mtp step3p5_mtp step5_mtp suffix
tokenizer-mode: alpamayo2_super auto cohere deepseek_v32 deepseek_v4 deepseek_v41 hf inkling kimi_audio kimi_k3
  mistral
tool-call-parser: apertus beam cohere_command3 cohere_command4 deepseek_v3 deepseek_v31 deepseek_v32 deepseek_v4
  deepseek_v41 dots ernie45 functiongemma gemma4 gigachat3 glm45 glm47 granite granite-20b-fc granite4 hermes hf
  hunyuan_a13b hy_v3 hy_v4 inkling internlm jamba k2_horizon kimi_k2 kimi_k3 lfm2 ling3 llama3_json llama4_json
  llama4_pythonic longcat mimo minicpm5 minimax_m2 minimax_m3 mistral muse muse_glimmer musespark1x olmo3 openai
  phi4_mini_json plamo3 poolside_v1 pythonic qwen3_coder qwen3_json qwen3_xml seed_oss step3 step3p5 step5 xlam
weight-transfer-config.backend: ipc modelexpress nccl nccl_m2n sharded_rdt sparse_nccl
"""
