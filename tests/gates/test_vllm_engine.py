# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real vLLM, for CPUs, is started by what role vllm_service renders; it is looked at, and broken on purpose."""

from __future__ import annotations

import os
import resource

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import answers, http

from tests.gates import vllm_engine
from tests.sysroots import direct_engine
from tests.sysroots.held_port import held_port

KEY = "a-key-that-must-not-be-seen"
FIRST, SECOND = sorted(os.sched_getaffinity(0))[:2] if len(os.sched_getaffinity(0)) > 1 else (0, 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return vllm_engine.make_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def known():
    return vllm_engine.schema()


def asked(name, model, **given):
    return direct_engine.asked(name, model, vllm_engine.place(), **given)


def others(look, engine):
    """What differs but for limits that this machine lets nobody raise: each is named in one line."""
    refused = engine.refused_here()
    lines = [words for words in look["differs"] if words.startswith("limit ")]
    assert {words.split()[1] for words in lines} == refused
    return [words for words in look["differs"] if words not in lines]


def say(capsys, words):
    with capsys.disabled():
        print("    " + words)


def pinned(cpu):
    return {"VLLM_CPU_OMP_THREADS_BIND": str(cpu)}


def test_two_instances_serve_at_once_and_what_is_broken_is_named(tmp_path, model, known, capsys):
    secrets = {"one": {"api_key": KEY}}
    one = direct_engine.composed(asked("one", model, environment=pinned(FIRST)), known, secrets["one"])
    two = direct_engine.composed(asked("two", model, environment=pinned(SECOND)), known)
    with direct_engine.started(tmp_path, one, two, secrets=secrets) as engines:
        for engine in engines:
            found = engine.settled()
            say(capsys, "%s serves after %s s" % (engine.made["name"], found["seconds"]))
            assert others(found, engine) == [], engine.log.read_text()[-3000:]
            facts = found["facts"]
            assert facts["health"] == 200 and facts["models"] == [engine.made["name"]]
            assert facts["completion"].startswith("/v1/completions answered ") and facts["max_model_len"] == 256
            assert facts["version"] == vllm_engine.VERSION and facts["metrics"] > 90
        the_metrics_of_alerts_are_there(engines[1])
        what_is_broken_is_named(*engines)


def the_metrics_of_alerts_are_there(engine):
    text = http.asker(http.where(engine.made["instance"]))("/metrics")["text"]
    assert [name for name in answers.METRICS if "\n%s{" % name not in text] == []


def what_is_broken_is_named(keyed, plain):
    instance = keyed.made["instance"]
    found = keyed.look(instance=dict(instance, served_name="another"))
    assert others(found, keyed) == ["/v1/models: wanted is another, found one"]
    found = keyed.look(instance=dict(instance, engine=dict(instance["engine"], version="0.33.0")))
    assert others(found, keyed) == ["the engine that runs is vLLM 0.32.0, wanted is 0.33.0"]
    found = keyed.look(instance=dict(instance, port=plain.made["instance"]["port"]))
    assert others(found, keyed)[0].startswith("port %d: wanted by this instance, found with " % plain.made[
        "instance"]["port"])
    keyed.key = "wrong"
    found = keyed.look()
    assert others(found, keyed) == ["/v1/models: the engine refuses the API key of this instance (status 401)"]
    assert KEY not in str(found)
    keyed.key = KEY
    worker = keyed.workers()[0]
    resource.prlimit(worker, resource.RLIMIT_MEMLOCK, (65536, 65536))
    found = keyed.look()
    assert found["ok"] is False
    assert any("(process %d): wanted unlimited, found 65536 (R15)" % worker in words for words in found["differs"])


def test_two_workers_each_on_its_cpu_and_the_end_of_one_is_told(tmp_path, model, known, capsys):
    made = direct_engine.composed(asked("tp", model, arguments={"tensor-parallel-size": 2}), known)
    with direct_engine.started(tmp_path, made) as (engine,):
        found = engine.settled()
        say(capsys, "TP=2 serves after %s s" % found["seconds"])
        assert others(found, engine) == []
        workers = found["facts"]["workers"]
        assert [worker["title"] for worker in workers] == ["VLLM::Worker_TP0", "VLLM::Worker_TP1"]
        assert [worker["cpus"] for worker in workers] == made["placed"]["ranks"]
        assert all(sum(worker["pages"].values()) > 1 << 28 for worker in workers)
        first, second = [worker["pid"] for worker in workers]
        os.sched_setaffinity(second, os.sched_getaffinity(first))
        assert others(engine.look(), engine) == ["CPUs of VLLM::Worker_TP1 (process %d): wanted within %s, found %s" % (
            second, made["placed"]["ranks"][1], made["placed"]["ranks"][0])]
        os.kill(first, 9)
        engine.process.wait(300)
        found = engine.look()
        assert found["ok"] is False and "its main process ended" in found["differs"][0]


def test_two_nodes_of_one_replica_on_loopback_addresses(tmp_path, model, known, capsys):
    addresses, port = ["127.0.0.1", "127.0.0.2"], held_port()
    made = []
    for rank, cpu in enumerate((FIRST, SECOND)):
        made.append(direct_engine.composed(asked(
            "rank%d" % rank, model, served_name="both", arguments={"tensor-parallel-size": 2}, environment=pinned(cpu),
            several={"nnodes": 2, "node_rank": rank, "nodes": ["n1", "n2"], "address": addresses[rank],
                     "addresses": addresses, "master_addr": addresses[0], "master_port": port, "interface": "lo",
                     "distributed": "native"}), known))
    with direct_engine.started(tmp_path, *made) as engines:
        for engine in engines:
            found = engine.settled()
            say(capsys, "%s of two nodes after %s s" % (engine.made["name"], found["seconds"]))
            assert others(found, engine) == []
        assert [len(engine.workers()) for engine in engines] == [1, 1]
        assert engines[1].look()["facts"]["completion"].startswith("not asked for")


def test_an_engine_that_cannot_start_says_why(tmp_path, model, known):
    made = direct_engine.composed(asked("long", model, arguments={"max-model-len": 4096}), known)
    with direct_engine.started(tmp_path, made) as (engine,):
        found = engine.settled()
        assert found["ok"] is False
        assert "User-specified max_model_len (4096) is greater than the derived max_model_len" in found["differs"][0]
        assert len(found["facts"]["log"]) == 20
