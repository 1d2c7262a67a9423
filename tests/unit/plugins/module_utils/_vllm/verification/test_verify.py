# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at an instance on a made-up node: systemd, /proc and the engine's answers are stand-ins of their files."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import verify

from tests.sysroots.plain_node import put

GROUP = "/ai.slice/vllm@llama.service"
COMMAND = ["/opt/gpuwright/vllm-0.33.0/bin/vllm", "serve", "--config", "/etc/vllm/llama.yaml"]
METRICS = "tests/captures/vllm-engine/metrics.txt"
LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max stack size            8388608              unlimited            bytes
Max open files            1048576              1048576              files
Max locked memory         %s            unlimited            bytes"""


class Node(Host):
    """A folder of files with a systemd that answers."""

    def __init__(self, root, log="", **unit):
        super().__init__(str(root))
        self.unit = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success",
                     "ExecMainStatus": "0", "MainPID": "100", "NRestarts": "0", "ControlGroup": GROUP,
                     "InvocationID": "0af1", "NeedDaemonReload": "no", **unit}
        self.log = log

    def run(self, argv, seconds=10, changes=True):
        """systemctl show and journalctl."""
        assert not changes
        if self.unit["ActiveState"] is None:
            raise CommandNotRun("systemctl: no answer after 10 s")
        if argv[0] == "journalctl":
            return 0, self.log, ""
        return 0, "".join("%s=%s\n" % pair for pair in self.unit.items()), ""


def process(root, pid, words, cpus="0-3", memlock="unlimited", pages="N0=262144", environ=""):
    put(root, "/proc/%d/cmdline" % pid, "\0".join(words))
    put(root, "/proc/%d/status" % pid, "State:\tS (sleeping)\nPPid:\t1\nThreads:\t9\nCpus_allowed_list:\t%s\n"
        "Mems_allowed_list:\t0-1" % cpus)
    put(root, "/proc/%d/limits" % pid, LIMITS % memlock)
    put(root, "/proc/%d/numa_maps" % pid, "7f6e37fff000 bind:0 anon=1 %s kernelpagesize_kB=4" % pages)
    put(root, "/proc/%d/environ" % pid, environ)


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    visible = "CUDA_VISIBLE_DEVICES=0\0VLLM_API_KEY=MINE\0"
    process(tmp_path, 100, ["/opt/gpuwright/vllm-0.33.0/bin/python3", *COMMAND], environ=visible)
    process(tmp_path, 101, ["VLLM::EngineCore"])
    process(tmp_path, 102, ["VLLM::Worker_TP0"])
    process(tmp_path, 103, ["VLLM::Worker_TP1"])
    put(tmp_path, "/sys/fs/cgroup%s/cgroup.procs" % GROUP, "100\n101\n102\n103")
    return tmp_path


def deployment(state="started", several=None, **changed):
    instance = {"name": "llama", "state": state, "served_name": "llama", "prompt": "Hello", "listen": "0.0.0.0",
                "port": 8000, "arguments": {}, "several": several, "engine": {"kind": "venv", "version": "0.32.0"}}
    placed = {"gpus": [], "visible": {"CUDA_VISIBLE_DEVICES": "0"}, "slice": "ai.slice", "cpus": "0-3",
              "memory_policy": {"NUMAPolicy": "bind", "NUMAMask": "0"},
              "sizes": {"tensor-parallel-size": 2, "pipeline-parallel-size": 1, "data-parallel-size": 1,
                        "prefill-context-parallel-size": 1}}
    made = {"name": "llama", "unit": "vllm@llama.service", "instance": instance, "placed": placed, "command": COMMAND,
            "arguments": {}, "files": {"/etc/systemd/system/vllm@.service": {"text": "LimitNOFILE=1048576\n"}}}
    made.update({key: value for key, value in changed.items() if key in made})
    placed.update({key: value for key, value in changed.items() if key in placed})
    return made


@pytest.fixture(name="serves")
def fixture_serves(checkout):
    """What an engine answers that is well; the tests change it."""
    return {"/health": (200, ""), "/version": (200, {"version": "0.32.0"}),
            "/v1/models": (200, {"data": [{"id": "llama", "max_model_len": 8192}]}),
            "/v1/completions": (200, {"choices": [{"text": " Paris"}]}),
            "/metrics": (200, (checkout / METRICS).read_text())}


def asker(answers):
    def ask(path, body=None, seconds=10):
        status, text = answers.get(path, (404, ""))
        why = "nobody listens on http://127.0.0.1:8000" if status is None else None
        return {"status": status, "text": text if isinstance(text, str) else json.dumps(text), "why": why}
    return ask


def nobody(_path, _body=None, _seconds=10):
    return {"status": None, "text": "", "why": "nobody listens on http://127.0.0.1:8000"}


def forbidden(_path, _body=None, _seconds=10):
    raise AssertionError("it was asked")


def test_all_is_well(root, serves):
    found = verify.look(Node(root), deployment(), asker(serves))
    assert (found["ok"], found["differs"]) == (True, [])
    assert [worker["title"] for worker in found["facts"]["workers"]] == ["VLLM::Worker_TP0", "VLLM::Worker_TP1"]
    assert found["facts"]["workers"][0]["pages"] == {"0": 1 << 30}
    assert found["facts"]["completion"] == "/v1/completions answered ' Paris'"
    assert "MINE" not in str(found)


def test_workers_that_come_between_the_look_at_processes_and_the_answer_are_not_missing(root, serves):
    put(root, "/sys/fs/cgroup%s/cgroup.procs" % GROUP, "100")
    answered = asker(serves)

    def ask(path, *words):
        put(root, "/sys/fs/cgroup%s/cgroup.procs" % GROUP, "100\n101\n102\n103")
        return answered(path, *words)
    assert verify.look(Node(root), deployment(), ask)["differs"] == []


@pytest.mark.parametrize("path, answer, words", [
    ("/health", (503, ""), "/health: 200 is wanted, found 503"),
    ("/version", (200, {"version": "0.31.0"}), "the engine that runs is vLLM 0.31.0, wanted is 0.32.0"),
    ("/v1/models", (200, {"data": [{"id": "qwen"}]}), "/v1/models: wanted is llama, found qwen"),
    ("/v1/completions", (500, {"error": {"message": "EngineCore encountered an issue with MINE"}}),
     "a completion was not answered: /v1/completions: status 500: EngineCore encountered an issue with (hidden)"),
    ("/metrics", (404, ""), "/metrics: status 404")])
def test_an_answer_that_differs(root, serves, path, answer, words):
    found = verify.look(Node(root), deployment(), asker(dict(serves, **{path: answer})), ["MINE"])
    assert (found["ok"], found["differs"]) == (False, [words])


@pytest.mark.parametrize("pid, changed, words", [
    (102, {"cpus": "0-7"}, "CPUs of VLLM::Worker_TP0 (process 102): wanted within 0-3, found 0-7"),
    (103, {"memlock": "65536"}, "limit memlock of VLLM::Worker_TP1 (process 103): wanted unlimited, found 65536 (R15)"),
    (103, {"pages": "N1=262144"}, "memory of VLLM::Worker_TP1: wanted on NUMA node 0, found 0 % there of 1024 MiB "
                                  "(node 1: 1024 MiB); at least 90 % is wanted")])
def test_a_worker_that_differs(root, serves, pid, changed, words):
    process(root, pid, ["VLLM::Worker_TP%d" % (pid - 102)], **changed)
    found = verify.look(Node(root), deployment(), asker(serves))
    assert (found["ok"], found["differs"]) == (False, [words])


@pytest.mark.parametrize("changed, words", [
    ({"slice": "gpuwright.slice"}, "slice: wanted gpuwright.slice, found /ai.slice"),
    ({"visible": {"CUDA_VISIBLE_DEVICES": "1"}}, "CUDA_VISIBLE_DEVICES: wanted 1, found 0"),
    ({"command": COMMAND[:-1] + ["/etc/vllm/new.yaml"]},
     "command: wanted %s, found /opt/gpuwright/vllm-0.33.0/bin/python3 %s" % (
         " ".join(COMMAND[:-1] + ["/etc/vllm/new.yaml"]), " ".join(COMMAND)))])
def test_a_unit_that_differs(root, serves, changed, words):
    found = verify.look(Node(root), deployment(**changed), asker(serves))
    assert (found["ok"], found["differs"]) == (False, [words])


def test_files_that_systemd_has_not_read(root, serves):
    found = verify.look(Node(root, NeedDaemonReload="yes"), deployment(), asker(serves))
    assert found["differs"] == ["unit: its files changed after systemd read them"]


def test_isolated_cpus(root, serves):
    put(root, "/sys/devices/system/cpu/isolated", "3")
    found = verify.look(Node(root), deployment(), asker(serves))
    assert "3 are isolated: the kernel balances no threads there (R1)" in found["differs"][0]


def test_it_still_starts(root):
    found = verify.look(Node(root), deployment(), nobody)
    assert (found["ok"], found["differs"]) == (None, [])
    assert found["facts"]["waits_for"] == "waits for /health: nobody listens on http://127.0.0.1:8000"
    assert verify.look(Node(root, ActiveState="activating", SubState="start"), deployment(), nobody)["ok"] is None


@pytest.mark.parametrize("unit, words", [
    ({"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainStatus": "1"},
     "unit vllm@llama.service is failed (failed): its main process ended with status 1: KeyError: '(hidden)'"),
    ({"ActiveState": "activating", "SubState": "auto-restart", "Result": "signal", "ExecMainStatus": "9"},
     "unit vllm@llama.service is activating (auto-restart): its main process ended (signal) with status 9: "
     "KeyError: '(hidden)'"),
    ({"ActiveState": "failed", "SubState": "failed", "Result": "start-limit-hit", "NRestarts": "5"},
     "unit vllm@llama.service is failed (failed): its main process ended (start-limit-hit); systemd started it again 5 "
     "times: KeyError: '(hidden)'"),
    ({"NRestarts": "1"}, "unit vllm@llama.service does not stay up: its main process ended, and systemd started it "
                         "again 1 time; now it is active (running): KeyError: '(hidden)'")])
def test_it_ended_and_why(root, unit, words):
    host = Node(root, "loading\nKeyError: 'MINE'\n", **unit)
    found = verify.look(host, deployment(), nobody, ["MINE"])
    assert (found["ok"], found["differs"]) == (False, [words])
    assert found["facts"]["log"] == ["loading", "KeyError: '(hidden)'"]


@pytest.mark.parametrize("unit, start", [
    ({"ActiveState": "failed", "SubState": "failed"}, "0af1"), ({"SubState": "auto-restart"}, "0af1"),
    ({"NRestarts": "1"}, "07e1")])
def test_the_log_that_is_read_is_that_of_the_start_that_failed(root, unit, start):
    host, asked = Node(root, **unit), []
    host.run = lambda argv, *rest, **options: asked.append(argv) or Node.run(host, argv, *rest, **options)
    verify.look(host, dict(deployment(), invocations={"vllm@llama.service": "07e1"}), nobody)
    assert asked[-1][0] == "journalctl" and asked[-1][-1] == "INVOCATION_ID=" + start


def test_an_engine_that_died_once_and_serves_now_is_told_of(root, serves):
    found = verify.look(Node(root, NRestarts="1"), deployment(), asker(serves))
    assert found["ok"] is True and found["facts"]["restarts"] == 1


@pytest.mark.parametrize("kind", ["venv", "podman"])
def test_a_stranger_at_the_port_is_named_and_gets_no_key(root, kind):
    put(root, "/proc/net/tcp", "  sl  local_address\n   0: 00000000:1F40 00000000:0000 0A 0:0 00:0 0 0 0 4711 1 0 100")
    for pid, inode in ((100, 1), (666, 4711)):
        (root / "proc" / str(pid) / "fd").mkdir(parents=True)
        (root / "proc" / str(pid) / "fd" / "3").symlink_to("socket:[%d]" % inode)
    process(root, 666, ["/usr/bin/other", "--key", "MINE"])
    made = deployment()
    made["instance"]["engine"]["kind"] = kind
    found = verify.look(Node(root), made, forbidden)
    assert found["ok"] is False
    assert found["differs"] == ["port 8000: wanted by this instance, found with /usr/bin/other (process 666)"]


def test_who_has_the_same_port_at_another_address_is_no_stranger(root):
    put(root, "/proc/net/tcp", "  sl  local_address\n   0: 0200000A:1F40 00000000:0000 0A 0:0 00:0 0 0 0 4711 1 0 100")
    for pid, inode in ((100, 1), (666, 4711)):
        (root / "proc" / str(pid) / "fd").mkdir(parents=True)
        (root / "proc" / str(pid) / "fd" / "3").symlink_to("socket:[%d]" % inode)
    process(root, 666, ["/usr/bin/other"])
    made = deployment()
    made["instance"]["listen"] = "10.0.0.1"
    assert verify.look(Node(root), made, nobody)["ok"] is None
    made["instance"]["listen"] = "10.0.0.2"
    assert "found with /usr/bin/other" in verify.look(Node(root), made, forbidden)["differs"][0]


def test_a_node_of_workers_is_asked_nothing(root):
    several = {"nnodes": 2, "node_rank": 1, "distributed": "native"}
    sizes = {"tensor-parallel-size": 4, "pipeline-parallel-size": 1, "data-parallel-size": 1,
             "prefill-context-parallel-size": 1}
    made = deployment(several=several, arguments={"headless": True}, sizes=sizes)
    found = verify.look(Node(root), made, forbidden)
    assert (found["ok"], found["differs"]) == (True, [])
    assert found["facts"]["completion"] == "not asked for: the API is on the first node"
    process(root, 103, ["python3"])
    found = verify.look(Node(root), made, forbidden)
    assert found["ok"] is None
    assert found["facts"]["waits_for"] == "workers: wanted 2, found 1 (VLLM::Worker_TP0 (process 102))"


@pytest.mark.parametrize("state, unit, ok", [
    ("stopped", {"ActiveState": "inactive", "SubState": "dead"}, True),
    ("absent", {"ActiveState": "failed", "SubState": "failed"}, True),
    ("stopped", {"ActiveState": "deactivating", "SubState": "stop-sigterm"}, None), ("stopped", {}, False)])
def test_one_that_shall_not_run(root, state, unit, ok):
    found = verify.look(Node(root, **unit), deployment(state), forbidden)
    assert found["ok"] is ok
    assert found["differs"] == ([] if ok is not False else ["unit: wanted stopped, found active (running)"])


def test_a_systemd_that_does_not_answer(root):
    found = verify.look(Node(root, ActiveState=None), deployment(), forbidden)
    assert (found["ok"], found["differs"]) == (False, ["systemctl: no answer after 10 s"])


def of_docker(**changed):
    made = deployment(**changed)
    made["instance"]["engine"] = {"kind": "docker", "version": "0.32.0"}
    return made


class Docker(Node):
    """The same with Docker, whose daemon has the container's processes elsewhere than in the unit."""

    def run(self, argv, seconds=10, changes=True):
        """docker inspect, and the rest."""
        if argv[0] != "docker":
            return super().run(argv, seconds, changes)
        assert argv[1:] == ["inspect", "--format", "{{.State.Pid}}", "vllm-llama"] and not changes
        return (1, "", "Cannot connect to the Docker daemon") if self.log == "away" else (0, "100\n", "")


