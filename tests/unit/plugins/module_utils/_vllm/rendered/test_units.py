# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units of an engine that is a program on the node: what they say, and that systemd takes every one of them."""

from __future__ import annotations

import re

import pytest

from plugins.module_utils._owners import unit_files
from plugins.module_utils._vllm.rendered import command, unit_template, units

from tests.sysroots import systemd_itself
from tests.sysroots.vllm_instances import GPUS, ONE_SOCKET, TWO_SOCKETS, VARIANTS, made, of_several, placed

DROP_IN = "/etc/systemd/system/vllm@llama.service.d/50-gpuwright.conf"
RAY = "/etc/systemd/system/ray@llama.service"
BOOT = "/etc/systemd/system/multi-user.target.d/50-gpuwright-%s-llama.conf"


def assignments(text):
    """{key: [values]} of a unit file."""
    found = {}
    for _number, key, value in unit_files.lines(text):
        found.setdefault(key, []).append(value)
    return found


def drop_in(changed=None, place=ONE_SOCKET, secrets=None, **engine):
    return assignments(units.files(made(**dict(changed or {}, **engine)), place, "", secrets)[DROP_IN]["text"])


def variant(name, **engine):
    changed, place, secrets = VARIANTS[name]
    return units.files(made(**dict(changed, **engine)), place, "model: /srv/models/llama\n", secrets)


