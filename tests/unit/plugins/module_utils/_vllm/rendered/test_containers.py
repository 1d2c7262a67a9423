# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units of an engine in a container: Quadlet, plain Podman, Docker; each is taken by what reads it."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from plugins.module_utils._owners import unit_files
from plugins.module_utils._vllm.rendered import command, containers, units

from tests.sysroots import systemd_itself
from tests.sysroots.vllm_instances import AMD, MIG, ONE_SOCKET, TWO_SOCKETS, made, of_several, placed

QUADLET = "/etc/containers/systemd/vllm@llama.container"
UNIT = "/etc/systemd/system/vllm@llama.service"
BOOT = "/etc/systemd/system/multi-user.target.d/50-gpuwright-vllm-llama.conf"
# The keys of [Container] in Quadlet's first version: pkg/systemd/quadlet/quadlet.go, supportedContainerKeys, of
# Podman 4.4.0. Quadlet takes none that it does not know. All are there still in 5.8.
FIRST_KEYS = {"AddCapability", "AddDevice", "Annotation", "ContainerName", "DropCapability", "Environment",
              "EnvironmentFile", "EnvironmentHost", "Exec", "ExposeHostPort", "Group", "Image", "Label", "Network",
              "NoNewPrivileges", "Notify", "PodmanArgs", "PublishPort", "ReadOnly", "RemapGid", "RemapUid",
              "RemapUidSize", "RemapUsers", "RunInit", "SeccompProfile", "Timezone", "User", "VolatileTmp", "Volume"}
GENERATOR = next((path for path in ("/usr/libexec/podman/quadlet", "/usr/lib/podman/quadlet")
                  if os.path.exists(path)), None)
VARIANTS = {"one socket": ({}, ONE_SOCKET, None), "two sockets": ({}, TWO_SOCKETS, None),
            "no GPU": ({}, placed(), None), "MIG": ({}, placed(MIG), None),
            "AMD": ({}, placed(AMD, devices=["/dev/kfd", "/dev/dri"]), None),
            "secrets": ({}, ONE_SOCKET, {"api_key": "sk-x"}),
            "nccl.conf": ({}, placed(read_only=["/etc/nccl.conf"]), None),
            "second of two nodes": ({"several": of_several(1), "state": "stopped"}, TWO_SOCKETS, None)}


def files(kind, version, name="one socket", **more):
    changed, place, secrets = VARIANTS[name]
    return containers.files(made(kind, **dict(changed, **more)), place, "model: /srv/models/llama\n", version, secrets)


def sections(text):
    """{section: {key: [values]}}."""
    found = {}
    for part in re.split(r"^\[", text, flags=re.MULTILINE)[1:]:
        name, _bracket, body = part.partition("]\n")
        for _number, key, value in unit_files.lines(body):
            found.setdefault(name, {}).setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("kind, version, unit", [("podman", "4.4.0", QUADLET), ("podman", "5.4.2", QUADLET),
                                                 ("podman", "4.3.1", UNIT), ("docker", "28.2.2", UNIT)])
def test_every_file_and_no_other(kind, version, unit):
    made_of = files(kind, version, "secrets")
    assert sorted(made_of) == sorted([unit, BOOT, "/etc/vllm/llama.env", "/etc/vllm/llama.secret.env",
                                      "/etc/vllm/llama.yaml"])
    assert set(made_of) <= set(units.every_path("llama"))
    assert [path for path, file in made_of.items() if "sk-x" in file["text"]] == ["/etc/vllm/llama.secret.env"]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_quadlet_has_keys_of_its_first_version_only(name):
    assert set(sections(files("podman", "4.4.0", name)[QUADLET]["text"])["Container"]) <= FIRST_KEYS


def test_what_a_quadlet_says():
    found = sections(files("podman", "4.4.0", "secrets")[QUADLET]["text"])
    box = found["Container"]
    assert box["Image"] == ["docker.io/vllm/vllm-openai:v0.33.0"] and box["ContainerName"] == ["vllm-llama"]
    assert box["AddDevice"] == ["nvidia.com/gpu=%d" % index for index in range(4)]
    assert box["AddCapability"] == ["CAP_SYS_NICE CAP_IPC_LOCK"] and box["Network"] == ["host"]
    assert "/srv/models/llama:/srv/models/llama:ro" in box["Volume"]
    assert box["EnvironmentFile"] == ["/etc/vllm/llama.env", "/etc/vllm/llama.secret.env"]
    assert {"--ulimit=memlock=-1:-1", "--ipc=host", "--pids-limit=-1", "--stop-timeout=120"} <= set(box["PodmanArgs"])
    service = found["Service"]
    assert service["Slice"] == ["gpuwright.slice"] and service["NUMAPolicy"] == ["preferred"]
    assert service["TimeoutStopSec"] == ["150"]  # More than the container is given.
    assert not {"Type", "ExecStart", "User"} & set(service)  # Quadlet's own.