@pytest.mark.parametrize("slice_name, cpus, words", [
    ("ai", "0-3", None), ("ai", "0-2", "CPUs of"), ("system", "0-3", "slice: wanted ai.slice, found /system.slice")])
def test_docker_s_processes_are_looked_at_where_its_daemon_has_them(root, serves, slice_name, cpus, words):
    group = "/%s.slice/docker-%s.scope" % (slice_name, "ab" * 32)
    put(root, "/proc/100/cgroup", "0::" + group)
    put(root, "/sys/fs/cgroup%s/cgroup.procs" % group, "100\n101\n102\n103")
    node = Docker(root, MainPID="9", ControlGroup="/system.slice/vllm@llama.service")
    found = verify.look(node, of_docker(cpus=cpus), asker(serves))
    assert len(found["facts"]["workers"]) == 2
    assert found["ok"] is True if words is None else [one for one in found["differs"] if words in one], found


def test_where_docker_does_not_say_its_processes_that_is_said(root, serves):
    node = Docker(root, log="away", MainPID="9", ControlGroup="/system.slice/vllm@llama.service")
    found = verify.look(node, of_docker(), asker(serves))
    assert (found["ok"], found["differs"]) == (True, [])
    assert "vllm-llama: Cannot connect" in found["facts"]["not_seen"][0]
