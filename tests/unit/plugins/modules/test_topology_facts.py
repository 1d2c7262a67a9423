# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module topology_facts, run as Ansible runs it: arguments in JSON on its input, one JSON answer on its output."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._topology import node
from ansible_collections.gpuwright.node.plugins.modules import topology_facts


@pytest.fixture
def run(checkout, tmp_path):
    """A function from arguments to the module's answer, on a machine of two CPUs."""
    files = {"sys/devices/system/cpu/online": "0-1\n", "sys/devices/system/node/node0/cpulist": "0-1\n",
             "proc/sys/kernel/hostname": "gpu1\n"}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    environment = dict(os.environ, PYTHONPATH=str(checkout / ".cache" / "collections"))

    def answer(arguments, check=False, sysroot=tmp_path):
        given = dict(arguments, sysroot=str(sysroot), _ansible_check_mode=check)
        done = subprocess.run([sys.executable, "-m", topology_facts.__name__], input=json.dumps(
            {"ANSIBLE_MODULE_ARGS": given}), capture_output=True, text=True, timeout=300, env=environment, check=False)
        return json.loads(done.stdout)
    return answer


def test_the_whole_fact(run):
    answer = run({})
    assert answer["changed"] is False
    topology = answer["ansible_facts"]["topology"]
    assert topology["system"]["hostname"] == "gpu1"
    assert topology["cpu"]["online"] == topology["numa_nodes"][0]["cpus"] == "0-1"


def test_check_mode_says_the_same(run):
    assert run({}, check=True)["ansible_facts"] == run({})["ansible_facts"]


def test_gather(run):
    assert set(run({"gather": ["numa_nodes", "owners"]})["ansible_facts"]["topology"]) == {
        "schema", "numa_nodes", "owners", "sources", "notes"}


@pytest.mark.parametrize(("arguments", "words"), [
    ({"gather": ["cpu", "numa_node"]}, ("'numa_node'", "did you mean numa_nodes?")),
    ({"gather": ["weather"]}, ("'weather'", "known: ", "gpu_nics", "rdma_devices")),
    ({"gather": ["_pci"]}, ("'_pci'", "no section")),
    ({"sysroot_typo": 1}, ("sysroot_typo", "gather")),
    ({"compute_nics": ["mlx5_0"]}, ("mlx5_0", "compute_nics")),
])
def test_bad_input_is_named_with_what_is_legal(run, arguments, words):
    answer = run(arguments)
    assert answer["failed"] is True
    for word in words:
        assert word in answer["msg"]


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_sysroot_that_is_no_folder(run, tmp_path, name):
    (tmp_path / "file").write_text("")
    answer = run({}, sysroot=tmp_path / name)
    assert answer["failed"] is True
    assert "is not a folder" in answer["msg"]
    assert str(tmp_path / name) in answer["msg"]


def test_return_documents_every_section_and_no_other():
    documented = yaml.safe_load(topology_facts.RETURN)["ansible_facts"]["contains"]["topology"]["contains"]
    assert list(documented) == ["schema", *node.SECTIONS, "sources", "notes"]


def test_the_sections_named_in_the_documentation_are_those_that_can_be_gathered():
    words = " ".join(yaml.safe_load(topology_facts.DOCUMENTATION)["options"]["gather"]["description"])
    assert all("C(%s)" % name in words for name in node.SECTIONS)
    assert words.count("C(") == len(node.SECTIONS)


@pytest.mark.parametrize(("section", "index"), [("cpu", None), ("numa_nodes", 0), ("owners", None), ("system", None)])
def test_every_key_of_a_section_is_documented(run, section, index):
    fact = run({"gather": [section]})["ansible_facts"]["topology"][section]
    documented = yaml.safe_load(topology_facts.RETURN)["ansible_facts"]["contains"]["topology"]["contains"][section]
    words = " ".join(documented["description"])
    missing = [name for name in (fact if index is None else fact[index]) if "C(%s)" % name not in words]
    assert missing == []
