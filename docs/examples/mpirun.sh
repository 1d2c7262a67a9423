#!/usr/bin/env bash
# nccl-tests under Open MPI, one process for each GPU: mpirun sets OMPI_COMM_WORLD_LOCAL_RANK.
set -euo pipefail

mpirun -np "${NP:-8}" --bind-to none \
    gpuwright bind -- all_reduce_perf --minbytes 8 --maxbytes 8G --stepfactor 2 --ngpus 1
