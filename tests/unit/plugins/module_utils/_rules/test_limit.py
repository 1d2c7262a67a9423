# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on what limits jobs besides the settings: limit-services, limit-stack, limit-slurm, limit-logins,
R15 where Docker's configuration is the cause, and R35.
"""

from __future__ import annotations

import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _guard
from ansible_collections.gpuwright.node.plugins.module_utils._limit_values import Limit
from ansible_collections.gpuwright.node.plugins.module_utils._row import logind, pam_limit
from ansible_collections.gpuwright.node.plugins.module_utils._rules import limit as rules
from ansible_collections.gpuwright.node.plugins.module_utils._values import Word

from tests.sysroots import plain_node, service_node
from tests.sysroots.plain_node import put
from tests.sysroots.service_node import LIB, SLURMD, Services

WORDS = {"variable": "x", "doc": "A row.", "source": "https://example.org/"}
JOB = 800


def view(root, steps=(), gpus=0, **options):
    """What the rules look at, with as many GPUs as are said."""
    made = _guard.View(types.SimpleNamespace(steps=list(steps), host=Services(str(root)), journal={}), options)
    made.topology = {"gpus": [{"index": number} for number in range(gpus)]}.__getitem__
    return made


def step(row, desired, status="ok", running=None):
    return {"name": row.name, "kind": row.kind, "status": status, "desired": desired, "running": running or desired,
            "_row": row}


def messages(found, rule):
    assert {(one["rule"], one["severity"]) for one in found} <= {(rule, "W")}
    return [one["message"] for one in found]


@pytest.mark.parametrize("named, words", [
    (["slurmdd.service"], "did you mean slurmd.service?"), (["dockr"], "did you mean docker.service?"),
    (["slurmd.service", "docker", "containerd.service"], None), ("slurmdd.service", None), (None, None)])
def test_a_service_that_nobody_knows_is_named_with_the_nearest(tmp_path, named, words):
    found = messages(rules.services_are_known(view(service_node.build(tmp_path), rdma_roce_services=named)),
                     "limit-services")
    assert len(found) == (words is not None) and all(words in text and "rdma_roce_services" in text for text in found)


@pytest.mark.parametrize("soft, named", [("unlimited", True), ("8388608", False)])
def test_a_job_with_a_stack_without_end_is_named(tmp_path, soft, named):
    limits = service_node.LIMITS.replace("8388608              unlimited", soft + "              unlimited")
    root = service_node.build(tmp_path, **{"/proc/%d/limits" % JOB: limits % ("1024", "524288")})
    plain_node.process(root, JOB, "python3", "/dev/nvidia0")
    plain_node.process(root, JOB + 1, "gone", "/dev/nvidia1")
    found = messages(rules.stack(view(root)), "limit-stack")
    assert len(found) == named and all("process 800 (python3)" in text and "LimitSTACK=8M" in text for text in found)


@pytest.mark.parametrize("text, warned", [
    ("ClusterName=x", True), ("PropagateResourceLimits=ALL", True), ("propagateresourcelimits = NOFILE,MEMLOCK", True),
    ("#PropagateResourceLimitsExcept=MEMLOCK", True), ("PropagateResourceLimitsExcept=MEMLOCK", False),
    ("PropagateResourceLimitsExcept=NOFILE,memlock", False), ("PropagateResourceLimits=NONE", False),
    ("PropagateResourceLimits=CORE", False)])
def test_slurm_that_hands_on_the_limits_of_a_shell(tmp_path, text, warned):
    root = service_node.build(tmp_path, **{"/etc/slurm/slurm.conf": text})
    found = messages(rules.slurm_propagates(view(root)), "limit-slurm")
    assert len(found) == warned and all("PropagateResourceLimitsExcept=MEMLOCK" in one for one in found)


def test_slurm_that_is_not_here_is_no_matter(tmp_path):
    assert rules.slurm_propagates(view(service_node.build(tmp_path))) == []
    put(tmp_path, "/etc/slurm/slurm.conf", "ClusterName=x")
    (tmp_path / (LIB + SLURMD)[1:]).unlink()
    assert rules.slurm_propagates(view(tmp_path)) == []


@pytest.mark.parametrize("text, rule, words", [
    ('{"default-ulimits": {"memlock": {"Name": "memlock", "Hard": 65536, "Soft": 65536}}}', "R15", "65536 bytes"),
    ('{"default-ulimits": {"stack": {"Name": "stack", "Hard": -1, "Soft": -1}}}', "limit-stack", "without end"),
    ('{"default-ulimits": {"memlock": {"Name": "memlock", "Hard": -1, "Soft": -1}}}', "R15", None),
    ('{"default-ulimits": []}', "R15", None), ("{}", "R15", None), ("{ damaged", "R15", None), ("", "R15", None)])
def test_what_docker_gives_to_containers(tmp_path, text, rule, words):
    root = service_node.build(tmp_path, **{"/etc/docker/daemon.json": text})
    found = messages(rules.docker_ulimits(view(root)), rule)
    assert len(found) == (words is not None) and all(words in one and "daemon.json" in one for one in found)


MEMLOCK = pam_limit("memlock", Limit(), **WORDS)


@pytest.mark.parametrize("files, words", [
    ({"/etc/security/limits.d/20.conf": "@students hard memlock 64"}, ["20.conf:1 gives @students 64"]),
    ({"/etc/security/limits.d/20.conf": "@students hard memlock unlimited\n@students - nofile 64"}, []),
    ({"/etc/ssh/sshd_config": "Port 22"}, ["UsePAM yes"]), ({"/etc/ssh/sshd_config": "UsePAM yes"}, []), ({}, [])])
def test_logins_that_are_not_reached(tmp_path, files, words):
    root = service_node.build(tmp_path, **files)
    found = messages(rules.logins(view(root, [step(MEMLOCK, "infinity", "drift")])), "limit-logins")
    assert len(found) == len(words) and all(part in text for part, text in zip(words, found))
    assert rules.logins(view(root, [step(MEMLOCK, "infinity", "not_applicable")])) == []


@pytest.mark.parametrize("options, gpus, small", [
    ("rw,nosuid,nodev,size=65536k,inode64", 1, True), ("rw,size=4194304k", 8, True), ("rw,size=8388608k", 8, False),
    ("rw,nosuid,nodev,inode64", 8, False), ("rw,size=65536k", 0, False)])
def test_shared_memory_of_the_node(tmp_path, options, gpus, small):
    root = service_node.build(tmp_path, **{"/proc/mounts": "tmpfs /dev/shm tmpfs %s 0 0" % options})
    found = messages(rules.r35_shm(view(root, gpus=gpus)), "R35")
    assert len(found) == small and all("for %d GPUs" % gpus in text for text in found)


@pytest.mark.parametrize("own, small", [
    ("shm /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k,inode64 0 0", True),
    ("shm /dev/shm tmpfs rw,size=16777216k 0 0", False), ("tmpfs /dev/shm tmpfs rw,nosuid 0 0", False)])
def test_shared_memory_of_a_container(tmp_path, own, small):
    root = service_node.build(tmp_path, **{
        "/proc/mounts": "tmpfs /dev/shm tmpfs rw,nosuid 0 0",
        "/proc/%d/mounts" % JOB: "overlay / overlay rw 0 0\n" + own})
    plain_node.process(root, JOB, "python3", "/dev/nvidia0")
    found = messages(rules.r35_shm(view(root, gpus=8)), "R35")
    assert len(found) == small and all("process 800 (python3) has 64 MiB" in text for text in found)


IPC = logind("RemoveIPC", Word("yes", "no"), **WORDS)


@pytest.mark.parametrize("steps, files, gpus, warned", [
    ([], {}, 8, True), ([], {}, 1, False), ([], {}, 0, False),
    ([], {"/etc/systemd/logind.conf": "RemoveIPC=no"}, 8, False),
    ([], {LIB + "systemd-logind.service": None}, 8, False),
    ([step(IPC, "no", "drift", "yes")], {}, 8, False), ([step(IPC, "no", "conflict", "yes")], {}, 8, True),
    ([step(IPC, "yes")], {"/etc/systemd/logind.conf": "RemoveIPC=no"}, 8, True)])
def test_shared_memory_that_goes_with_a_logout(tmp_path, steps, files, gpus, warned):
    found = messages(rules.r35_remove_ipc(view(service_node.build(tmp_path, **files), steps, gpus)), "R35")
    assert len(found) == warned
