# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module health_facts, run as Ansible runs it: arguments in JSON on its input, one JSON answer on its output."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._health import gpu, node
from ansible_collections.gpuwright.node.plugins.modules import health_facts


@pytest.fixture
def run(checkout, tmp_path):
    """A function from arguments to the module's answer, on a machine whose log has an Xid and with one drive."""
    files = {"gpuwright/kernel.log": "[1.5] NVRM: Xid (PCI:0000:9b:00): 79, GPU has fallen off the bus.\n",
             "sys/class/nvme/nvme0/state": "live\n", "proc/sys/kernel/random/boot_id": "0034515a\n"}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    environment = dict(os.environ, PYTHONPATH=str(checkout / ".cache" / "collections"))

    def answer(arguments, check=False, sysroot=tmp_path):
        given = dict(arguments, sysroot=str(sysroot), _ansible_check_mode=check)
        done = subprocess.run([sys.executable, "-m", health_facts.__name__], input=json.dumps(
            {"ANSIBLE_MODULE_ARGS": given}), capture_output=True, text=True, timeout=300, env=environment, check=False)
        return json.loads(done.stdout)
    return answer


def test_the_whole_fact(run):
    answer = run({})
    assert answer["changed"] is False
    health = answer["ansible_facts"]["health"]
    assert health["kernel_log"]["xids"][0]["code"] == 79
    assert health["nvme"][0]["state"] == "live"
    assert health["verdict"][0]["severity"] == "E"


def test_check_mode_says_the_same(run):
    assert run({}, check=True)["ansible_facts"] == run({})["ansible_facts"]


def test_gather(run):
    assert set(run({"gather": ["nvme"]})["ansible_facts"]["health"]) == {
        "schema", "boot_id", "nvme", "unreadable", "verdict"}


@pytest.mark.parametrize(("arguments", "words"), [
    ({"gather": ["gpu"]}, ("'gpu'", "gpus")), ({"gather": ["weather"]}, ("'weather'", "known: ", "kernel_log")),
    ({"sysroot_typo": 1}, ("sysroot_typo", "gather"))])
def test_bad_input_is_named_with_what_is_legal(run, arguments, words):
    answer = run(arguments)
    assert answer["failed"] is True
    assert all(word in answer["msg"] for word in words)


def test_a_sysroot_that_is_no_folder(run, tmp_path):
    answer = run({}, sysroot=tmp_path / "missing")
    assert answer["failed"] is True
    assert "is not a folder" in answer["msg"]


def _documented():
    return yaml.safe_load(health_facts.RETURN)["ansible_facts"]["contains"]["health"]["contains"]


def test_return_documents_every_section_and_no_other():
    assert list(_documented()) == ["schema", "boot_id", *node.SECTIONS, "unreadable", "verdict"]


def test_the_sections_named_in_the_documentation_are_those_that_can_be_gathered():
    words = " ".join(yaml.safe_load(health_facts.DOCUMENTATION)["options"]["gather"]["description"])
    assert all("C(%s)" % name in words for name in node.SECTIONS)
    assert words.count("C(") == len(node.SECTIONS)


@pytest.mark.parametrize(("section", "keys"), [
    ("gpus", gpu.EMPTY), ("kernel_log", ("source", "xids", "sxids", "aer", "events")), ("pcie", ("links", "aer")),
    ("nvme", ("name", "pci_address", "serial", "model", "firmware", "state"))])
def test_every_key_of_a_section_is_documented(section, keys):
    words = _documented()[section]["description"]
    words = words if isinstance(words, str) else " ".join(words)
    assert [name for name in keys if "C(%s)" % name not in words] == []


def test_a_node_that_is_worse_than_before_fails_and_says_how(run, tmp_path):
    before = run({})["ansible_facts"]["health"]
    assert run({"before": before})["changed"] is False
    (tmp_path / "sys/class/nvme/nvme0/state").write_text("dead\n")
    answer = run({"before": before})
    assert answer["failed"] is True and answer["msg"].startswith("worse than before: ") and "nvme" in answer["msg"]
    assert answer["health"]["nvme"][0]["state"] == "dead"
