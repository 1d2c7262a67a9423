# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which GPU a process of a job gets: its local rank among the GPUs that the process may see.

PRIVATE to the collection. Pure. GPUs are those of the topology fact.
"""

from __future__ import annotations

# What launchers say of a process's place on its node. torchrun gives a process its rank's GPU; the others may instead
# let each process see one GPU alone, which is its own whatever its rank.
LAUNCHERS = ("LOCAL_RANK", "SLURM_LOCALID", "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "PMI_LOCAL_RANK")
_GIVES_RANK = "LOCAL_RANK"


class NoGpu(Exception):
    """No GPU belongs to the process; the text says why, and what there is."""


def chosen(gpus, environment, rank, asked=None):
    """The GPU of a process: `asked` names it among the visible ones, or else the rank does. Raises NoGpu.

    `rank` is a number, or None to take what the launcher says.
    """
    seen, words = visible(gpus, environment)
    if not seen:
        raise NoGpu("this process can see no GPU: %s" % (words if gpus else "there is none on this machine"))
    if asked is not None:
        return _named(asked, seen, words)
    name = None
    if rank is None:
        name, rank = _launched(environment)
    if rank < 0:
        raise NoGpu("local rank %d: ranks begin with 0" % rank)
    if rank < len(seen):
        return seen[rank]
    if len(seen) == 1 and name not in (None, _GIVES_RANK):
        return seen[0]
    raise NoGpu("local rank %d%s: this process can see %d GPU%s (%s), ranks 0 to %d; for several processes on one GPU, "
                "name it with --gpu" % (rank, " (%s)" % name if name else "", len(seen),
                                        "" if len(seen) == 1 else "s", words, len(seen) - 1))


def _launched(environment):
    """(variable, rank) that the launcher gives."""
    for name in LAUNCHERS:
        if environment.get(name, "").strip().isdigit():
            return name, int(environment[name])
    raise NoGpu("which GPU is this process's? Say --local-rank N or --gpu INDEX, or set one of %s, as torchrun, srun "
                "and mpirun do" % ", ".join(LAUNCHERS))


def visible(gpus, environment):
    """([the GPUs that a process may see, in its order], by what, in words).

    A control group or container that hides GPUs hides them from nvidia-smi, which then tells the UUIDs of the rest.
    """
    told = [gpu for gpu in gpus if gpu.get("uuid")]
    seen = told if told and len({gpu["vendor"] for gpu in gpus}) == 1 else list(gpus)
    words = "all of this machine" if len(seen) == len(gpus) else "nvidia-smi lists %d of %d" % (len(seen), len(gpus))
    for name in ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"):
        if name not in environment or (name[0] != "C" and all(gpu["vendor"] == "nvidia" for gpu in seen)):
            continue
        if name[0] == "C" and "HIP_VISIBLE_DEVICES" in environment and all(gpu["vendor"] == "amd" for gpu in seen):
            continue
        seen, words = _listed(environment[name], seen), "%s=%s" % (name, environment[name])
    return seen, words


def _listed(text, gpus):
    """What a list of indexes and UUIDs leaves of GPUs; as in CUDA, nothing from the first wrong one on."""
    found = []
    for word in text.split(","):
        gpu = _one(word.strip(), gpus)
        if gpu is None:
            break
        if gpu not in found:
            found.append(gpu)
    return found


def _one(word, gpus):
    """The GPU of an index, of (the beginning of) a UUID, or of that of a MIG device; None for none of them."""
    if word.isdigit():
        return gpus[int(word)] if int(word) < len(gpus) else None
    if word.startswith("MIG-GPU-"):
        word = word[len("MIG-"):].partition("/")[0]
    if word.startswith("MIG-"):
        found = [gpu for gpu in gpus for device in (gpu.get("mig") or {}).get("devices") or ()
                 if (device.get("uuid") or "").startswith(word)]
    else:
        found = [gpu for gpu in gpus if len(word) > len("GPU-") and (gpu.get("uuid") or "").startswith(word)]
    return found[0] if len({gpu["index"] for gpu in found}) == 1 else None


def _named(word, seen, words):
    """The GPU that a person named: by its number among the visible ones, UUID or PCI address."""
    by_address = [gpu for gpu in seen if gpu["pci_address"] and word.lower() in (
        gpu["pci_address"], gpu["pci_address"].partition(":")[2])]
    gpu = by_address[0] if by_address else _one(word, seen)
    if gpu is None:
        raise NoGpu("--gpu %s: this process can see %s (%s)" % (word, ", ".join(
            "%d: %s" % (number, one["pci_address"]) for number, one in enumerate(seen)), words))
    return gpu
