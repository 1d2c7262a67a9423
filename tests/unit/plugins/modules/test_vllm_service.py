# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of module vllm_service: its stages on a stand-in host, with real deployments; secrets, check mode, no root."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import engine_schema, known_arguments
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import checking
from ansible_collections.gpuwright.node.plugins.modules import rollback, vllm_service

from tests.sysroots import vllm_node
from tests.sysroots.plain_node import put

LLAMA = "vllm@llama.service"
INSTANCE = {"name": "llama", "model": "/srv/models/llama", "gpus": 0, "prompt": None,
            "engine": {"kind": "existing", "path": "/opt/vllm"}}
SECRETS = {"llama": {"api_key": "sk-hush", "hf_token": "hf_hush"}}


@pytest.fixture(name="root")
def fixture_root(tmp_path, monkeypatch):
    """A host where systemctl works, and the engine's help is that of 0.33.0."""
    root = vllm_node.build(tmp_path)
    monkeypatch.setattr(vllm_service, "Host", vllm_node.Engines)
    monkeypatch.setattr(rollback, "Host", vllm_node.Engines)
    monkeypatch.setattr(engine_schema, "read", lambda host, instance: (
        known_arguments.schema(), "0.33.0", "as this collection knows it"))
    return root


@pytest.fixture(name="stage")
def fixture_stage(root, run_module):
    def run(name, check_mode=False, **words):
        return run_module(vllm_service, check_mode=check_mode, stage=name, sysroot=str(root), **words)
    return run


def test_from_a_plan_to_what_is_kept_and_nothing_to_do(root, stage):
    before = vllm_node.snapshot(root)
    checked = stage("plan", check_mode=True, instances=[INSTANCE], secrets=SECRETS)
    assert "failed" not in checked, checked["msg"]
    assert vllm_node.snapshot(root) == before
    assert checked["changed"] and checked["due"] == ["llama"] and checked["problems"] == []
    assert checked["commands"]["llama"][1:3] == ["serve", "--config"] and checked["versions"] == {"llama": "0.33.0"}
    switched = stage("switch", instances=[INSTANCE], secrets=SECRETS, only=["llama"])
    assert (switched["switched"], switched["errors"], switched["changed"]) == (["llama"], {}, True)
    assert vllm_node.host(root).running(LLAMA)
    assert stage("look")["instances"]["llama"]["phase"] == "switched"
    assert stage("keep", only=["llama"])["kept"] == ["llama"]
    assert stage("look")["instances"]["llama"]["phase"] == "kept"
    again = stage("plan", instances=[INSTANCE], secrets=SECRETS)
    assert (again["due"], again["changed"], again["diff"]) == ([], False, [])
    told = json.dumps([checked, switched, again])
    assert "hush" not in told


@pytest.mark.parametrize("program", ["/opt/vllm/bin/vllm", "/srv/vllm"])
def test_what_the_node_has_is_what_is_started_and_served(root, stage, program):
    put(root, program, "")
    put(root, "/srv/models/llama/llama-q4.gguf", "GGUF")
    existing = {"kind": "existing", "path": program.replace("/bin/vllm", "")}
    told = stage("switch", instances=[dict(INSTANCE, engine=existing)])
    assert told["commands"]["llama"][0] == program
    assert "\nExecStart=%s serve " % program in vllm_node.host(root).running(LLAMA)[
        "/etc/systemd/system/vllm@llama.service.d/50-gpuwright.conf"]
    assert "\nmodel: '/srv/models/llama/llama-q4.gguf'\n" in (root / "etc/vllm/llama.yaml").read_text()


def test_what_is_named_like_a_secret_is_in_no_answer_wherever_it_was_written(root, stage):
    told = [stage(name, instances=[dict(INSTANCE, environment={"WANDB_API_KEY": "hush" + end,
                                                               "HTTPS_PROXY": "http://me:hush%s@proxy:1" % end},
                                        arguments={"hf-overrides": {"access_token": "hush" + end}})])
            for name, end in (("plan", "1"), ("switch", "1"), ("switch", "2"), ("look", ""))]
    assert told[2]["switched"] == ["llama"] and told[2]["diff"]
    assert "hush" not in json.dumps([dict(one, invocation=None) for one in told])


