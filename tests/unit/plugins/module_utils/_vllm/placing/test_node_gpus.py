# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has which GPU, and how much of its memory is free."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing import node_gpus

from tests.sysroots import eight_gpu, eight_gpu_driver, plain_node, sysfs
from tests.sysroots.engine_nodes import look

_PROCESS = ("<process_info><pid>%d</pid><type>C</type><process_name>%s</process_name><used_memory>%s</used_memory>"
            "</process_info>")
_ID = "0123456789abcdef" * 4


@pytest.fixture
def root(tmp_path):
    """What eight GPUs say: on the first are a stranger and an engine of ours, on the second a container."""
    eight_gpu_driver.write(tmp_path, None, eight_gpu.GPU_ADDRESSES, eight_gpu.RAILS, eight_gpu.STORAGE)
    path = tmp_path / "gpuwright/nvidia-smi.xml"
    gpus = path.read_text().split("</fb_memory_usage>")
    on = (_PROCESS % (70, "python3 train.py --key=secret", "1024 MiB") + _PROCESS % (71, "VLLM::Worker_TP0", "60 GiB"),
          _PROCESS % (72, "python3", "N/A"))
    gpus[0] += "</fb_memory_usage><processes>%s</processes>" % on[0]
    gpus[1] += "</fb_memory_usage><processes>%s</processes>" % on[1]
    text = gpus[0] + gpus[1] + "</fb_memory_usage>".join(gpus[2:])
    path.write_text(text.replace("<total>81559 MiB</total>", "<total>81559 MiB</total><free>20000 MiB</free>"))
    plain_node.put(tmp_path, "/proc/70/cgroup", "0::/user.slice/user-1000.slice/session-2.scope")
    plain_node.put(tmp_path, "/proc/71/cgroup", "0::/gpuwright.slice/vllm@llama.service")
    plain_node.put(tmp_path, "/proc/72/cgroup", "0::/gpuwright.slice/docker-%s.scope" % _ID)
    return tmp_path


def test_holders_and_memory(root):
    found = look(root)
    assert found["memory"]["0000:19:00.0"] == {"total": 81559 << 20, "free": 20000 << 20}
    assert [(one["pid"], one["gpus"], one["ours"], one["who"]) for one in found["holders"]] == [
        (70, ["0000:19:00.0"], None, "process 70 (python3 in session-2.scope)"),
        (71, ["0000:19:00.0"], "llama", "process 71 (VLLM::Worker_TP0 in vllm@llama.service)"),
        (72, ["0000:1e:00.0"], None, "process 72 (python3 in docker-%s.scope)" % _ID)]
    assert found["holders"][1]["memory"] == {"0000:19:00.0": 60 << 30}
    assert found["holders"][2]["memory"] == {"0000:1e:00.0": None}


class _Docker(Host):
    """A host on which Docker tells its containers: a stand-in for its program."""

    runs_commands = True

    def run(self, argv, seconds=10, changes=True):
        """What `docker ps` says."""
        assert argv[:2] == ["docker", "ps"] and not changes
        return 0, "%s vllm-big\n%s other\n" % (_ID, "f" * 64), ""


def test_a_container_of_docker_is_an_instance_by_its_name(root):
    _memory, holders, _complete = node_gpus.read(_Docker(str(root)), look(root)["topology"]["gpus"])
    assert [one["ours"] for one in holders] == [None, "llama", "big"]


@pytest.mark.parametrize(("place", "expected"), [
    ("/gpuwright.slice/vllm@a-b.service", "a-b"), ("/gpuwright.slice/vllm@a.service/libpod-payload-1", "a"),
    ("/system.slice/system-ray.slice/ray@a.service", "a"), ("/system.slice/vllm@a.service.d", None),
    ("/user.slice/x.scope", None), ("", None)])
def test_a_control_group_names_its_instance(place, expected, tmp_path):
    assert node_gpus.instance_of(Host(str(tmp_path)), place, {"": ""}) == expected


def test_an_open_file_tells_where_nvidia_smi_is_silent(tmp_path):
    gpus = [{"vendor": "nvidia", "pci_address": address} for address in eight_gpu.GPU_ADDRESSES]
    for number, address in enumerate(eight_gpu.GPU_ADDRESSES):
        sysfs.write(tmp_path, "proc/driver/nvidia/gpus/%s/information" % address, "Device Minor: \t %d" % number)
    plain_node.process(tmp_path, 90, "python3", "/dev/nvidia3")
    _memory, holders, complete = node_gpus.read(Host(str(tmp_path)), gpus)
    assert [(one["pid"], one["gpus"]) for one in holders] == [(90, [eight_gpu.GPU_ADDRESSES[3]])]
    assert complete


def test_amds_driver_tells_who_has_memory_on_which_gpu(tmp_path):
    nodes = "sys/class/kfd/kfd/topology/nodes/"
    for number, place in ((1, 0xC100), (2, 0xC500)):
        sysfs.write_all(tmp_path, nodes + str(number), {
            "properties": "simd_count 416\nvendor_id 4098\nlocation_id %d" % place, "gpu_id": 5000 + number})
    address = "0000:c5:00.0"
    sysfs.write_all(tmp_path, "sys/bus/pci/devices/" + address, {"mem_info_vram_total": 64 << 30,
                                                                 "mem_info_vram_used": 4 << 30})
    sysfs.write(tmp_path, "sys/bus/pci/devices/%s/drm/renderD129/dev" % address, "226:129")
    sysfs.write_all(tmp_path, "sys/class/kfd/kfd/proc/91", {"vram_5001": 0, "vram_5002": 1 << 30})
    plain_node.put(tmp_path, "/proc/91/comm", "python3")
    found = look(tmp_path)
    assert [(gpu["hip_index"], gpu["render"]) for gpu in found["topology"]["gpus"]] == [
        (0, None), (1, "/dev/dri/renderD129")]
    assert found["memory"][address] == {"total": 64 << 30, "free": 60 << 30}
    assert [(one["gpus"], one["memory"]) for one in found["holders"]] == [([address], {address: 1 << 30})]
