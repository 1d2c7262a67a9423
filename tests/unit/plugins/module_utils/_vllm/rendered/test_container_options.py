# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a container: what it is given, what it is refused for, and that the real clients know every option."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from plugins.module_utils._vllm.rendered import container_options, secret_files

from tests.sysroots import docker_daemon
from tests.sysroots.vllm_instances import AMD, GPUS, MIG, ONE_SOCKET, TWO_SOCKETS, made, of_several, placed

IMAGE = "docker.io/vllm/vllm-openai:v0.33.0"


def words(kind, place=ONE_SOCKET, tool_version=None, secrets=None, **changed):
    return container_options.run(made(kind, **changed), place, tool_version, secrets)


@pytest.mark.parametrize("image", [
    IMAGE, "vllm/vllm-openai:v0.33.0", "localhost:5000/vllm:1", "a@sha256:" + "0" * 64,
    "registry.example.org:5000/a/b:v1@sha256:" + "f" * 64])
def test_an_image_that_says_which_one(image):
    assert container_options.is_pinned(image)


@pytest.mark.parametrize("image", [
    "vllm/vllm-openai", "vllm/vllm-openai:latest", "localhost:5000/vllm", "a@sha256:12", "a:", "a:b c", "", None,
    "a@md5:" + "0" * 32])
def test_an_image_that_does_not(image):
    assert not container_options.is_pinned(image)


def test_an_image_that_is_not_pinned_is_refused():
    given = made("docker")
    given["engine"]["image"] = "vllm/vllm-openai:latest"
    with pytest.raises(ValueError, match="instance llama, engine: image 'vllm/vllm-openai:latest' is not pinned"):
        container_options.run(given, ONE_SOCKET)


@pytest.mark.parametrize("kind", ["podman", "docker"])
def test_ray_in_containers_is_refused_and_told_what_instead(kind):
    with pytest.raises(ValueError, match="take distributed: native, or an engine of kind venv"):
        words(kind, several=of_several(0, "ray"))


def test_a_podman_without_cdi_gives_no_gpu():
    with pytest.raises(ValueError, match=r"Podman 3\.4\.4 gives no container a GPU by CDI, .* from 4\.1 on"):
        words("podman", tool_version="3.4.4")
    assert words("podman", tool_version="3.4.4", place=placed(AMD))
    assert words("podman", tool_version="4.1.0")


@pytest.mark.parametrize("text, version", [("4.4.1", (4, 4)), ("5.4.2", (5, 4)), ("4.10.0-dev", (4, 10)),
                                           (None, (99, 0)), ("newer", (99, 0))])
def test_versions(text, version):
    assert container_options.version(text) == version


def test_gpus_by_cdi_for_podman_and_by_uuid_for_docker():
    said = words("podman")
    assert [word for word in said if "nvidia.com" in word] == [
        "--device=nvidia.com/gpu=%d" % index for index in range(4)]
    assert "--gpus=\"device=%s\"" % ",".join(gpu["uuid"] for gpu in GPUS[:4]) in words("docker")
    assert not [word for word in words("docker") if "nvidia.com" in word]


def test_gpus_that_another_driver_has_are_not_counted():
    """GPU 0 of the node is given to a virtual machine: NVIDIA's driver calls the next one 0."""
    place = dict(placed([dict(gpu, uuid=None) for gpu in GPUS[1:3]]), visible={"CUDA_VISIBLE_DEVICES": "0,1"})
    assert container_options.devices(made("podman"), place) == ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]
    assert container_options.gpus(place) == '"device=0,1"'


def test_a_list_of_devices_that_names_them_by_cdi_is_taken_as_it_is():
    devices = ["nvidia.com/gpu=GPU-1", "/dev/infiniband"]
    assert container_options.devices(made("podman"), placed(GPUS[:1], devices=devices)) == devices
    assert container_options.devices(made("docker"), placed(GPUS[:1], devices=devices)) == ["/dev/infiniband"]


def test_a_daemon_with_users_of_its_own_takes_the_container():
    """userns-remap: "cannot share the host's network namespace when user namespaces are enabled", but with this."""
    assert "--userns=host" in words("docker") and not [word for word in words("podman") if "userns" in word]