def lay_out(folder, files):
    """The files below a folder; an environment of programs that can be started at the path that is returned."""
    for path, file in files.items():
        (folder / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (folder / path[1:]).write_text(file["text"])


def engine_at(folder):
    (folder / "engine/bin").mkdir(parents=True)
    for name in ("vllm", "ray"):
        (folder / "engine/bin" / name).write_text("#!/bin/sh\n")
        (folder / "engine/bin" / name).chmod(0o755)
    return folder / "engine"


def test_every_file_and_no_other():
    assert sorted(variant("secrets")) == [
        "/etc/systemd/system/multi-user.target.d/50-gpuwright-vllm-llama.conf", "/etc/systemd/system/vllm@.service",
        DROP_IN, "/etc/vllm/llama.env", "/etc/vllm/llama.secret.env", "/etc/vllm/llama.yaml"]


@pytest.mark.parametrize("name", VARIANTS)
def test_every_path_knows_every_file(name):
    assert set(variant(name)) <= set(units.every_path("llama")) | {unit_template.TEMPLATE}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_template_is_the_same_everywhere(name):
    found = variant(name).get(unit_template.TEMPLATE)
    assert found is None if name == "worker of Ray" else found["text"] == unit_template.text()


def test_the_drop_in_starts_the_engine_and_says_where():
    found = drop_in()
    assert found["ExecStart"] == ["", "/opt/gpuwright/vllm-0.33.0/bin/vllm serve --config /etc/vllm/llama.yaml"]
    assert found["Slice"] == ["gpuwright.slice"]
    assert (found["NUMAPolicy"], found["NUMAMask"]) == (["preferred"], ["0"])
    assert found["ReadOnlyPaths"] == ["-/srv/models/llama"]
    assert found["Environment"][0].startswith("PATH=/opt/gpuwright/vllm-0.33.0/bin:")


def test_what_does_not_differ_is_not_said():
    found = drop_in(place=placed())
    assert not {"User", "Slice", "NUMAPolicy", "TimeoutStopSec", "PrivateTmp", "EnvironmentFile", "SupplementaryGroups",
                "ExecStartPre"} & set(found)
    assert not {"CPUAffinity", "AllowedCPUs"} & set(drop_in())


def test_gpus_of_two_sockets_have_no_memory_policy():
    assert "NUMAPolicy" not in drop_in(place=TWO_SOCKETS)


def test_what_differs_is_said():
    found = drop_in({"user": "svc", "stop_timeout": 600})
    assert (found["User"], found["TimeoutStopSec"]) == (["svc"], ["600"])


def test_a_secret_that_is_gone_keeps_the_engine_from_starting():
    """An engine that was to ask for a key must not answer everybody: no - before the path."""
    assert drop_in(secrets={"api_key": "x"})["EnvironmentFile"] == ["/etc/vllm/llama.secret.env"]


@pytest.mark.parametrize("name", [name for name in VARIANTS if VARIANTS[name][2]])
def test_no_secret_is_in_any_other_file(name):
    for path, file in variant(name).items():
        for secret in VARIANTS[name][2].values():
            assert secret not in file["text"] or path == "/etc/vllm/llama.secret.env"
        assert (file["mode"], file["secret"]) == ((0o600, True) if path.endswith(".secret.env") else (
            0o640 if path.endswith(".env") else 0o644, False))


def test_amd_gpus_need_groups_and_nvidias_need_a_device_that_root_makes():
    amd = assignments(variant("AMD")[DROP_IN]["text"])
    assert amd["SupplementaryGroups"] == ["render video"] and "ExecStartPre" not in amd
    before = drop_in()["ExecStartPre"][0]
    assert before.startswith("-+/bin/sh -c ") and "nvidia-modprobe" in before


@pytest.mark.parametrize("path", ["/tmp/model", "/var/tmp/model"])
def test_a_private_tmp_hides_no_model_and_no_engine(path):
    assert drop_in({"model": path})["PrivateTmp"] == ["no"]
    assert drop_in(path=path)["PrivateTmp"] == ["no"]


def test_it_starts_at_boot_if_it_is_to_run():
    assert assignments(variant("one socket")[BOOT % "vllm"]["text"]) == {"Wants": ["vllm@llama.service"]}
    assert BOOT % "vllm" not in variant("stopped")
    assert assignments(variant("worker of Ray")[BOOT % "ray"]["text"]) == {"Wants": ["ray@llama.service"]}


def test_a_template_for_an_engine_that_starts_for_minutes_and_dies_with_status_0():
    found = assignments(unit_template.text())
    assert found["Type"] == ["exec"] and found["Restart"] == ["always"] and found["RestartSec"] == ["10"]
    assert int(found["StartLimitIntervalSec"][0]) >= 5 * 600 and found["StartLimitBurst"] == ["5"]
    assert found["RestartPreventExitStatus"] == ["2"] and found["KillMode"] == ["mixed"]


@pytest.mark.parametrize("key, value", [
    ("LimitMEMLOCK", "infinity"), ("LimitNOFILE", "1048576"), ("LimitSTACK", "8M"), ("TasksMax", "infinity"),
    ("OOMScoreAdjust", "-500"), ("OOMPolicy", "stop"), ("TimeoutStopSec", "120"), ("LimitCORE", "0")])
@pytest.mark.parametrize("text", [unit_template.text(), variant("worker of Ray")[RAY]["text"]], ids=["vllm", "ray"])
def test_limits_of_the_engine_and_of_ray(text, key, value):
    assert assignments(text)[key] == [value]


@pytest.mark.parametrize("text", [unit_template.text(), variant("worker of Ray")[RAY]["text"]], ids=["vllm", "ray"])
def test_nothing_that_an_engine_does_not_survive(text):
    """Each of these leaves the GPUs out, or forbids compiled kernels, shared memory or the reading of /proc."""
    found = assignments(text)
    assert not {"PrivateDevices", "ProtectClock", "DeviceAllow", "DevicePolicy", "MemoryDenyWriteExecute", "PrivateIPC",
                "PrivateUsers", "PrivateNetwork", "ProcSubset", "RemoveIPC", "CPUAffinity"} & set(found)
    assert {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"} <= set(found["RestrictAddressFamilies"][0].split())
    assert found["SystemCallFilter"][0].startswith("~")
    assert not {"@resources", "@debug", "@ipc", "@memlock", "@process", "@privileged"} & set(
        found["SystemCallFilter"][0][1:].split())


def test_the_engine_writes_where_it_may():
    """ProtectSystem=full leaves /var writable; the user owns only these two."""
    found = assignments(unit_template.text())
    said = dict(pair.split("=", 1) for pair in found["Environment"])
    assert found["CacheDirectory"] == ["vllm/%i"] and found["StateDirectory"] == ["vllm/home/%i"]
    assert all(path.startswith(("%C/vllm/%i", "%S/vllm/home/%i")) for path in said.values())
    assert {"HOME", "HF_HOME", "XDG_CACHE_HOME", "VLLM_CACHE_ROOT", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR",
            "FLASHINFER_WORKSPACE_BASE"} <= set(said)


def test_it_waits_for_what_it_needs():
    found = " ".join(assignments(unit_template.text())["After"]).split()
    assert {"network-online.target", "nvidia-persistenced.service", "nvidia-fabricmanager.service",
            "gpuwright-boot.service"} <= set(found)


# -- Ray --------------------------------------------------------------------------------------------------------------


def test_the_head_runs_both_and_a_worker_only_ray():
    head, worker = variant("head of Ray"), variant("worker of Ray")
    assert RAY in head and DROP_IN in head
    assert RAY in worker and not [path for path in worker if "vllm@" in path or path.endswith(".yaml")]
    assert units.unit(made(several=of_several(0, "ray"))) == "vllm@llama.service"
    assert units.unit(made(several=of_several(1, "ray"))) == "ray@llama.service"


def test_the_engine_lives_and_dies_with_ray_and_shares_its_tmp():
    found = assignments(variant("head of Ray")[DROP_IN]["text"])
    for key in ("Requires", "After", "PartOf", "JoinsNamespaceOf"):
        assert found[key] == ["ray@llama.service"]
    assert "RAY_ADDRESS=10.0.0.1:29501" in found["Environment"]


def test_ray_has_the_engines_slice_and_memory():
    """Its children are vLLM's workers."""
    made_of = units.files(made(several=of_several(1, "ray")), placed(
        GPUS[:2], slice="gpuwright.slice", memory_policy={"NUMAPolicy": "preferred", "NUMAMask": "1"}), "")
    found = assignments(made_of[RAY]["text"])
    assert found["Slice"] == ["gpuwright.slice"] and found["NUMAMask"] == ["1"]
    assert found["EnvironmentFile"][0] == "/etc/vllm/llama.env"


def test_only_the_heads_ray_is_waited_for():
    assert "health-check --address 10.0.0.1:29501" in variant("head of Ray")[RAY]["text"]
    assert "ExecStartPost" not in variant("worker of Ray")[RAY]["text"]


# -- systemd itself ---------------------------------------------------------------------------------------------------

if systemd_itself.HAS_VERIFY:
    @pytest.mark.parametrize("kind", ["venv", "existing"])
    @pytest.mark.parametrize("name", VARIANTS)
    def test_systemd_has_nothing_to_say_about_the_units(tmp_path, name, kind):
        files = variant(name, kind=kind, path=engine_at(tmp_path))
        lay_out(tmp_path, files)
        names = [path.rpartition("/")[2] for path in files if path == RAY] + (
            ["vllm@llama.service"] if DROP_IN in files else [])
        assert systemd_itself.verify(tmp_path, names) == []

    def test_systemd_finds_what_is_wrong(tmp_path):
        files = variant("one socket", path=engine_at(tmp_path))
        files[DROP_IN]["text"] += "NUMAPolicy=nearest\n"
        lay_out(tmp_path, files)
        assert "50-gpuwright.conf" in " ".join(systemd_itself.verify(tmp_path, ["vllm@llama.service"]))

    @pytest.mark.parametrize("path, name", [(unit_template.TEMPLATE, "one socket"), (RAY, "worker of Ray")])
    def test_systemd_calls_the_exposure_low(tmp_path, path, name):
        lay_out(tmp_path, variant(name))
        assert systemd_itself.exposure(tmp_path / path[1:]) <= 3.0

if systemd_itself.SYSTEMD:
    @pytest.mark.parametrize("name", ["one socket", "head of Ray", "worker of Ray"])
    def test_systemd_itself_starts_the_command_that_is_shown(name):
        changed, place, _secrets = VARIANTS[name]
        one = made(**changed)
        read = {path[len("/etc/systemd/system/"):]: file["text"] for path, file in variant(name).items()
                if path.startswith("/etc/systemd/system/")}
        assert command.command(one, place) in systemd_itself.command_lines(read, units.unit(one))

if systemd_itself.LIBRARY:
    def test_systemd_itself_reads_the_environment_and_the_secrets():
        files = variant("odd environment")
        read = systemd_itself.environment(files["/etc/vllm/llama.env"]["text"])
        assert read == {"A": 'a "b" $HOME %i \\ `x` #', "B": "", "C": " é ", "NCCL_DEBUG": "WARN",
                        "CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "0,1,2,3"}
        read = systemd_itself.environment(variant("secrets")["/etc/vllm/llama.secret.env"]["text"])
        assert read == {"VLLM_API_KEY": 'k"$e\\y %i', "HF_TOKEN": "hf_x"}


def test_the_sections_come_in_the_order_of_a_unit():
    assert re.findall(r"^\[(\w+)\]$", unit_template.text(), re.MULTILINE) == ["Unit", "Service"]
