#!/usr/bin/env bash
# One vLLM server for each GPU, each with all CPUs near its GPU to share with its neighbours: its API server, its engine
# and its worker are several processes. A server over several GPUs is not bound this way: it binds each of its workers
# itself, with --numa-bind, and refuses to do so in a process that is bound already.
set -euo pipefail

for gpu in 0 1; do
    CUDA_VISIBLE_DEVICES=$gpu gpuwright bind --gpu 0 --cpus near -- \
        vllm serve "$MODEL" --port $((8000 + gpu)) &
done
wait