def test_a_part_of_a_gpu():
    assert "--device=nvidia.com/gpu=0:2" in words("podman", placed(MIG))
    assert '--gpus="device=MIG-11111111-0000-0000-0000-000000000000"' in words("docker", placed(MIG))


@pytest.mark.parametrize("kind", ["podman", "docker"])
def test_amd_gpus_are_devices(kind):
    said = words(kind, placed(AMD, devices=["/dev/kfd", "/dev/dri"]))
    assert {"--device=/dev/kfd", "--device=/dev/dri"} <= set(said)
    assert not [word for word in said if "nvidia" in word or word.startswith("--gpus")]


@pytest.mark.parametrize("kind", ["podman", "docker"])
def test_a_container_numbers_its_gpus_from_0(kind):
    """The node's own numbers would name GPUs that the container does not have."""
    place = placed(GPUS[4:])
    assert secret_files.variables(made("venv"), place)["CUDA_VISIBLE_DEVICES"] == "4,5,6,7"
    inside = secret_files.variables(made(kind), place)
    assert "CUDA_VISIBLE_DEVICES" not in inside and inside["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    whole = placed(AMD[4:], devices=["/dev/kfd", "/dev/dri"])
    assert secret_files.variables(made(kind), whole)["ROCR_VISIBLE_DEVICES"] == "4,5,6,7"
    parts = placed(AMD[4:], devices=["/dev/kfd", "/dev/dri/renderD132"])
    assert "ROCR_VISIBLE_DEVICES" not in secret_files.variables(made(kind), parts)


def test_a_file_is_mounted_only_where_it_is():
    assert not [word for word in words("docker") if "nccl.conf" in word]
    assert "--mount=type=bind,source=/etc/nccl.conf,target=/etc/nccl.conf,readonly" in words(
        "docker", placed(read_only=["/etc/nccl.conf"]))


def test_limits_that_the_engine_needs():
    for kind in ("podman", "docker"):
        assert {"--ulimit=memlock=-1:-1", "--ulimit=stack=8388608:8388608", "--pids-limit=-1", "--ipc=host",
                "--cap-add=SYS_NICE", "--network=host", "--pull=never"} <= set(words(kind))


def test_docker_is_told_of_slice_cpus_and_memory_since_its_daemon_starts_the_container():
    said = words("docker", placed(GPUS[:1], slice="gpuwright.slice", cpus="2-31",
                                  memory_policy={"NUMAPolicy": "bind", "NUMAMask": "0"}))
    assert {"--cgroup-parent=gpuwright.slice", "--cpuset-cpus=2-31", "--cpuset-mems=0"} <= set(said)
    assert not [word for word in words("docker", ONE_SOCKET) if "cpuset-mems" in word]  # Preferred is not allowed only.
    assert not [word for word in words("docker", TWO_SOCKETS) if "cpuset-mems" in word]


def test_podman_stays_in_the_units_own_control_group():
    assert {"--cgroups=split", "--sdnotify=conmon", "--detach", "--replace"} <= set(words("podman"))
    assert not [word for word in words("podman") if "cpuset" in word or "cgroup-parent" in word]


@pytest.mark.parametrize("kind", ["podman", "docker"])
def test_secrets_are_read_from_their_file(kind):
    said = words(kind, secrets={"api_key": "sk-x"})
    assert "--env-file=/etc/vllm/llama.secret.env" in said and not [word for word in said if "sk-x" in word]
    assert "--env-file=/etc/vllm/llama.secret.env" not in words(kind)


@pytest.mark.parametrize("kind", ["podman", "docker"])
def test_it_ends_with_the_image_and_the_engines_own_words(kind):
    assert words(kind)[-4:] == [IMAGE, "serve", "--config", "/etc/vllm/llama.yaml"]
    assert "--entrypoint=vllm" in words(kind)


# -- the real clients -------------------------------------------------------------------------------------------------


def options(said):
    return {re.match(r"--[a-z-]+", word).group() for word in said[:said.index(IMAGE)] if word.startswith("--")}


TOOLS = [kind for kind in ("docker", "podman") if shutil.which(kind)]


@pytest.mark.parametrize("kind", TOOLS)  # Of those that are on this machine.
def test_the_real_client_knows_every_option(kind):
    known = set(re.findall(r"--[a-z-]+", subprocess.run(
        [kind, "run", "--help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, universal_newlines=True,
        check=True).stdout))
    place = placed(GPUS, slice="a.slice", cpus="1", memory_policy={"NUMAPolicy": "bind", "NUMAMask": "0"},
                   devices=["/dev/infiniband"])
    assert options(words(kind, place, "4.3.1")) - known == set()


if "docker" in TOOLS:
    def asked_for(tmp_path, place, secrets=None, **changed):
        """The real client reads files that lie elsewhere, for /etc is not ours here."""
        one = made("docker", **changed)
        files = dict(secret_files.environment_file(one, place), **secret_files.secret_file(one, secrets))
        said = container_options.run(one, place, None, secrets)
        for path, file in files.items():
            (tmp_path / path.rpartition("/")[2]).write_text(file["text"])
            said = [word.replace("--env-file=" + path, "--env-file=%s/%s" % (tmp_path, path.rpartition("/")[2]))
                    for word in said]
        return docker_daemon.created(said)

    def test_the_real_docker_client_asks_for_what_is_meant(tmp_path):
        place = placed(GPUS[:2], slice="gpuwright.slice", cpus="2-31", devices=["/dev/infiniband"],
                       memory_policy={"NUMAPolicy": "bind", "NUMAMask": "0"}, read_only=["/etc/nccl.conf"])
        asked = asked_for(tmp_path, place)
        host = asked["HostConfig"]
        assert asked["Image"] == IMAGE and asked["Entrypoint"] == ["vllm"]
        assert asked["Cmd"] == ["serve", "--config", "/etc/vllm/llama.yaml"] and asked["StopTimeout"] == 120
        assert [request["DeviceIDs"] for request in host["DeviceRequests"]] == [[gpu["uuid"] for gpu in GPUS[:2]]]
        assert {(one["Name"], one["Soft"], one["Hard"]) for one in host["Ulimits"]} == {
            ("memlock", -1, -1), ("nofile", 1048576, 1048576), ("stack", 8388608, 8388608), ("core", 0, 0)}
        assert (host["CgroupParent"], host["CpusetCpus"], host["CpusetMems"]) == ("gpuwright.slice", "2-31", "0")
        assert (host["IpcMode"], host["NetworkMode"], host["UsernsMode"], host["PidsLimit"], host["OomScoreAdj"]) == (
            "host", "host", "host", -1, -500)
        assert {one.replace("CAP_", "") for one in host["CapAdd"]} == {"SYS_NICE", "IPC_LOCK"} and host["AutoRemove"]
        assert [device["PathOnHost"] for device in host["Devices"]] == ["/dev/infiniband"]
        assert [(one["Source"], one["Target"], one.get("ReadOnly", False)) for one in host["Mounts"]] == [
            ("/etc/vllm/llama.yaml",) * 2 + (True,), ("/srv/models/llama",) * 2 + (True,),
            ("/etc/nccl.conf",) * 2 + (True,), ("/var/cache/vllm/llama",) * 2 + (False,)]

    def test_the_real_docker_client_reads_every_value_as_it_is(tmp_path):
        odd = {"A": 'a "b" $HOME %i \\ `x` #', "B": "", "C": "  é ", "D": "'x'", "E": "a=b", "F": "#"}
        asked = asked_for(tmp_path, ONE_SOCKET, {"api_key": ' k"$e\\y '}, environment=odd)
        given = dict(pair.split("=", 1) for pair in asked["Env"])
        assert {name: given[name] for name in odd} == odd and given["VLLM_API_KEY"] == ' k"$e\\y '
        assert given["NCCL_DEBUG"] == "WARN" and given["HF_HOME"] == "/var/cache/vllm/llama/huggingface"

    @pytest.mark.parametrize("path", ["/srv/a,b", "/srv/a b", '/srv/a"b', "/srv/a:b", "/srv/a=b"])
    def test_the_real_docker_client_mounts_odd_paths(tmp_path, path):
        asked = asked_for(tmp_path, placed(), model=path)
        assert path in [one["Source"] for one in asked["HostConfig"]["Mounts"]]
