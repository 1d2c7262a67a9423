# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of an instance as a file, and its secrets as another that only root reads.

PRIVATE to the collection. Pure. systemd, Podman and Docker read both as root before the engine starts as its own user.
"""

from __future__ import annotations

from . import unit_text

CONTAINERS = ("podman", "docker")
# The variable in which the engine, or the library that it loads models with, looks for each secret.
VARIABLES = {"api_key": "VLLM_API_KEY", "hf_token": "HF_TOKEN"}
# Where the engine writes: its user has no home, and what it compiles shall outlive a restart.
CACHE = "/var/cache/vllm/%s"


def caches(cache, home):
    """{variable: folder} of everything that vLLM and the libraries below it keep."""
    return {"HOME": home, "XDG_CACHE_HOME": cache, "XDG_CONFIG_HOME": home + "/.config",
            "HF_HOME": cache + "/huggingface", "VLLM_CACHE_ROOT": cache + "/vllm",
            "TRITON_CACHE_DIR": cache + "/triton", "TORCHINDUCTOR_CACHE_DIR": cache + "/torchinductor",
            "FLASHINFER_WORKSPACE_BASE": cache, "CUDA_CACHE_PATH": cache + "/cuda"}


def path(instance):
    """Where the environment lies."""
    return "/etc/vllm/%s.env" % instance["name"]


def secret_path(instance):
    """Where the secrets lie."""
    return "/etc/vllm/%s.secret.env" % instance["name"]


def paths(instance, secrets=None):
    """The files that the environment comes from, the secrets last."""
    return [path(instance)] + [secret_path(instance)] * any((secrets or {}).values())


def variables(instance, placed):
    """{name: value} of the engine, without its secrets: the placement's, and over it what the operator wrote."""
    inside = instance["engine"]["kind"] in CONTAINERS
    found = caches(CACHE % instance["name"], CACHE % instance["name"]) if inside else {}
    visible = placed.get("visible") or {}
    if inside and _sees_its_own_gpus_only(placed):
        visible = {name: value for name, value in visible.items() if name == "CUDA_DEVICE_ORDER"}
    found.update(visible)
    found.update(placed.get("environment") or {})
    found.update(instance["environment"])
    return {name: str(value) for name, value in found.items()}


def _sees_its_own_gpus_only(placed):
    """Whether a container was given single GPUs: they are numbered from 0 there, whatever they are on the node.

    An AMD container that was given the folder /dev/dri has them all.
    """
    gpus = placed.get("gpus") or ()
    return any(gpu.get("vendor") != "amd" for gpu in gpus) or any(
        str(device).startswith("/dev/dri/renderD") for device in placed.get("devices") or ())


def environment_file(instance, placed):
    """{path: file} of the environment."""
    return {path(instance): _file(instance, variables(instance, placed), 0o640, False)}


def secret_file(instance, secrets):
    """{path: file} of the secrets, empty where there are none. Raises ValueError, which never shows a value."""
    given = {name: value for name, value in (secrets or {}).items() if value}
    unknown = sorted(set(given) - set(VARIABLES))
    if unknown:
        raise ValueError("no such secret: %s; there are %s" % (", ".join(unknown), ", ".join(sorted(VARIABLES))))
    if not given:
        return {}
    named = {VARIABLES[name]: str(value) for name, value in given.items()}
    return {secret_path(instance): _file(instance, named, 0o600, True)}


def _file(instance, named, mode, secret):
    line = unit_text.bare_environment_line if instance["engine"]["kind"] in CONTAINERS else unit_text.environment_line
    text = unit_text.HEAD + "".join(line(name, named[name]) for name in sorted(named))
    return {"text": text, "mode": mode, "secret": secret}
