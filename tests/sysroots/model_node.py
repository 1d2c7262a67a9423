# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that gets model files from the stand-in of a hub: stages them, and says whether they are whole."""

from __future__ import annotations

import os
import signal
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model import hub as hub_module
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model import manifest, volume, weights
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.fetch import CannotStage
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.model_files import stage

from tests.sysroots import model_hub
from tests.sysroots.engine import CALLS

SHARD = "model-00002-of-00002.safetensors"


class Node(volume.Volume):
    """A volume on which waiting takes no time."""

    waited = ()

    def wait(self, seconds):
        """Note it."""
        self.waited += (seconds,)


def instance(source, **changed):
    """An instance in normal form, as far as staging reads it."""
    return dict({"name": "llama", "state": "started", "model": model_hub.MODEL, "revision": model_hub.REVISION,
                 "source": source, "model_path": "/data/tiny--llama/" + model_hub.REVISION}, **changed)


def run(root, *instances, check=False, token=None, node=None, **asked):
    """Stage; returns the result."""
    host = node or Node(str(root), read_only=check)
    return stage(host, instances, {one["name"]: {"hf_token": token} for one in instances} if token else {}, dict(
        {"files": list(hub_module.FILES), "reserve": 0, "parallel": 1, "seconds": 1000, "verify": False}, **asked))


def refused(root, *instances, **asked):
    """The words of a refusal."""
    with pytest.raises(CannotStage) as error:
        run(root, *instances, **asked)
    return str(error.value)


def folder(root):
    """Where the model goes."""
    return root / "data" / "tiny--llama" / model_hub.REVISION


def whole(root):
    """Whether the model's folder is there and whole; a folder that is there and is not fails the test."""
    if not folder(root).exists():
        return False
    host = Node(str(root))
    place = "/data/tiny--llama/" + model_hub.REVISION
    assert weights.problems(host, place) == []
    known = manifest.read(host, place)
    assert manifest.differing(host, place, known["files"], True) == {}
    assert set(os.listdir(folder(root))) == set(known["files"]) | {manifest.NAME}
    return True


def _counted(count):
    """The module os with a kill before its changing call number `count`."""
    left = [count]

    def counting(name):
        real = getattr(os, name)

        def call(*args, **kwargs):
            if name != "open" or args[1] & os.O_ACCMODE != os.O_RDONLY:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)
        return call
    counted = types.SimpleNamespace(**{name: getattr(os, name) for name in dir(os)})
    for name in CALLS:
        setattr(counted, name, counting(name))
    return counted


def killed_at(count, root, asked):
    """Stage in a child that is killed before its changing call number `count`; False if it ended before that."""
    pid = os.fork()
    if pid == 0:
        _host.os = volume.os = _counted(count)
        try:
            run(root, asked)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])
