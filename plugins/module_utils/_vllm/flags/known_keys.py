# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of those flags of vllm serve 0.33.0 whose value is a mapping, data of known_arguments.py.

PRIVATE to the collection. Written by tests/setup/vllm_arguments.py, which says how; not by hand.
"""

from __future__ import annotations

# NAME: KEY=LETTERS/WORDS: what it takes, as known_arguments.py says
KEYS = """
quantization-config: ignore=l linear=twvqrdz moe=twvqrdz targets=twvqrdz
quantization-config.linear: activation=twvqrz weight=twvqrz
quantization-config.moe: activation=twvqrz weight=twvqrz
pooler-config: dimensions=vqeionbz enable_chunked_processing=wveob enable_flash_late_interaction=wveob
  logit_mean=vqreionfbz logit_sigma=vqreionfbz max_embed_len=vqeionbz pooling_type=zt/CLS,LAST,MEAN,ALL,STEP
  returned_token_ids=lz seq_pooling_type=zt/CLS,LAST,MEAN step_tag_id=vqeionbz
  task=zt/embed,classify,token_embed,token_classify,plugin,embed&token_classify tok_pooling_type=zt/ALL,STEP
  use_activation=wveobz
eplb-config: communicator=zt/torch_nccl,torch_gloo,torch_xccl,nixl,pynccl enable_migration_batching=wveob
  log_balancedness=wveob log_balancedness_interval=vqeib num_redundant_experts=vqeiob policy=t/default
  step_interval=vqeib use_async=wveob window_size=vqeib
fault-tolerance-config: engine_recovery_timeout_sec=vqeionb
logging-config: configure_logging=wveob formatter=t/text,json log_level=t/CRITICAL,ERROR,WARNING,INFO,DEBUG,NOTSET
  pylogging_config_file=twvqrz
ir-op-priority: fused_add_rms_norm=twvqrl gelu_and_mul_sparse=twvqrl rms_norm=twvqrl
speculative-config: attention_backend=twvqrz code_revision=twvqrz disable_eagle_block_drop=wveob
  disable_lookahead_block_hashes=wveob disable_padded_drafter_batch=wveob draft_lm_head_quantization=zt/fp8,nvfp4
  draft_load_config=twvqrdz draft_model_config=* draft_parallel_config=* draft_sample_method=t/greedy,probabilistic
  draft_tensor_parallel_size=vqeibz dspark_draft_topk=vqeibz enable_adaptive_verification=wveob enforce_eager=wveobz
  fly_entropy_threshold=vqreiofb fly_entropy_top_k=vqeib fly_window_size=vqeibz index_share_for_mtp_iteration=wveobz
  kv_cache_dtype=twvqrz max_model_len=vqeibz method=twvqrz model=twvqrz moe_backend=twvqrz
  num_speculative_tokens=vqeib num_speculative_tokens_per_batch_size=twvqrlz parallel_drafting=wveob
  prompt_lookup_max=vqeibz prompt_lookup_min=vqeibz quantization=twvqrz
  rejection_sample_method=t/standard,synthetic,block,fly revision=twvqrz suffix_decoding_max_cached_requests=vqeionb
  suffix_decoding_max_spec_factor=vqreionfb suffix_decoding_max_tree_depth=vqeionb
  suffix_decoding_min_token_prob=vqreionfb synthetic_acceptance_length=vqreionfbz synthetic_acceptance_rates=lz
  target_model_config=* target_parallel_config=* tensor_parallel_size=vqeionbz use_heterogeneous_vocab=wveob
  use_local_argmax_reduction=wveob xpress_topc=vqeiobz
watermark-config: algorithm=t/gumbel,dual_key_gumbel allow_target_only_watermarking=wveob alpha=vreofb
  context_width=vqeib deduplicate_contexts=t/none,single_turn,all deduplicate_contexts_max_history=vqeibz key=vqeiob
  prf=t/philox
diffusion-config: canvas_length=vqeib max_denoising_steps=vqeionbz
kv-transfer-config: enable_permute_local_kv=wveob engine_id=twvqrz kv_buffer_device=twvqr kv_connector=twvqrz
  kv_connector_extra_config=d kv_connector_module_path=twvqrz kv_load_failure_policy=t/recompute,fail
  kv_port=vqeionb kv_role=zt/kv_producer,kv_both,kv_consumer
kv-events-config: buffer_steps=vqeionb enable_kv_cache_events=wveob endpoint=twvqr hwm=vqeionb
  max_queue_size=vqeionb publisher=t/null,zmq replay_endpoint=twvqrz topic=twvqr
ec-transfer-config: ec_buffer_device=twvqrz ec_buffer_size=vqreionfb ec_connector=twvqrz ec_connector_extra_config=d
  ec_connector_module_path=twvqrz ec_ip=twvqr ec_port=vqeionb ec_role=zt/ec_producer,ec_both,ec_consumer
  engine_id=twvqrz
