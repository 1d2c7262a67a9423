# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of a disk that is full, or read-only, from any write of a switch on: it is said, and the next run goes on."""

from __future__ import annotations

import contextlib
import errno

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import plan as planner
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import put_back, switch

from tests.sysroots import engine, vllm_node
from tests.sysroots.vllm_node import asked, snapshot

LLAMA = "vllm@llama.service"
OWNER = {"what": "test"}


class Full(vllm_node.Engines):
    """From its `left`-th write on, each fails, as a whole file or folder; what is removed or started is not written."""

    def __init__(self, root, left, code):
        super().__init__(str(root), read_only=False)
        self.left, self.code, self.hit = left, code, False

    def _write(self, path):
        self.left -= 1
        if self.left < 0:
            self.hit = True
            raise OSError(self.code, {errno.ENOSPC: "No space left on device"}.get(self.code, "Read-only file system"),
                          path)

    def write_file(self, path, *rest, **words):
        """A write that may fail."""
        self._write(path)
        super().write_file(path, *rest, **words)


def run(host, wanted):
    return switch.switch(lambda: planner.plan(host, wanted), ["llama"], OWNER)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_is_full_from_any_write_on(tmp_path, code):
    old, new = asked("llama", secret="hush"), asked("llama", gpus="2,3", secret="hush-2", template="LimitCORE=0\n")
    for count in range(60):
        root = vllm_node.build(tmp_path / str(count))
        before = snapshot(root)
        assert "error" not in run(vllm_node.host(root), old).step("llama")
        switch.keep(vllm_node.host(root), ["llama"], OWNER)
        host = Full(root, count, code)
        said = []
        try:
            said = [step["error"] for step in run(host, new).steps if "error" in step]
        except OSError as error:
            said = ["%s: %s" % (error.filename, error.strerror)]
        assert bool(said) == host.hit and all("/" in one and ": " in one for one in said), (count, said)
        assert "hush" not in str(said)
        if not host.hit:
            break
        host = vllm_node.host(root)
        if count % 2:
            assert put_back.put_back(host, ["llama"], OWNER)["llama"]["ok"], count
            assert host.running(LLAMA)["/etc/vllm/llama.env"].endswith("=0,1\n"), count
        else:
            assert "error" not in run(host, new).step("llama"), count
            assert host.running(LLAMA)["/etc/vllm/llama.env"].endswith("=2,3\n"), count
        assert engine.roll_back(root, kernel=vllm_node.Engines).errors == [], count
        assert snapshot(root) == before, count
    assert count > 5


def settings(root):
    """What of a node's files an engine starts with."""
    return {path: what for path, what in snapshot(root).items() if path.startswith("/etc/")}


def test_on_a_disk_that_stays_full_the_old_engine_starts_wherever_its_files_are_there(tmp_path):
    """Neither the state nor the journal can be written then; what is read of them is there since before."""
    old, new = asked("llama", secret="hush"), asked("llama", gpus="2,3", secret="hush-2")
    again = 0
    for count in range(60):
        root = vllm_node.build(tmp_path / str(count))
        run(vllm_node.host(root), old)
        switch.keep(vllm_node.host(root), ["llama"], OWNER)
        served = settings(root)
        host = Full(root, count, errno.ENOSPC)
        with contextlib.suppress(OSError):
            run(host, new)
        stopped = vllm_node.host(root).running(LLAMA) is None
        if settings(root) == served and stopped:
            said = put_back.put_back(Full(root, 0, errno.ENOSPC), ["llama"], OWNER)["llama"]
            assert vllm_node.host(root).running(LLAMA)["/etc/vllm/llama.env"].endswith("=0,1\n"), count
            assert said["ok"] and said["down_seconds"] >= 0 and "the next run starts it anew: /" in said["also"][0]
            step = planner.plan(vllm_node.host(root), old).step("llama")
            assert step["status"] == "drift" and "did not come to its end" in step["reason"]
            assert put_back.put_back(vllm_node.host(root), ["llama"], OWNER)["llama"]["ok"]
            again += 1
        if not host.hit:
            break
    assert again
