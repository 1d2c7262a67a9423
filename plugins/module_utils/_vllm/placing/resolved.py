# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the node can say of an instance: which program an engine is, and which file of its folder a model is.

PRIVATE to the collection.
"""

from __future__ import annotations


def resolve(host, instance):
    """The instance with engine["program"] (None where its path follows from the others) and "model_file", or None."""
    engine = dict(instance["engine"], program=program(host, instance["engine"]))
    return dict(instance, engine=engine, model_file=gguf(host, instance["model_path"]))


def program(host, engine):
    """The program of an engine that somebody else keeps: its path, or bin/vllm of the environment that its path is."""
    if engine["kind"] != "existing":
        return None
    path = engine["path"].rstrip("/")
    if not host.is_folder(path):
        return path
    return path + ("/vllm" if path.endswith("/bin") else "/bin/vllm")


def gguf(host, folder):
    """The one .gguf file of a folder that holds no other form of a model: vLLM is given the file, not the folder."""
    names = host.names(folder) if folder and host.is_folder(folder) else []
    found = [name for name in names if name.endswith(".gguf")]
    return "%s/%s" % (folder.rstrip("/"), found[0]) if len(found) == 1 and "config.json" not in names else None
