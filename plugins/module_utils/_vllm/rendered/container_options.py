# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options with which Podman or Docker starts the container of an instance, the same for both where both know them.

PRIVATE to the collection. Pure. Sources: podman-run(1), the reference of docker run, the CDI specification, vLLM's
own page on its image. An image is never fetched at a start: that is the engine's stage, which says so when it fails.
"""

from __future__ import annotations

import re

from . import secret_files

CDI = "nvidia.com/gpu"
_CDI_SINCE = (4, 1)
# SYS_NICE is what lets numactl set a memory policy in a container.
CAPABILITIES = ("SYS_NICE", "IPC_LOCK")
# memlock for RDMA and pinned memory (rule R15). By Podman's own default a container has 2048 threads at most: eight
# workers need more.
_LIMITS = ("--ulimit=memlock=-1:-1", "--ulimit=nofile=1048576:1048576", "--ulimit=stack=8388608:8388608",
           "--ulimit=core=0:0", "--pids-limit=-1", "--oom-score-adj=-500")
# In the unit's own control group, so that its slice holds for the container; and systemd is told once it runs.
_PODMAN = ["--replace", "--cgroups=split", "--sdnotify=conmon", "--log-driver=passthrough", "--detach"]


def name(instance):
    """The container's name."""
    return "vllm-" + instance["name"]


def check(instance, placed, tool_version=None):
    """Raise ValueError where such a container cannot be."""
    engine = instance["engine"]
    where = "instance %s" % instance["name"]
    if not is_pinned(engine["image"]):
        raise ValueError("%s, engine: image %r is not pinned; legal is NAME:TAG with a tag other than latest, or "
                         "NAME@sha256:DIGITS" % (where, engine["image"]))
    if instance["several"] and instance["several"]["distributed"] == "ray":
        raise ValueError("%s: Ray joins nodes by processes of one environment, and a container of its own for the "
                         "engine is none: take distributed: native, or an engine of kind venv" % where)
    if engine["kind"] == "podman" and version(tool_version) < _CDI_SINCE and _nvidia(placed):
        raise ValueError("%s: Podman %s gives no container a GPU by CDI, which it knows from %d.%d on"
                         % (where, tool_version, _CDI_SINCE[0], _CDI_SINCE[1]))


def is_pinned(image):
    """Whether an image's name says which one, today and tomorrow."""
    digest = str(image or "").partition("@")[2]
    if digest:
        return bool(re.match(r"sha256:[0-9a-f]{64}\Z", digest))
    tag = str(image or "").rpartition("/")[2].partition(":")[2]
    return bool(re.match(r"\w[\w.-]{0,127}\Z", tag, re.ASCII)) and tag != "latest"


def version(text):
    """(4, 4) of "4.4.1"; what nobody could read counts as new."""
    found = re.match(r"(\d+)\.(\d+)", str(text or ""))
    return (int(found.group(1)), int(found.group(2))) if found else (99, 0)


def _nvidia(placed):
    return [gpu for gpu in placed.get("gpus") or () if gpu.get("vendor") != "amd"]


def devices(instance, placed):
    """What a container is given of /dev, and its GPUs by their CDI names, as far as no list of devices has those."""
    listed = [str(device) for device in placed.get("devices") or ()]
    if instance["engine"]["kind"] == "docker":
        return [device for device in listed if not device.startswith(CDI + "=")]
    if any(device.startswith(CDI + "=") for device in listed):
        return listed
    return ["%s=%s" % (CDI, _cdi(gpu, number)) for gpu, number in _numbered(placed)] + listed


def _cdi(gpu, number):
    """The name that nvidia-ctk gives in every version: the number, and of a MIG device also its own."""
    part = gpu.get("mig_device")
    return "%d:%d" % (gpu["index"], part["index"]) if part else number


def _numbered(placed):
    """[(a GPU, its number to NVIDIA's driver)]: the node's own counts GPUs too that another driver has."""
    some = _nvidia(placed)
    told = (placed.get("visible") or {}).get("CUDA_VISIBLE_DEVICES", "").split(",")
    return list(zip(some, told if len(told) == len(some) else [str(gpu["index"]) for gpu in some]))


def gpus(placed):
    """The value of docker's --gpus, with the quotes that make its comma no separator; None without NVIDIA GPUs."""
    named = [(gpu.get("mig_device") or gpu).get("uuid") or number for gpu, number in _numbered(placed)]
    return '"device=%s"' % ",".join(named) if named else None


def read_only(instance, placed):
    """The paths that the container may read, the same inside, so that the configuration holds in both.

    Those of `placed` are there: Docker would make a folder of a file, such as /etc/nccl.conf, that is not.
    """
    paths = ["/etc/vllm/%s.yaml" % instance["name"]] + [instance["model_path"]] * bool(instance["model_path"])
    return paths + [path for path in placed.get("read_only") or () if path not in paths]


def cache(instance):
    """The folder that the container may write, which outlives it."""
    return secret_files.CACHE % instance["name"]


def limits(instance):
    """The options without a key of their own in Quadlet's first version. /dev/nvidia0 has no label for SELinux."""
    return ["--pull=never", "--ipc=host", "--security-opt=label=disable", "--entrypoint=vllm",
            "--stop-timeout=%d" % instance["stop_timeout"]] + list(_LIMITS)


def run(instance, placed, tool_version=None, secrets=None):
    """The whole command line. Raises ValueError where such a container cannot be."""
    check(instance, placed, tool_version)
    kind = instance["engine"]["kind"]
    words = [kind, "run", "--rm", "--name=" + name(instance)]
    words += _PODMAN if kind == "podman" else _docker(placed)
    words += ["--network=host", "--security-opt=no-new-privileges"] + limits(instance)
    words += ["--cap-add=" + capability for capability in CAPABILITIES]
    words += ["--device=" + device for device in devices(instance, placed)]
    words += [_mount(path, True) for path in read_only(instance, placed)] + [_mount(cache(instance), False)]
    words += ["--env-file=" + path for path in secret_files.paths(instance, secrets)]
    return words + [instance["engine"]["image"]] + arguments(instance)


def arguments(instance):
    """What the program in the container is told."""
    return ["serve", "--config", "/etc/vllm/%s.yaml" % instance["name"]]


def _docker(placed):
    """Docker's daemon starts the container, so nothing of the unit reaches it: slice, CPUs and memory are said here.

    It knows memory nodes only as the ones that are allowed, not as preferred. A daemon with userns-remap refuses the
    host's network, and its root could not write the cache, but for a container that keeps the host's users.
    """
    words = ["--userns=host"] + (["--gpus=" + gpus(placed)] if gpus(placed) else [])
    if placed.get("slice"):
        words.append("--cgroup-parent=" + placed["slice"])
    if placed.get("cpus"):
        words.append("--cpuset-cpus=" + placed["cpus"])
    policy = placed.get("memory_policy") or {}
    if policy.get("NUMAPolicy") == "bind":
        words.append("--cpuset-mems=" + str(policy["NUMAMask"]))
    return words


def _mount(path, is_read_only):
    """--mount fails where the source is not there. Its value is one line of CSV."""
    fields = ["type=bind", "source=" + path, "target=" + path] + ["readonly"] * is_read_only
    return "--mount=" + ",".join('"%s"' % field.replace('"', '""') if re.search('[",]', field) else field
                                 for field in fields)