@pytest.mark.parametrize("path", ["/srv/a b", "/srv/a:b", "/srv/a$b", '/srv/a"b'])
def test_a_path_that_quadlet_would_split_is_refused(path):
    with pytest.raises(ValueError, match="cannot be given to a container by a Quadlet"):
        files("podman", "4.4.0", model=path)


@pytest.mark.parametrize("kind, version", [("podman", "4.3.1"), ("docker", "28.2.2")])
def test_the_unit_starts_the_command_that_is_shown(kind, version):
    service = sections(files(kind, version)[UNIT]["text"])["Service"]
    shown = command.command(made(kind), ONE_SOCKET, version)
    assert service["ExecStart"][0].split()[:3] == shown[:3] and shown[-1] in service["ExecStart"][0]
    assert "-t 120 vllm-llama" in service["ExecStop"][0] and service["TimeoutStopSec"] == ["150"]


def test_podmans_unit_is_ready_when_the_container_runs():
    service = sections(files("podman", "4.3.1")[UNIT]["text"])["Service"]
    assert service["Type"] == ["notify"] and service["NotifyAccess"] == ["all"] and service["Delegate"] == ["yes"]
    assert service["Slice"] == ["gpuwright.slice"] and service["NUMAMask"] == ["0"]


def test_dockers_unit_needs_docker_and_leaves_nothing():
    found = sections(files("docker", "28.2.2")[UNIT]["text"])
    assert found["Unit"]["Requires"] == ["docker.service"] and "docker.service" in found["Unit"]["After"]
    assert found["Service"]["ExecStartPre"] == ["-docker rm --force vllm-llama"]
    assert not {"Slice", "NUMAPolicy"} & set(found["Service"])  # They would be the client's.


@pytest.mark.parametrize("version", ["4.3.1", "4.4.0"])
def test_it_starts_at_boot_if_it_is_to_run(version):
    assert BOOT in files("podman", version) and BOOT not in files("podman", version, "second of two nodes")


# -- systemd and Quadlet themselves -----------------------------------------------------------------------------------

if systemd_itself.HAS_VERIFY:
    @pytest.mark.parametrize("kind, version", [("podman", "4.3.1"), ("docker", "28.2.2")])
    @pytest.mark.parametrize("name", VARIANTS)
    def test_systemd_has_nothing_to_say_about_the_unit(tmp_path, name, kind, version):
        """With another program in the client's place, which need not be on this machine."""
        place = tmp_path / "etc/systemd/system"
        place.mkdir(parents=True)
        text = re.sub(r"^(Exec\w+=-?)(podman|docker) ", r"\1/bin/echo ", files(kind, version, name)[UNIT]["text"],
                      flags=re.MULTILINE)
        (place / "vllm@llama.service").write_text(text)
        (place / "docker.service").write_text("[Service]\nExecStart=/bin/true\n")
        assert text.count("/bin/echo ") >= 3 and systemd_itself.verify(tmp_path, ["vllm@llama.service"]) == []

if systemd_itself.SYSTEMD:
    @pytest.mark.parametrize("kind, version", [("podman", "4.3.1"), ("docker", "28.2.2")])
    def test_systemd_itself_starts_the_command_that_is_shown(kind, version):
        text = files(kind, version, "two sockets")[UNIT]["text"]
        docker = "[Service]\nExecStart=/bin/true\n"
        read = systemd_itself.command_lines({"vllm@llama.service": text, "docker.service": docker},
                                            "vllm@llama.service")
        assert command.command(made(kind), TWO_SOCKETS, version) in read

if GENERATOR:
    @pytest.mark.parametrize("name", VARIANTS)
    def test_quadlet_itself_makes_the_unit(tmp_path, name):
        (tmp_path / "vllm@llama.container").write_text(files("podman", "4.4.0", name)[QUADLET]["text"])
        done = subprocess.run([GENERATOR, "-dryrun"], env=dict(os.environ, QUADLET_UNIT_DIRS=str(tmp_path)),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, check=True)
        assert "---vllm@llama.service---" in done.stdout and "error" not in done.stderr.lower()
        started = sections(done.stdout)["Service"]["ExecStart"][0]
        assert started.endswith("docker.io/vllm/vllm-openai:v0.33.0 serve --config /etc/vllm/llama.yaml")
