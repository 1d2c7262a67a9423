# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of those flags of vllm serve 0.33.0 whose value is a mapping, data of known_arguments.py.

PRIVATE to the collection. Written by tests/setup/vllm_arguments.py, which says how; not by hand.
"""

from __future__ import annotations

# NAME: KEY=LETTERS/WORDS: what it takes, as known_arguments.py says
KEYS = """
quantization-config: ignore=l linear=* moe=* targets=*
quantization-config.linear: activation=* weight=*
quantization-config.moe: activation=* weight=*
pooler-config: dimensions=qionbz enable_chunked_processing=qiob enable_flash_late_interaction=qiob
  logit_mean=qionfbz logit_sigma=qionfbz max_embed_len=qionbz pooling_type=zt/CLS,LAST,MEAN,ALL,STEP
  returned_token_ids=lz seq_pooling_type=zt/CLS,LAST,MEAN step_tag_id=qionbz
  task=zt/embed,classify,token_embed,token_classify,plugin,embed&token_classify tok_pooling_type=zt/ALL,STEP
  use_activation=qiobz
eplb-config: communicator=zt/torch_nccl,torch_gloo,torch_xccl,nixl,pynccl enable_migration_batching=qiob
  log_balancedness=qiob log_balancedness_interval=qib num_redundant_experts=qiob policy=t/default step_interval=qib
  use_async=qiob window_size=qib
fault-tolerance-config: engine_recovery_timeout_sec=qionb
logging-config: configure_logging=qiob formatter=t/text,json log_level=t/CRITICAL,ERROR,WARNING,INFO,DEBUG,NOTSET
  pylogging_config_file=tqz
ir-op-priority: fused_add_rms_norm=* gelu_and_mul_sparse=* rms_norm=*
speculative-config: attention_backend=* code_revision=tqz disable_eagle_block_drop=qiob
  disable_lookahead_block_hashes=qiob disable_padded_drafter_batch=qiob draft_lm_head_quantization=zt/fp8,nvfp4
  draft_load_config=dz draft_model_config=* draft_parallel_config=* draft_sample_method=t/greedy,probabilistic
  draft_tensor_parallel_size=qibz dspark_draft_topk=qibz enable_adaptive_verification=qiob enforce_eager=qiobz
  fly_entropy_threshold=qiofb fly_entropy_top_k=qib fly_window_size=qibz index_share_for_mtp_iteration=qiobz
  kv_cache_dtype=tqz max_model_len=qibz method=* model=tqz moe_backend=* num_speculative_tokens=qib
  num_speculative_tokens_per_batch_size=lz parallel_drafting=qiob prompt_lookup_max=qibz prompt_lookup_min=qibz
  quantization=tqz rejection_sample_method=t/standard,synthetic,block,fly revision=tqz
  suffix_decoding_max_cached_requests=qionb suffix_decoding_max_spec_factor=qionfb
  suffix_decoding_max_tree_depth=qionb suffix_decoding_min_token_prob=qionfb synthetic_acceptance_length=qionfbz
  synthetic_acceptance_rates=lz target_model_config=* target_parallel_config=* tensor_parallel_size=qionbz
  use_heterogeneous_vocab=qiob use_local_argmax_reduction=qiob xpress_topc=qiobz
watermark-config: algorithm=t/gumbel,dual_key_gumbel allow_target_only_watermarking=qiob alpha=qiofb
  context_width=qib deduplicate_contexts=t/none,single_turn,all deduplicate_contexts_max_history=qibz key=qiob
  prf=t/philox
diffusion-config: canvas_length=qib max_denoising_steps=qionbz
kv-transfer-config: enable_permute_local_kv=qiob engine_id=tqz kv_buffer_device=tq kv_connector=tqz
  kv_connector_extra_config=d kv_connector_module_path=tqz kv_load_failure_policy=t/recompute,fail kv_port=qionb
  kv_role=zt/kv_producer,kv_both,kv_consumer
kv-events-config: buffer_steps=qionb enable_kv_cache_events=qiob endpoint=tq hwm=qionb max_queue_size=qionb
  publisher=t/null,zmq replay_endpoint=tqz topic=tq
ec-transfer-config: ec_buffer_device=tqz ec_buffer_size=qionfb ec_connector=tqz ec_connector_extra_config=d
  ec_connector_module_path=tqz ec_ip=tq ec_port=qionb ec_role=zt/ec_producer,ec_both,ec_consumer engine_id=tqz
