# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment and the secrets as files: what wins, who may read, and that no secret is ever shown."""

from __future__ import annotations

import pytest

from plugins.module_utils._vllm.rendered import secret_files

from tests.sysroots.vllm_instances import GPUS, ONE_SOCKET, made, placed

SECRET = "/etc/vllm/llama.secret.env"


def test_what_the_operator_writes_wins_over_the_placement():
    place = placed(GPUS[:1], environment={"NCCL_DEBUG": "WARN", "VLLM_HOST_IP": "10.0.0.1"})
    found = secret_files.variables(made(environment={"NCCL_DEBUG": "INFO"}), place)
    assert found == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "0", "NCCL_DEBUG": "INFO",
                     "VLLM_HOST_IP": "10.0.0.1"}


@pytest.mark.parametrize("kind", ["podman", "docker"])
def test_what_a_container_compiles_outlives_it(kind):
    found = secret_files.variables(made(kind), placed())
    assert {found[name] for name in ("HOME", "XDG_CACHE_HOME")} == {"/var/cache/vllm/llama"}
    assert "HOME" not in secret_files.variables(made(), placed())  # The unit says it.


def test_the_order_of_lines_is_always_the_same():
    lines = secret_files.environment_file(made(environment={"B": "1", "A": "2"}), placed())["/etc/vllm/llama.env"]
    assert lines["text"].splitlines()[1:] == ['A="2"', 'B="1"', 'NCCL_DEBUG="WARN"']


def test_secrets_are_roots_alone():
    found = secret_files.secret_file(made(), {"api_key": "sk", "hf_token": "hf"})
    assert found[SECRET]["text"].splitlines()[1:] == ['HF_TOKEN="hf"', 'VLLM_API_KEY="sk"']
    assert (found[SECRET]["mode"], found[SECRET]["secret"]) == (0o600, True)


@pytest.mark.parametrize("secrets", [None, {}, {"api_key": None, "hf_token": ""}])
def test_without_secrets_there_is_no_file(secrets):
    assert secret_files.secret_file(made(), secrets) == {}
    assert secret_files.paths(made(), secrets) == ["/etc/vllm/llama.env"]


@pytest.mark.parametrize("kind", ["venv", "podman", "docker"])
@pytest.mark.parametrize("secrets", [{"password": "s3cret"}, {"api_key": "s3cret\nPATH=/tmp"}])
def test_a_secret_that_cannot_be_is_refused_without_being_shown(kind, secrets):
    with pytest.raises(ValueError) as caught:
        secret_files.secret_file(made(kind), secrets)
    assert "s3cret" not in str(caught.value)


def test_values_of_a_container_have_no_quotes():
    found = secret_files.secret_file(made("docker"), {"api_key": 'a"b'})
    assert found[SECRET]["text"].endswith('\nVLLM_API_KEY=a"b\n')
    assert ONE_SOCKET["environment"] == {"NCCL_DEBUG": "WARN"}
