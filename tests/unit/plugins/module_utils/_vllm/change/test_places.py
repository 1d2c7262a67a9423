# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of whose a path is, which units files make, and what of a text a start depends on; with the real files."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._journal import HEAD
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import places
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.rendered import containers, unit_text, units

from tests.sysroots import vllm_instances as samples

TEXT = unit_text.HEAD + "a: 1\n"


def _all():
    """Every way to start an engine that there is, each with its files and its units."""
    of_ray = samples.of_several(0, distributed="ray")
    for state in ("started", "stopped"):
        yield units.files(samples.made(state=state), samples.ONE_SOCKET, TEXT, {"api_key": "x"}), ["vllm"]
        yield units.files(samples.made(state=state, several=of_ray), samples.ONE_SOCKET, TEXT), ["ray", "vllm"]
        worker = dict(of_ray, node_rank=1)
        yield units.files(samples.made(state=state, several=worker), samples.ONE_SOCKET, TEXT), ["ray"]
        for kind, version in (("podman", "4.9.3"), ("podman", "4.2.0"), ("docker", "27.1.1")):
            made = samples.made(state=state, engine={"kind": kind, "image": "docker.io/vllm/vllm-openai:v0.33.0"})
            yield containers.files(made, samples.ONE_SOCKET, TEXT, version), ["vllm"]


@pytest.mark.parametrize("files, kinds", list(_all()))
def test_every_file_of_every_engine_is_known_to_be_of_its_instance_and_ours(files, kinds):
    for path, file in files.items():
        assert file["text"].startswith(HEAD), path
        assert places.is_shared(path) != places.belongs(path, "llama"), path
        assert not places.belongs(path, "other") and not places.belongs(path, "vllm"), path
    assert places.names(files) == ["llama"]
    assert places.units(files, "llama") == ["%s@llama.service" % kind for kind in kinds]


def test_names_that_look_like_folders_or_like_ours():
    assert places.names(["/etc/vllm/vllm.yaml", "/etc/systemd/system/vllm@50-gpuwright.service.d/50-gpuwright.conf",
                         "/etc/systemd/system/vllm@.service", "/etc/systemd/system/system.slice.d/a.conf"]) == [
        "50-gpuwright", "vllm"]
    assert places.belongs("/etc/vllm/vllm.yaml", "vllm") and not places.belongs("/etc/vllm/llama.yaml", "vllm")


@pytest.mark.parametrize("path, one, other, alike", [
    ("/etc/vllm/a.yaml", "# x\na: 1\nb: 2\n", "b: 2\na: 1\n", True),
    ("/etc/vllm/a.yaml", "a: 1\n", "a: 2\n", False),
    ("/etc/vllm/a.env", "A=1\n", "# c\n\nA=1\n", True),
    ("/etc/systemd/system/vllm@.service", "[Service]\nRestartSec=1\n", "[Service]\nRestartSec=2\n", True),
    ("/etc/systemd/system/vllm@.service", "[Service]\nUser=a\n", "[Service]\nUser=b\n", False),
    ("/etc/systemd/system/vllm@a.service.d/50-gpuwright.conf", "[Service]\nExecStart=\nExecStart=/a\n",
     "[Service]\nExecStart=/a\nExecStart=\n", False),
    ("/etc/containers/systemd/vllm@a.container", "[Container]\nImage=a\n[Install]\nWantedBy=x\n",
     "[Container]\nImage=a\n", True),
    ("/etc/vllm/chat.jinja", "# a\n", "# b\n", False)])
def test_what_a_start_depends_on(path, one, other, alike):
    assert (places.started_with(path, one) == places.started_with(path, other)) is alike
