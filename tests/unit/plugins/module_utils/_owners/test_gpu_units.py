# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units and quadlets that run something on GPUs, from made-up files of systemd and Podman."""

from __future__ import annotations

import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import gpu_units

from tests.sysroots import isolation_node
from tests.sysroots.isolation_node import VLLM, unit
from tests.sysroots.plain_node import put


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return isolation_node.build(tmp_path)


def read(root):
    return {one["unit"]: one for one in gpu_units.read(Host(str(root)))}


def service(start, *lines):
    return "\n".join(("[Unit]", "Description=x", "[Service]", "ExecStart=" + start) + lines)


def test_a_server_in_the_systems_slice(root):
    unit(root, "vllm.service", VLLM)
    assert read(root) == {"vllm.service": {
        "unit": "vllm.service", "slice": "system.slice", "ours": False, "on_gpus": True, "server": True,
        "command": "/opt/vllm/bin/vllm serve --config /etc/vllm.yaml", "affinity": "", "allowed": ""}}


@pytest.mark.parametrize("start, on_gpus, server", [
    ("/usr/bin/vllm serve m", True, True), ("/usr/bin/python3 -m sglang.launch_server", True, True),
    ("/usr/bin/docker run --gpus all img", True, True),
    ("/usr/bin/podman run --device nvidia.com/gpu=all i", True, True),
    ("/usr/bin/torchrun --nproc-per-node 8 t.py", True, False), ("/usr/bin/prog /dev/nvidia0", True, False),
    ("/usr/bin/docker run --gpus all nvcr.io/nvidia/k8s/dcgm-exporter", False, False),
    ('/bin/sh -c "nvidia-smi -pm 1; exec vllm serve m"', True, True),
    ("/usr/bin/vllm serve m --otlp-traces-endpoint http://dcgm:4317", True, True),
    ('/bin/sh -c "nvidia-smi; exec torchrun t.py"', True, False),
    ("/usr/bin/nvidia-persistenced --user x", False, False), ("/usr/sbin/sshd -D", False, False)])
def test_what_runs_on_gpus(root, start, on_gpus, server):
    unit(root, "x.service", service(start, "Slice=gpuwright.slice"))
    one = read(root)["x.service"]
    assert (one["on_gpus"], one["server"]) == (on_gpus, server)


def test_a_unit_that_only_waits_for_one_is_none(root):
    unit(root, "nginx.service", service("/usr/sbin/nginx").replace("[Unit]", "[Unit]\nAfter=vllm.service"))
    unit(root, "proxy.service", service("/usr/sbin/proxy").replace("=x", "=in front of vLLM"))
    assert read(root) == {}


@pytest.mark.parametrize("chosen, ours", [
    ("gpuwright.slice", True), ("gpuwright-vllm.slice", True), ("system.slice", False), ("gpuwrights.slice", False),
    ("ai-gpuwright.slice", False)])
def test_which_slice_is_ours(root, chosen, ours):
    unit(root, "vllm.service", service("/usr/bin/vllm serve m", "Slice=" + chosen))
    assert (read(root)["vllm.service"]["slice"], read(root)["vllm.service"]["ours"]) == (chosen, ours)


def test_the_last_drop_in_decides(root):
    put(root, "/usr/lib/systemd/system/llm.service", service("/usr/bin/vllm serve m", "Slice=gpuwright.slice"))
    unit(root, "llm.service.d/50-a.conf", "[Service]\nSlice=system.slice\nCPUAffinity=0-7")
    assert read(root)["llm.service"]["slice"] == "system.slice"
    unit(root, "llm.service.d/60-b.conf", "[Service]\nSlice=gpuwright.slice\nCPUAffinity=\nAllowedCPUs=0-3")
    one = read(root)["llm.service"]
    assert (one["slice"], one["affinity"], one["allowed"]) == ("gpuwright.slice", "", "0-3")


def test_a_drop_in_alone_assigns_a_unit(root):
    put(root, "/usr/lib/systemd/system/web.service", service("/usr/bin/web"))
    unit(root, "web.service.d/slice.conf", "[Service]\nSlice=gpuwright.slice")
    assert read(root)["web.service"]["ours"]
    assert not read(root)["web.service"]["on_gpus"]


def test_the_operators_file_hides_the_packages(root):
    put(root, "/usr/lib/systemd/system/llm.service", service("/usr/bin/vllm serve m"))
    unit(root, "llm.service", service("/bin/true"))
    assert read(root) == {}


def test_a_unit_with_continued_lines(root):
    unit(root, "llm.service", service("/usr/bin/docker run \\\n  --gpus all \\\n  img --numa-bind"))
    assert read(root)["llm.service"]["server"]
    assert "--numa-bind" in read(root)["llm.service"]["command"]


QUADLET = "[Container]\nImage=docker.io/vllm/vllm-openai:latest\nAddDevice=nvidia.com/gpu=all\n"


def test_a_quadlet(root):
    put(root, "/etc/containers/systemd/llm.container", QUADLET + "[Service]\nSlice = gpuwright.slice\n")
    one = read(root)["llm.service"]
    assert one["ours"] and one["server"]
    put(root, "/etc/containers/systemd/llm.container", QUADLET + "Exec=serve \\\n  --numa-bind\n")
    assert not read(root)["llm.service"]["ours"]
    assert "--numa-bind" in read(root)["llm.service"]["command"]


def test_the_unit_that_a_quadlet_became_speaks_for_it(root):
    put(root, "/etc/containers/systemd/llm.container", QUADLET)
    put(root, "/run/systemd/generator/llm.service", service("/usr/bin/podman run --device nvidia.com/gpu=all i",
                                                            "Slice=gpuwright.slice"))
    assert read(root)["llm.service"]["ours"]


def test_a_link_that_leads_nowhere_is_passed_over(root):
    os.symlink("/opt/gone/vllm.service", root / "etc/systemd/system/vllm.service")
    assert read(root) == {}


def test_an_exporter_for_a_server_is_none(root):
    unit(root, "vllm-exporter.service", service("/usr/bin/exporter --url vllm:8000"))
    assert read(root) == {}


def test_an_instance_that_changes_its_command_stays_in_the_slice_of_its_template(root):
    unit(root, "vllm@.service", service("/usr/bin/vllm serve %i", "Slice=gpuwright.slice"))
    unit(root, "vllm@a.service.d/start.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/vllm serve b")
    assert [one["slice"] for one in read(root).values()] == ["gpuwright.slice"] * 2
