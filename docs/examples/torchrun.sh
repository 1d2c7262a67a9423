#!/usr/bin/env bash
# Training with torchrun: every worker on the CPUs and the memory node of its own GPU.
# torchrun sets LOCAL_RANK, by which gpuwright knows the GPU; --no-python has it start gpuwright in place of python.
set -euo pipefail

torchrun --nnodes "${NNODES:-1}" --nproc-per-node 8 --no-python \
    gpuwright bind -- python3 train.py "$@"