ec-manager-config: encoder_cache_manager_cls=twvqrz manager_config=d
compilation-config: backend=twvqr cache_dir=twvqr compile_cache_save_format=t/binary,unpacked
  compile_mm_encoder=wveob compile_ranges_endpoints=lz compile_sizes=lz cudagraph_capture_sizes=l
  cudagraph_copy_inputs=wveob cudagraph_decoder_replay=wveob cudagraph_mm_encoder=wveob cudagraph_mode=twvqreobz
  cudagraph_num_of_warmups=vqeionb cudagraph_specialize_lora=wveob custom_ops=l debug_dump_path=twvqrz
  decoder_replay_cudagraph_capture_sizes=l decoder_replay_trim_threshold=vqeiob dynamic_shapes_config=twvqrd
  encoder_cudagraph_max_frames_per_batch=vqeionbz encoder_cudagraph_max_vision_items_per_batch=vqeionb
  encoder_cudagraph_token_budgets=l fast_moe_cold_start=wveobz inductor_compile_config=d inductor_passes=d
  ir_enable_torch_wrap=wveobz max_cudagraph_capture_size=vqeionbz mode=twvqreiobz pass_config=twvqrd
  splitting_ops=lz use_inductor_graph_partition=wveobz
compilation-config.dynamic_shapes_config: assume_32_bit_indexing=wveob evaluate_guards=wveob type=twvqr
compilation-config.pass_config: eliminate_noops=wveob enable_qk_norm_rope_fusion=wveobz
  fi_allreduce_fusion_max_size_mb=vqreionfbz fuse_act_padding=wveobz fuse_act_quant=wveobz fuse_allreduce_rms=wveobz
  fuse_attn_quant=wveobz fuse_mla_dual_rms_norm=wveobz fuse_norm_quant=wveobz fuse_qk_norm_rope_kvcache=wveobz
  fuse_rope_kvcache=wveobz fuse_rope_kvcache_cat_mla=wveobz rope_kvcache_fusion_max_token_num=vqeionb
attention-config: backend=twvqrz backend_per_kind=twvqrd disable_flashinfer_q_quantization=wveob
  flash_attn_max_num_splits_for_cuda_graph=vqeionb flash_attn_version=twvqriz flex_attn_block_m=vqeionbz
  flex_attn_block_n=vqeionbz flex_attn_kv_block_size=vqeionbz flex_attn_q_block_size=vqeionbz
  hisparse_config=twvqrdz indexer_kv_dtype=twvqr indexer_sparse_logits=wveob indexer_tp_shard_min_rows=vqeib
  minimax_m3_indexer_cp=wveob minimax_m3_msa_decode_backend=t/triton,cutlass mla_prefill_backend=twvqrz
  sparse_mla_force_mqa=wveob sparse_mla_prefill_workspace_factor=qiz tokenspeed_mla_min_split_kv=vqeib
  tq_max_kv_splits_for_cuda_graph=vqeionb trtllm_ragged_backend=t/trtllm-gen,cute-dsl use_non_causal=wveob
  use_prefill_query_quantization=wveob use_trtllm_attention=wveobz
attention-config.hisparse_config: device_buffer_size=vqeibz eager_host_mirror=wveob
engram-config: cpu_offload=wveob dp_shared_memory=wveobz embedding_across_dp=wveob use_thp=wveob
reasoning-config: reasoning_end_str=twvqr reasoning_parser=twvqr reasoning_start_str=twvqr
kernel-config: enable_cutedsl_warmup=wveobz enable_flashinfer_autotune=wveobz enable_jit_warmup=wveobz
  enable_rocm_segmented_attn_autotune=wveob ir_op_priority=twvqrd linear_backend=twvqr
  linear_backend_per_quant=twvqrdz moe_backend=twvqr monokernel=wveob sparse_indexer_topk_backend=twvqr
kernel-config.ir_op_priority: fused_add_rms_norm=twvqrl gelu_and_mul_sparse=twvqrl rms_norm=twvqrl
structured-outputs-config: backend=t/auto,xgrammar,guidance,outlines,lm-format-enforcer
  disable_additional_properties=wveob disable_any_whitespace=wveob enable_in_reasoning=wveob reasoning_parser=twvqr
  reasoning_parser_plugin=twvqr
aux-output-config: enable_return_routed_experts=wveob max_bytes=vqeibz
profiler-config: active_iterations=vqeib capture_torch_profiler=wveob delay_iterations=vqeiob
  detailed_trace_annotation=wveob ignore_frontend=wveob max_iterations=vqeiob profiler=zt/torch,cuda,proton
  proton_backend=zt/cupti proton_context=t/shadow,python proton_data=t/tree,trace proton_graph_attribution=wveob
  proton_hook=zt/triton proton_mode=twvqrz proton_output_format=zt/hatchet,hatchet_msgpack,chrome_trace
  proton_profiler_dir=twvqr torch_profiler_activities=twvqrlz torch_profiler_dir=twvqr
  torch_profiler_dump_cuda_time_total=wveob torch_profiler_record_shapes=wveob torch_profiler_use_gzip=wveob
  torch_profiler_with_flops=wveob torch_profiler_with_memory=wveob torch_profiler_with_stack=wveob
  wait_iterations=vqeiob warmup_iterations=vqeiob
watchdog-config: check_interval=vqeib dump_dir=twvqr timeout=vqeib
weight-transfer-config: backend=twvqr
"""