def test_a_rollback_leaves_nothing_of_it(root, stage, run_module):
    before = vllm_node.snapshot(root)
    stage("switch", instances=[INSTANCE], secrets=SECRETS)
    result = run_module(rollback, roles=["vllm_service"], sysroot=str(root))
    assert "failed" not in result and "hush" not in json.dumps(result)
    assert vllm_node.snapshot(root) == before


def test_what_is_verified_is_what_was_started_with_the_key_of_the_file(root, stage, monkeypatch):
    asked = []

    def look(host, deployment, ask, secrets=()):
        asked.append((deployment["instance"]["name"], sorted(secrets)))
        return {"ok": None, "differs": [], "facts": {}}
    monkeypatch.setattr(checking.look, "__defaults__", (look,))
    stage("switch", instances=[INSTANCE], secrets=SECRETS)
    assert stage("verify", only=["llama"])["verified"] == {"llama": {"ok": None, "differs": [], "facts": {}}}
    assert asked == [("llama", ["hf_hush", "sk-hush"])]


def test_what_does_not_start_is_put_back(root, stage):
    stage("switch", instances=[INSTANCE])
    stage("keep", only=["llama"])
    place = root / "etc/vllm/llama.yaml"
    before = place.read_bytes()
    changed = dict(INSTANCE, arguments={"max_model_len": 4096})
    told = stage("switch", instances=[changed])
    assert "max-model-len" in told["settings"][0]["reason"] and place.read_bytes() != before
    put_back = stage("put_back", only=["llama"])
    said = put_back["put_back"]["llama"]
    assert put_back["changed"] and stage("put_back", only=["llama"])["changed"] is False
    assert said["ok"] and place.read_bytes() == before
    assert stage("verify", only=["mistral"])["verified"]["mistral"]["ok"] is True


def test_a_switch_that_goes_wrong_is_no_failure_of_the_task_but_of_the_verification(root, stage, monkeypatch):
    real = vllm_node.Engines.run
    monkeypatch.setattr(vllm_node.Engines, "run", lambda self, argv, *rest, **words: (
        (1, "", "no such user") if argv[1] == "start" else real(self, argv, *rest, **words)))
    told = stage("switch", instances=[INSTANCE])
    assert "failed" not in told and "no such user" in told["errors"]["llama"]
    said = stage("verify", only=["llama"])["verified"]["llama"]
    assert said["ok"] is False and "no such user" in said["differs"][0]


def test_check_mode_writes_in_no_stage(root, stage):
    before = vllm_node.snapshot(root)
    for name in ("look", "plan", "switch", "verify", "keep", "put_back"):
        assert "failed" not in stage(name, check_mode=True, instances=[INSTANCE], only=["llama"]), name
    assert vllm_node.snapshot(root) == before


@pytest.mark.parametrize("instances, words", [
    ([dict(INSTANCE, port="x")], "port"), ([INSTANCE, INSTANCE], "instance llama is there twice"),
    ([dict(INSTANCE, arguments={"gpu_memory_utilisation": 0.9})], "gpu-memory-utilization")])
def test_what_cannot_be_is_said_before_anything_is_changed(root, stage, instances, words):
    before = vllm_node.snapshot(root)
    result = stage("switch", instances=instances)
    assert result["failed"] and "nothing was changed" in result["msg"] and words in result["msg"]
    assert vllm_node.snapshot(root) == before
    assert "there is no instance qwen" in stage("plan", instances=[INSTANCE], secrets={"qwen": {}})["msg"]


def test_one_that_cannot_be_does_not_keep_the_others_from_being_switched(root, stage):
    both = [INSTANCE, dict(INSTANCE, name="qwen", port=8001, arguments={"no_such": 1})]
    assert stage("plan", instances=both)["problems"][0].startswith("vllm@qwen.service: ")
    assert stage("switch", instances=both, only=["llama"])["switched"] == ["llama"]
    assert stage("switch", instances=both)["failed"]


def test_without_root_nothing_is_tried(root, stage, monkeypatch):
    monkeypatch.setattr(Host, "is_root", lambda host: False)
    for name in ("switch", "keep", "put_back"):
        assert "needs root: run with become" in stage(name, instances=[INSTANCE], only=["llama"])["msg"]
    assert "failed" not in stage("plan", instances=[INSTANCE])


def test_another_run_is_named_and_names_are_needed(root, stage):
    assert "needs the names" in stage("keep")["msg"]
    with Host(str(root), read_only=False).only_one("/run/gpuwright.lock", {"what": "role thp"}):
        assert "role thp" in stage("switch", instances=[INSTANCE])["msg"]
