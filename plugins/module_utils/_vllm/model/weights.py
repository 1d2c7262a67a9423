# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the files of a model are whole: its weights against their own headers, its shards against their index.

PRIVATE to the collection. What a broken download, a full disk or a checkout without Git LFS leaves behind is found
here, in a second, and not by vLLM after ten minutes of loading.
"""

from __future__ import annotations

import json

from .inside import outside

_HEADER_LIMIT = 100_000_000  # What the safetensors library itself refuses to read more of.
_OLDER = (".bin", ".pth", ".pt")


def problems(host, folder):
    """What is wrong with a model's folder (or its one .gguf file), in words; empty where nothing is."""
    if folder.endswith(".gguf"):
        return _gguf(host, folder) if host.size(folder) is not None else ["%s is not there" % folder]
    if not host.is_folder(folder):
        return ["%s is not there" % folder]
    names = {name for name in host.listing(folder) if host.size("%s/%s" % (folder, name)) is not None}
    found = []
    if not any(name.endswith(".gguf") for name in names):
        found += _config(host, folder, names)
    weights = {name for name in names if name.endswith((".safetensors", ".gguf") + _OLDER)}
    for name in sorted(weights):
        found += _weight(host, "%s/%s" % (folder, name))
    indexed = [name for name in names if name.endswith((".safetensors.index.json", ".bin.index.json"))]
    for name in sorted(indexed):
        found += _shards(host, folder, name, weights)
    if not weights and not indexed:
        found.append("%s has no weights: no *.safetensors, *.gguf or *.bin" % folder)
    return found


def _config(host, folder, names):
    """config.json, or the params.json of Mistral's own form: vLLM needs one."""
    for name in ("config.json", "params.json"):
        if name in names:
            return [] if isinstance(_json(host, "%s/%s" % (folder, name)), dict) else [
                "%s/%s is no JSON object" % (folder, name)]
    return ["%s has no config.json" % folder]


def _json(host, path):
    try:
        return json.loads(host.read(path))
    except ValueError:
        return None


def _weight(host, path):
    """What is wrong with one file of weights."""
    if path.endswith(".safetensors"):
        return _safetensors(host, path)
    if path.endswith(".gguf"):
        return _gguf(host, path)
    return _pointer(host, path) or ([] if host.size(path) else ["%s is empty" % path])


def _pointer(host, path):
    """Git LFS leaves a text of 130 letters in the place of a file that it did not fetch."""
    start = b"".join(host.pieces(path, 0, 40))
    if start.startswith(b"version https://git-lfs"):
        return ["%s is a pointer of Git LFS, not the file: fetch it with git lfs pull" % path]
    return []


def _gguf(host, path):
    start = b"".join(host.pieces(path, 0, 4))
    return [] if start == b"GGUF" else _pointer(host, path) or ["%s does not begin with GGUF" % path]


def _safetensors(host, path):
    """The file must end where its header says that the last tensor ends."""
    pointer = _pointer(host, path)
    if pointer:
        return pointer
    size = host.size(path)
    length = int.from_bytes(b"".join(host.pieces(path, 0, 8)), "little")
    if size < 10 or not 2 <= length <= min(_HEADER_LIMIT, size - 8):
        return ["%s has %d bytes, and no header of safetensors" % (path, size)]
    try:
        header = json.loads(b"".join(host.pieces(path, 8, length)).decode("utf-8"))
        end = max([one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"], default=0)
        whole = 8 + length + end
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return ["%s has a header that is none of safetensors" % path]
    return [] if whole == size else ["%s has %d bytes, its header says %d" % (path, size, whole)]


def _shards(host, folder, name, weights):
    """Every shard of the index must be there."""
    index = _json(host, "%s/%s" % (folder, name))
    shards = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(shards, dict) or not shards or any(not isinstance(shard, str) for shard in shards.values()):
        return ["%s/%s has no weight_map" % (folder, name)]
    if name.endswith(".bin.index.json") and any(one.endswith(".safetensors") for one in weights):
        return []  # The index of the older form, which is not fetched beside the newer one.
    missing = sorted({shard for shard in shards.values() if outside(shard)
                      or host.size("%s/%s" % (folder, shard)) is None})
    count = len(set(shards.values()))
    return ["%s lacks %d of the %d files of %s: %s" % (folder, len(missing), count, name, ", ".join(missing[:5]))
            ] if missing else []
