# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines of an instance: what its unit starts, word by word.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from . import container_options


def command(instance, placed, tool_version=None, secrets=None):
    """The words that the unit of an instance starts; on a node that only lends its GPUs to Ray, Ray's.

    What the engine is told stands in its configuration file, and secrets in none of the words.
    """
    kind = instance["engine"]["kind"]
    if kind in ("podman", "docker"):
        return container_options.run(instance, placed, tool_version, secrets)
    return ray(instance, placed) if is_ray_worker(instance) else engine(instance)


def engine(instance):
    """vllm serve. The model, too, is a key of the configuration, so that the file alone says all that is served."""
    return [program(instance["engine"]), "serve", "--config", configuration(instance)]


def configuration(instance):
    """Where the engine's configuration lies."""
    return "/etc/vllm/%s.yaml" % instance["name"]


def program(place):
    """The program vllm: that which resolved.py found on the node, else that of the environment."""
    return place.get("program") or place["path"] + "/bin/vllm"


def folder(place):
    """The folder of an environment's programs."""
    return program(place).rpartition("/")[0]


def uses_ray(instance):
    """Whether the instance's nodes are joined by Ray."""
    return bool(instance["several"]) and instance["several"]["distributed"] == "ray"


def is_ray_worker(instance):
    """Whether this node only lends its GPUs: the engine itself runs on the first node alone."""
    return uses_ray(instance) and instance["several"]["node_rank"] > 0


def ray(instance, placed):
    """ray start. All ports are fixed ones that follow the master port, so that a firewall can let them through.

    Ray would take 6379 and 10001, which Redis and a second Ray have. It counts GPUs by CUDA_VISIBLE_DEVICES; the
    number is given so that it never offers more than are placed.
    """
    several = instance["several"]
    port = several["master_port"]
    words = [folder(instance["engine"]) + "/ray", "start"]
    if several["node_rank"]:
        words.append("--address=%s:%d" % (several["master_addr"], port))
    else:
        words += ["--head", "--port=%d" % port, "--include-dashboard=false",
                  "--ray-client-server-port=%d" % (port + 3)]
    words += ["--node-ip-address=%s" % several["address"], "--node-manager-port=%d" % (port + 1),
              "--object-manager-port=%d" % (port + 2), "--dashboard-agent-listen-port=%d" % (port + 4),
              "--dashboard-agent-grpc-port=%d" % (port + 5), "--runtime-env-agent-port=%d" % (port + 6),
              "--metrics-export-port=%d" % (port + 7)]
    if placed.get("gpus"):
        words.append("--num-gpus=%d" % len(placed["gpus"]))
    return words + ["--disable-usage-stats", "--block"]
