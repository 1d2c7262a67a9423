# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real vLLM for CPUs, a model for it, and what its parser takes."""

from __future__ import annotations

import os
import pathlib
import subprocess

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import help_text

from tests.gates import vllm_parser

NotHere = vllm_parser.NotHere
VERSION = "0.32.0"
MEMORY = 8 << 30
_SIZE = {"hidden_size": 128, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "max_position_embeddings": 256}
_MODEL = """
import sys
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
words = sorted(pre_tokenizers.ByteLevel.alphabet()) + ["<s>", "</s>"]
tokens = Tokenizer(models.BPE(vocab={word: number for number, word in enumerate(words)}, merges=[]))
tokens.pre_tokenizer, tokens.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
PreTrainedTokenizerFast(tokenizer_object=tokens, bos_token="<s>", eos_token="</s>").save_pretrained(sys.argv[1])
torch.manual_seed(0)
config = LlamaConfig(vocab_size=len(words), bos_token_id=len(words) - 2, eos_token_id=len(words) - 1, **%r)
LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(sys.argv[1])
""" % _SIZE


def place():
    """The environment of the engine, where tests/setup/vllm.sh puts it or GPUWRIGHT_VLLM says."""
    return pathlib.Path(os.environ.get("GPUWRIGHT_VLLM") or vllm_parser.place())


def check():
    """Raise NotHere where no engine is to be started, or none can be."""
    if os.environ.get("GPUWRIGHT_ENGINE") == "0":
        raise NotHere("GPUWRIGHT_ENGINE=0 was said")
    there = next(line for line in pathlib.Path("/proc/meminfo").read_text().split("\n") if "MemAvailable" in line)
    if int(there.split()[1]) < MEMORY >> 10:
        raise NotHere("two engines need %d GiB of free memory" % (MEMORY >> 30))
    if not os.environ.get("GPUWRIGHT_VLLM"):
        vllm_parser.check()


def make_model(folder):
    """A tiny Llama of random weights with a tokenizer of single bytes; nothing is downloaded."""
    subprocess.run([place() / "bin" / "python", "-c", _MODEL, folder], check=True, capture_output=True,
                   env=dict(os.environ, HF_HUB_OFFLINE="1"))
    return folder


def schema():
    """What the engine's own parser takes."""
    done = subprocess.run([place() / "bin" / "vllm", "serve", "--help=all"], check=True, capture_output=True, text=True)
    return help_text.parse_help(done.stdout)
