# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs and what is fast in vLLM 0.32 on which GPU: quantisation, attention backends, types of KV cache, products.

PRIVATE to the collection. Pure data, read from vLLM's source at version 0.32.0; each entry names its file below vllm/.
The documentation's table (https://docs.vllm.ai/en/latest/features/quantization/) agrees where it speaks.

least      the lowest compute capability that vLLM accepts (get_min_capability, supports_compute_capability)
most       the highest, majors the only major numbers, where it is limited so
fast       from here on the GPU calculates in that format, or has kernels made for it; below it runs by other means
slow       what it runs by below `fast`
amd        architectures it runs on; amd_fast those where it is fast
kv         types of KV cache besides auto, float16 and bfloat16; kv_least {type: the lowest capability for it}
instead    what to take where it does not run, or is slow
"""

from __future__ import annotations

_LAYERS = "model_executor/layers/quantization/"
_BACKENDS = "v1/attention/backends/"
GFX9 = ("gfx90a", "gfx942", "gfx950")
_CDNA3 = GFX9[1:]
_WEIGHT_ONLY = "weights are widened to 16 bits in the Marlin kernels: it saves memory, but does not calculate faster"
_FP8 = {"fast": (8, 9), "slow": _WEIGHT_ONLY, "amd": GFX9, "amd_fast": _CDNA3,
        "instead": "compressed-tensors INT8 or awq"}
_AWQ = {"least": (7, 5), "fast": (7, 5), "source": _LAYERS + "auto_awq.py",
        "instead": "gptq (from 6.0), or 16-bit weights on more GPUs"}
_GPTQ = {"least": (6, 0), "fast": (7, 5), "slow": "Exllama kernels, since Marlin starts at 7.5", "instead": "awq",
         "source": _LAYERS + "auto_gptq.py, model_executor/kernels/linear/mixed_precision/marlin.py"}
_ROCM_AWQ = {"amd": GFX9, "amd_fast": ()}  # platforms/rocm.py: VLLM_USE_TRITON_AWQ is set.
_FP4 = {"fast": (10, 0), "slow": _WEIGHT_ONLY, "amd": GFX9, "amd_fast": (), "instead": "fp8, or awq below 8.9"}

QUANTIZATION = {
    "fp8": {"least": (7, 5), "source": _LAYERS + "fp8.py, platforms/cuda.py (supports_fp8)", **_FP8},
    "deepseek_v4_fp8": {"least": (7, 5), "source": _LAYERS + "__init__.py, fp8.py", **_FP8},
    "fbgemm_fp8": {"least": (8, 0), "source": _LAYERS + "fbgemm_fp8.py", **_FP8},
    "modelopt": {"least": (8, 0), "source": _LAYERS + "modelopt.py", **_FP8},
    "fp8_per_tensor": {"least": (7, 5), "source": _LAYERS + "online/base.py", **_FP8},
    "fp8_per_channel": {"least": (7, 5), "source": _LAYERS + "online/base.py", **_FP8},
    "fp8_per_block": {"least": (7, 5), "source": _LAYERS + "online/base.py", **_FP8},
    "awq": dict(_AWQ, **_ROCM_AWQ), "auto_awq": dict(_AWQ, **_ROCM_AWQ), "awq_marlin": dict(_AWQ, **_ROCM_AWQ),
    "gptq": dict(_GPTQ, amd=GFX9, amd_fast=()), "auto_gptq": dict(_GPTQ, amd=GFX9, amd_fast=()),
    "gptq_marlin": dict(_GPTQ, amd=(), amd_fast=()),
    "compressed-tensors": {
        "least": (7, 5), "fast": (7, 5), "amd": GFX9, "amd_fast": _CDNA3, "instead": "gptq",
        "source": _LAYERS + "compressed_tensors/schemes (FP8 W8A8 8.9, else W8A16 7.5; INT8 W8A8 7.5; WNA16 7.5)"},
    "modelopt_fp4": {"least": (7, 5), "source": _LAYERS + "modelopt.py, model_executor/kernels/linear/nvfp4", **_FP4},
    "modelopt_mixed": {"least": (7, 5), "source": _LAYERS + "modelopt.py", **_FP4},
    "modelopt_mxfp8": {"least": (8, 0), "source": _LAYERS + "modelopt.py, model_executor/kernels/linear/mxfp8", **_FP4},
    "mxfp8": {"least": (8, 0), "source": _LAYERS + "modelopt.py, model_executor/kernels/linear/mxfp8", **_FP4},
    "mxfp4": {"least": (8, 0), "fast": (9, 0), "slow": _WEIGHT_ONLY, "amd": GFX9, "amd_fast": ("gfx950",),
              "instead": "awq or gptq", "source": _LAYERS + "mxfp4.py"},
    "gpt_oss_mxfp4": {"least": (8, 0), "fast": (9, 0), "slow": _WEIGHT_ONLY, "amd": GFX9, "amd_fast": ("gfx950",),
                      "instead": "a 16-bit copy of the model", "source": _LAYERS + "mxfp4.py"},
    "nvfp4_per_token": {"least": (10, 0), "majors": (10,), "fast": (10, 0), "amd": (), "amd_fast": (),
                        "instead": "fp8_per_tensor, or a checkpoint with awq", "source": _LAYERS + "online/nvfp4.py"},
    "int8_per_channel_weight_only": {"least": (7, 5), "fast": (7, 5), "amd": (), "amd_fast": (), "instead": "fp8",
                                     "source": _LAYERS + "online/base.py"},
    "online": {"least": (7, 5), "fast": (8, 9), "slow": _WEIGHT_ONLY, "amd": GFX9, "amd_fast": _CDNA3,
               "instead": "awq", "source": _LAYERS + "online/base.py"},
    "experts_int8": {"least": (8, 0), "fast": (8, 0), "amd": (), "amd_fast": (), "instead": "awq",
                     "source": _LAYERS + "experts_int8.py"},
    "moe_wna16": {"least": (7, 0), "fast": (99, 0), "slow": "Triton kernels, slower than Marlin's", "amd": (),
                  "amd_fast": (), "instead": "awq or gptq, which take Marlin from 7.5 on",
                  "source": _LAYERS + "moe_wna16.py"},
    "quark": {"least": (7, 0), "fast": (8, 9), "slow": _WEIGHT_ONLY, "amd": GFX9, "amd_fast": _CDNA3,
              "instead": "compressed-tensors", "source": _LAYERS + "quark/quark.py"},
    "inc": {"least": (6, 0), "fast": (7, 5), "slow": "Exllama kernels", "amd": GFX9, "amd_fast": (), "instead": "gptq",
            "source": _LAYERS + "inc/inc.py"},
    "torchao": {"least": (7, 5), "fast": (8, 0), "slow": "torch's own kernels", "amd": GFX9, "amd_fast": (),
                "instead": "compressed-tensors", "source": _LAYERS + "torchao.py"},
    "humming": {"least": (7, 5), "fast": (7, 5), "amd": (), "amd_fast": (), "instead": "gptq",
                "source": _LAYERS + "humming.py"},
    "fp_quant": {"least": (10, 0), "fast": (10, 0), "amd": (), "amd_fast": (), "instead": "modelopt_fp4",
                 "source": _LAYERS + "fp_quant.py"},
}

_FP8_KV = ("fp8", "fp8_e4m3")
_FP8S = (*_FP8_KV, "fp8_e5m2")
_PER_HEAD = ("int4_per_token_head", "int8_per_token_head", "fp8_per_token_head")
_NEW = {"fp8": (8, 9), "fp8_e4m3": (8, 9), "fp8_e5m2": (8, 9), "fp8_per_token_head": (8, 9), "bfloat16": (8, 0)}

# In the order of platforms/cuda.py and platforms/rocm.py (_get_backend_priorities); `fast` as for QUANTIZATION.
ATTENTION = {
    "FLASH_ATTN": {"least": (8, 0), "fast": (8, 0), "kv": _FP8_KV, "kv_least": {"fp8": (9, 0), "fp8_e4m3": (9, 0)},
                   "kv_majors": {"fp8": (9, 10), "fp8_e4m3": (9, 10)},
                   "source": _BACKENDS + "flash_attn.py, fa_utils.py"},
    "FLASHINFER": {"least": (8, 0), "most": (12, 1), "fast": (8, 0), "kv": (*_FP8S, "nvfp4", "nvfp4_4over6"),
                   "kv_majors": {"nvfp4": (8, 9, 10, 12), "nvfp4_4over6": (10,)},
                   "source": _BACKENDS + "flashinfer.py"},
    "TRITON_ATTN": {"least": (0, 0), "fast": (99, 0), "kv": (*_FP8S, *_PER_HEAD), "kv_least": _NEW, "amd": GFX9,
                    "amd_fast": (), "slow": "Triton kernels, behind FlashAttention and FlashInfer",
                    "source": _BACKENDS + "triton_attn.py"},
    "FLEX_ATTENTION": {"least": (0, 0), "fast": (99, 0), "kv": (), "slow": "compiled by torch, for what others lack",
                       "source": _BACKENDS + "flex_attention.py"},
    "B12X": {"least": (12, 0), "most": (12, 1), "fast": (12, 0), "kv": _FP8_KV, "source": _BACKENDS + "b12x.py"},
    "ROCM_ATTN": {"kv": _FP8S, "amd": GFX9, "amd_fast": GFX9, "source": _BACKENDS + "rocm_attn.py"},
    "ROCM_AITER_FA": {"kv": _FP8S, "amd": _CDNA3, "amd_fast": _CDNA3, "source": _BACKENDS + "rocm_aiter_fa.py"},
    "ROCM_AITER_UNIFIED_ATTN": {"kv": _FP8S, "amd": _CDNA3, "amd_fast": _CDNA3,
                                "source": _BACKENDS + "rocm_aiter_unified_attn.py, _aiter_ops.py"},
    "FLASHINFER_MLA": {"least": (10, 0), "majors": (10,), "fast": (10, 0), "kv": _FP8_KV, "mla": True,
                       "source": _BACKENDS + "mla/flashinfer_mla.py"},
    "TOKENSPEED_MLA": {"least": (10, 0), "majors": (10,), "fast": (10, 0), "kv": _FP8_KV, "only_kv": True, "mla": True,
                       "source": _BACKENDS + "mla/tokenspeed_mla.py"},
    "CUTLASS_MLA": {"least": (10, 0), "majors": (10,), "fast": (10, 0), "kv": _FP8_KV, "mla": True,
                    "source": _BACKENDS + "mla/cutlass_mla.py"},
    "FLASH_ATTN_MLA": {"least": (9, 0), "majors": (9,), "fast": (9, 0), "kv": (), "mla": True,
                       "source": _BACKENDS + "mla/flashattn_mla.py"},
    "FLASHMLA": {"least": (9, 0), "majors": (9, 10), "fast": (9, 0), "kv": _FP8_KV, "mla": True,
                 "source": _BACKENDS + "mla/flashmla.py"},
    "FLASHMLA_SPARSE": {"least": (9, 0), "majors": (9, 10), "fast": (9, 0), "kv": ("fp8_ds_mla", "fp8"), "mla": True,
                        "source": _BACKENDS + "mla/flashmla_sparse.py"},
    "FLASH_ATTN_MLA_SPARSE": {"least": (9, 0), "majors": (9,), "fast": (9, 0), "kv": (), "mla": True,
                              "source": _BACKENDS + "mla/flashattn_mla_sparse.py"},
    "TRITON_MLA": {"least": (0, 0), "fast": (99, 0), "kv": _FP8_KV, "kv_least": _NEW, "mla": True, "amd": GFX9,
                   "amd_fast": (),
                   "slow": "Triton kernels, the only ones for MLA outside 9.x and 10.x",
                   "source": _BACKENDS + "mla/triton_mla.py"},
    "ROCM_AITER_MLA": {"kv": _FP8S, "mla": True, "amd": _CDNA3, "amd_fast": _CDNA3,
                       "source": _BACKENDS + "mla/rocm_aiter_mla.py"},
}

# Names that vLLM knows and this table does not judge: they serve one model or one experiment.
OTHER_ATTENTION = ("FLASH_ATTN_DIFFKV", "TRITON_ATTN_DIFFKV", "TRITON_FLASH_ATTN", "ROCM_SEGMENTED_ATTN",
                   "ROCM_AITER_TRITON_MLA", "ROCM_AITER_MLA_SPARSE", "XPU_MLA_SPARSE", "TORCH_SDPA", "AMX_MLA",
                   "CPU_MLA", "CUSTOM", "FLASHINFER_MLA_SPARSE_DSV41", "FLASHMLA_MEGA_ATTN_DSV41",
                   "FLASHMLA_SPARSE_DSV41", "TRITON_FLASHINFER", "FLASHINFER_MLA_SPARSE", "FLASHINFER_MLA_SPARSE_SM120",
                   "FLASHINFER_MLA_SPARSE_SM90",
                   "FLASHMLA_SPARSE_DSV4", "FLASHINFER_MLA_SPARSE_DSV4", "ROCM_FLASHMLA_SPARSE_DSV4", "NO_ATTENTION",
                   "MINIMAX_M3_SPARSE", "CUTLASS_MSA", "TRITON_MSA", "CPU_ATTN", "TURBOQUANT", "ULTRAQUANT", "HPC_ATTN")

# A product's name to its compute capability (https://developer.nvidia.com/cuda-gpus) or AMD architecture
# (https://rocm.docs.amd.com/en/latest/reference/gpu-arch-specs.html). The first that is found.
PRODUCTS = (
    (r"\bGB10\b", "12.1"), (r"\bG?B300\b", "10.3"), (r"\bG?B[12]00\b", "10.0"), (r"\bThor\b", "11.0"),
    (r"RTX PRO [2456]\d00|RTX 50[5-9]0", "12.0"),
    (r"\bG?H[128]00\b|\bG?H20\b|\bGH200\b|\bH20-", "9.0"),
    (r"\bL4\b|\bL40S?\b|\bL20\b|\bL2\b|RTX \d000 Ada|RTX 40[5-9]0", "8.9"), (r"\bOrin\b", "8.7"),
    (r"\bA[18]00\b|\bA100[-X]|\bA30\b", "8.0"),
    (r"\bA(2|10|10G|16|40)\b|RTX A\d000\b|RTX A\d500\b|RTX 30[5-9]0", "8.6"),
    (r"\bT4G?\b|\bTITAN RTX\b|Quadro RTX|RTX 20[678]0|\bT1000\b|\bT600\b", "7.5"),
    (r"\bV100|\bGV100\b|TITAN V\b", "7.0"),
    (r"\bMI35[05]X?\b", "gfx950"), (r"\bMI30[08][AX]?\b|\bMI325X?\b", "gfx942"), (r"\bMI2[15]0X?\b", "gfx90a"),
)
