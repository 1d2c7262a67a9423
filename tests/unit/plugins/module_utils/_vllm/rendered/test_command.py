# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines of an instance: the right program, the right words, and Ray's with its ports."""

from __future__ import annotations

import pytest

from plugins.module_utils._vllm.rendered import command

from tests.sysroots.vllm_instances import GPUS, ONE_SOCKET, TWO_SOCKETS, made, of_several, placed


@pytest.mark.parametrize("place, program", [
    ({"kind": "venv", "path": "/opt/gpuwright/vllm-0.33.0"}, "/opt/gpuwright/vllm-0.33.0/bin/vllm"),
    ({"kind": "venv", "path": "/opt/vllm"}, "/opt/vllm/bin/vllm"),
    ({"kind": "existing", "path": "/opt/vllm", "program": "/opt/vllm/bin/vllm"}, "/opt/vllm/bin/vllm"),
    ({"kind": "existing", "path": "/srv/run-vllm", "program": "/srv/run-vllm"}, "/srv/run-vllm")])
def test_the_program_of_an_environment(place, program):
    assert command.program(place) == program
    assert command.folder(place) + "/" == program[:program.rindex("/") + 1]


@pytest.mark.parametrize("several", [None, of_several(0), of_several(1)])
def test_an_engine_reads_all_from_its_configuration(several):
    assert command.command(made(several=several), ONE_SOCKET) == [
        "/opt/gpuwright/vllm-0.33.0/bin/vllm", "serve", "--config", "/etc/vllm/llama.yaml"]


@pytest.mark.parametrize("kind", ["podman", "docker"])
def test_a_container_is_started_by_its_tool(kind):
    assert command.command(made(kind), ONE_SOCKET)[:2] == [kind, "run"]


def test_the_head_of_ray_and_a_worker():
    head = command.ray(made(several=of_several(0, "ray")), TWO_SOCKETS)
    worker = command.command(made(several=of_several(1, "ray")), TWO_SOCKETS)
    assert head[:2] == worker[:2] == ["/opt/gpuwright/vllm-0.33.0/bin/ray", "start"]
    assert {"--head", "--port=29501", "--node-ip-address=10.0.0.1", "--num-gpus=8", "--block"} <= set(head)
    assert {"--address=10.0.0.1:29501", "--node-ip-address=10.0.0.2", "--num-gpus=8", "--block"} <= set(worker)
    assert not [word for word in worker if word.startswith(("--head", "--port", "--ray-client"))]
    assert command.command(made(several=of_several(0, "ray")), TWO_SOCKETS)[1] == "serve"


def test_no_two_of_rays_ports_are_one():
    words = command.ray(made(several=of_several(0, "ray")), placed(GPUS))
    ports = [word.rpartition("=")[2] for word in words if "port=" in word]
    assert len(ports) == len(set(ports)) == 8 and {"6379", "10001"}.isdisjoint(ports)


def test_a_node_without_gpus_offers_ray_what_ray_finds():
    assert not [word for word in command.ray(made(several=of_several(0, "ray")), placed()) if "num-gpus" in word]