ec-manager-config: encoder_cache_manager_cls=tqz manager_config=d
compilation-config: backend=tq cache_dir=tq compile_cache_save_format=t/binary,unpacked compile_mm_encoder=qiob
  compile_ranges_endpoints=lz compile_sizes=lz cudagraph_capture_sizes=l cudagraph_copy_inputs=qiob
  cudagraph_decoder_replay=qiob cudagraph_mm_encoder=qiob cudagraph_mode=* cudagraph_num_of_warmups=qionb
  cudagraph_specialize_lora=qiob custom_ops=l debug_dump_path=tqz decoder_replay_cudagraph_capture_sizes=l
  decoder_replay_trim_threshold=qiob dynamic_shapes_config=* encoder_cudagraph_max_frames_per_batch=qionbz
  encoder_cudagraph_max_vision_items_per_batch=qionb encoder_cudagraph_token_budgets=l fast_moe_cold_start=qiobz
  inductor_compile_config=d inductor_passes=d ir_enable_torch_wrap=* max_cudagraph_capture_size=* mode=*
  pass_config=* splitting_ops=lz use_inductor_graph_partition=*
compilation-config.dynamic_shapes_config: assume_32_bit_indexing=qiob evaluate_guards=qiob type=*
compilation-config.pass_config: eliminate_noops=qiob enable_qk_norm_rope_fusion=*
  fi_allreduce_fusion_max_size_mb=qionfbz fuse_act_padding=* fuse_act_quant=* fuse_allreduce_rms=* fuse_attn_quant=*
  fuse_mla_dual_rms_norm=* fuse_norm_quant=* fuse_qk_norm_rope_kvcache=* fuse_rope_kvcache=*
  fuse_rope_kvcache_cat_mla=* rope_kvcache_fusion_max_token_num=qionb
attention-config: backend=* backend_per_kind=* disable_flashinfer_q_quantization=qiob
  flash_attn_max_num_splits_for_cuda_graph=qionb flash_attn_version=* flex_attn_block_m=qionbz
  flex_attn_block_n=qionbz flex_attn_kv_block_size=qionbz flex_attn_q_block_size=qionbz hisparse_config=dz
  indexer_kv_dtype=tq indexer_sparse_logits=qiob indexer_tp_shard_min_rows=qib minimax_m3_indexer_cp=qiob
  minimax_m3_msa_decode_backend=t/triton,cutlass mla_prefill_backend=* sparse_mla_force_mqa=qiob
  sparse_mla_prefill_workspace_factor=iz tokenspeed_mla_min_split_kv=qib tq_max_kv_splits_for_cuda_graph=qionb
  trtllm_ragged_backend=t/trtllm-gen,cute-dsl use_non_causal=qiob use_prefill_query_quantization=qiob
  use_trtllm_attention=qiobz
attention-config.hisparse_config: device_buffer_size=qibz eager_host_mirror=qiob
engram-config: cpu_offload=qiob dp_shared_memory=qiobz embedding_across_dp=qiob use_thp=qiob
reasoning-config: reasoning_end_str=tq reasoning_parser=tq reasoning_start_str=tq
kernel-config: enable_cutedsl_warmup=* enable_flashinfer_autotune=* enable_jit_warmup=*
  enable_rocm_segmented_attn_autotune=qiob ir_op_priority=* linear_backend=* linear_backend_per_quant=*
  moe_backend=* monokernel=qiob sparse_indexer_topk_backend=*
kernel-config.ir_op_priority: fused_add_rms_norm=* gelu_and_mul_sparse=* rms_norm=*
structured-outputs-config: backend=t/auto,xgrammar,guidance,outlines,lm-format-enforcer
  disable_additional_properties=qiob disable_any_whitespace=qiob enable_in_reasoning=qiob reasoning_parser=tq
  reasoning_parser_plugin=tq
aux-output-config: enable_return_routed_experts=qiob max_bytes=qibz
profiler-config: active_iterations=qib capture_torch_profiler=qiob delay_iterations=qiob
  detailed_trace_annotation=qiob ignore_frontend=qiob max_iterations=qiob profiler=zt/torch,cuda,proton
  proton_backend=zt/cupti proton_context=t/shadow,python proton_data=t/tree,trace proton_graph_attribution=qiob
  proton_hook=zt/triton proton_mode=tqz proton_output_format=zt/hatchet,hatchet_msgpack,chrome_trace
  proton_profiler_dir=tq torch_profiler_activities=* torch_profiler_dir=tq torch_profiler_dump_cuda_time_total=qiob
  torch_profiler_record_shapes=qiob torch_profiler_use_gzip=qiob torch_profiler_with_flops=qiob
  torch_profiler_with_memory=qiob torch_profiler_with_stack=qiob wait_iterations=qiob warmup_iterations=qiob
watchdog-config: check_interval=qib dump_dir=tq timeout=qib
weight-transfer-config: backend=tq
"""
