# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from a node for its engines, on a hand-made one with processes, files and control groups."""

from __future__ import annotations

import json

import pytest

from tests.sysroots import engine_nodes, plain_node, sysfs
from tests.sysroots.engine_nodes import instance, look


@pytest.fixture
def root(tmp_path):
    """A node of which nothing is known yet."""
    return tmp_path


def test_a_node_without_engines_says_nothing_and_guesses_nothing():
    found = engine_nodes.machine("eight-gpu")
    assert len(found["topology"]["gpus"]) == 8
    assert (found["affinity"], found["holders"], found["taken"], found["cdi"], found["shm"]) == (None, [], {}, {}, None)
    assert found["tools"] == {"numactl": None, "nvidia-ctk": None, "podman": None, "docker": None}
    assert found["memory"]["0000:19:00.0"] == {"total": 81559 << 20, "free": None}


def test_affinity_is_read_and_what_is_damaged_is_said(root):
    sysfs.write(root, "etc/gpuwright/affinity.json", json.dumps({"schema": 1, "workload": "4-7", "gpus": {}}))
    assert look(root)["affinity"]["workload"] == "4-7"
    for text, words in (("{", "is not used"), ('{"schema": 9}', "it is of another version")):
        sysfs.write(root, "etc/gpuwright/affinity.json", text)
        found = look(root)
        assert found["affinity"] is None
        assert [note for note in found["notes"] if words in note]


def test_nccls_variables_are_those_that_its_own_file_does_not_give(root):
    sysfs.write(root, "etc/gpuwright/nccl.env", "# Written\nNCCL_IB_TC=106\nNCCL_DEBUG=WARN")
    assert look(root)["nccl_environment"] == {"NCCL_IB_TC": "106", "NCCL_DEBUG": "WARN"}
    sysfs.write(root, "etc/nccl.conf", "NCCL_IB_TC=106\nNCCL_DEBUG=INFO\nNCCL_ALGO=Ring")
    found = look(root)
    assert found["nccl_environment"] == {"NCCL_DEBUG": "WARN"}
    assert found["nccl_values"] == {"NCCL_IB_TC": "106", "NCCL_DEBUG": "WARN", "NCCL_ALGO": "Ring"}
    assert found["nccl_conf"] is True


def test_what_instances_have_is_in_their_environment_files(root):
    sysfs.write(root, "etc/vllm/a.env", 'CUDA_VISIBLE_DEVICES="0,1"\nGPUWRIGHT_GPUS="0000:19:00.0,0000:1e:00.0"')
    sysfs.write(root, "etc/vllm/b.env", "GPUWRIGHT_GPUS=0000:3b:00.0")  # As Podman and Docker read it.
    sysfs.write(root, "etc/vllm/c.env", 'VLLM_CPU_OMP_THREADS_BIND="0-3|8"')  # On CPUs.
    sysfs.write(root, "etc/vllm/c.secret.env", 'VLLM_API_KEY="x"')
    assert look(root)["taken"] == {
        "a": {"gpus": ["0000:19:00.0", "0000:1e:00.0"]}, "b": {"gpus": ["0000:3b:00.0"]}, "c": {"gpus": []}}


@pytest.mark.parametrize(("text", "expected"), [
    ('{"model_type": "llama"}', {"model_type": "llama"}), ("[]", "/models/llama/config.json holds no settings"),
    ("{", "/models/llama/config.json is no JSON: "), (None, "/models/llama/config.json is not there")])
def test_a_models_configuration(text, expected, root):
    if text:
        sysfs.write(root, "models/llama/config.json", text)
    found = look(root, instance())["configs"]["llama"]
    assert found == expected or (isinstance(expected, str) and found.startswith(expected))


def test_cpus_of_slices_are_those_in_force_and_else_those_configured(root):
    sysfs.write(root, "etc/systemd/system/gpuwright.slice.d/90-gpuwright-cpu_isolation.conf",
                "[Slice]\nAllowedCPUs=8-15 20-23")
    assert look(root)["cpus"]["slices"] == {"gpuwright.slice": "8-15,20-23"}
    sysfs.write(root, "sys/fs/cgroup/gpuwright.slice/cpuset.cpus", "8-11")
    sysfs.write(root, "sys/fs/cgroup/gpuwright.slice/cpuset.cpus.partition", "root")
    sysfs.write(root, "sys/fs/cgroup/ai.slice/ai-big.slice/cpuset.cpus", "0-3")
    found = look(root, instance(slice="ai-big.slice"))["cpus"]
    assert found["slices"] == {"ai-big.slice": "0-3", "gpuwright.slice": "8-11"}
    assert found["partitions"]["gpuwright.slice"] == "root"


def test_a_drop_in_of_somebody_else_counts_and_ours_does_not(root):
    folder = "etc/systemd/system/vllm@llama.service.d/"
    sysfs.write(root, folder + "50-gpuwright.conf", "[Service]\nLimitMEMLOCK=infinity")
    sysfs.write(root, folder + "60-site.conf", "[Service]\nLimitMEMLOCK=64K\nCPUAffinity=0-3")
    sysfs.write(root, folder + "70-site.conf", "[Service]\nCPUAffinity=")
    assert look(root, instance())["overrides"]["llama"] == {
        "LimitMEMLOCK": {"value": "64K", "file": "/" + folder + "60-site.conf"}}


def test_who_listens_on_a_port(root):
    row = "  0: %s:%04X 00000000:0000 %s 00000000:00000000 00:00000000 00000000  0 0 %d 1"
    sysfs.write(root, "proc/net/tcp", "\n".join(["head", row % ("00000000", 8000, "0A", 111),
                                                 row % ("0100007F", 8001, "01", 112)]))
    sysfs.write(root, "proc/net/tcp6", "\n".join(["head", row % ("0" * 32, 8002, "0A", 113)]))
    plain_node.process(root, 41, "nginx", "socket:[111]")
    plain_node.process(root, 42, "python3", "socket:[113]")
    plain_node.put(root, "/proc/42/cgroup", "0::/gpuwright.slice/vllm@c.service")
    asked = [instance(name, port=port) for name, port in (("a", 8000), ("b", 8001), ("c", 8002))]
    assert look(root, *asked)["listeners"] == {
        ("0.0.0.0", 8000): {"who": "process 41 (nginx)", "ours": None},
        ("0.0.0.0", 8002): {"who": "process 42 (python3)", "ours": "c"}}


def test_two_addresses_have_the_same_port(root):
    row = "  0: %s:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 %d 1"
    sysfs.write(root, "proc/net/tcp", "\n".join(["head", row % ("0100000A", 111), row % ("0200000A", 112)]))
    plain_node.process(root, 41, "nginx", "socket:[111]")
    plain_node.process(root, 42, "python3", "socket:[112]")
    plain_node.put(root, "/proc/42/cgroup", "0::/gpuwright.slice/vllm@b.service")
    asked = [instance(name, listen="10.0.0.%d" % number) for number, name in enumerate("abc", 1)]
    assert look(root, *asked)["listeners"] == {
        ("10.0.0.1", 8000): {"who": "process 41 (nginx)", "ours": None},
        ("10.0.0.2", 8000): {"who": "process 42 (python3)", "ours": "b"}}


def test_the_capture_of_a_real_machine_is_read_whole():
    found = engine_nodes.machine("nvidia-qx-gb200")
    assert found["memory"]["0000:b2:00.0"] == {"total": 189471 << 20, "free": 188730 << 20}
