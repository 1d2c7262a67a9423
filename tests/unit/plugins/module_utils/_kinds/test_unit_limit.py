# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind unit_limit: drop-ins for services that are installed, and what runs raised at once and given back."""

from __future__ import annotations

import functools
import shutil
import subprocess
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import unit_limit
from ansible_collections.gpuwright.node.plugins.module_utils._limit_values import Limit
from ansible_collections.gpuwright.node.plugins.module_utils._row import unit_limit as row

from tests.sysroots import service_node
from tests.sysroots.plain_node import put
from tests.sysroots.service_node import DOCKER, LIB, PID, SLURMD, UNITS, Services

WORDS = {"doc": "A row.", "source": "https://example.org/", "devices": "rdma_roce_services"}
CATALOGUE = types.SimpleNamespace(
    ROWS=(row("LimitMEMLOCK", Limit(), variable="m", **WORDS), row("LimitNOFILE", Limit(), variable="n", **WORDS),
          row("LimitSTACK", Limit(endless="threads get 2 MB"), variable="s", **WORDS)),
    OPTIONS=({"name": "rdma_roce_services", "type": "list", "doc": "Services."},), RULES=())
SERVICES = ["slurmd.service", "docker.service", "containerd.service"]
VALUES = {"LimitMEMLOCK": "infinity", "LimitNOFILE": 1048576}
DOCKERS = UNITS + "/docker.service.d/90-gpuwright-rdma_roce-limits.conf"


def plan(host, values=None, services=None):
    asked = {"origins": {}, "take_over": [], "allow": [], "options": {"rdma_roce_services": services or SERVICES}}
    return _plan.build(host, "rdma_roce", CATALOGUE, VALUES if values is None else values, asked)


def apply(root, values=None, services=None, **words):
    host = Services(str(root), read_only=False, **words)
    return _apply.apply(functools.partial(plan, host, values, services), {"what": "test"}), host


def roll_back(root):
    host = Services(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))


def by_target(made):
    return {step["target"]: step for step in made.steps}


def test_limits_go_round_without_a_restart(tmp_path):
    root = service_node.build(tmp_path)
    before = service_node.snapshot(root)
    planned = by_target(plan(Services(str(root))))
    assert {target: step["status"] for target, step in planned.items()} == {
        "docker.service/LimitMEMLOCK": "drift", "docker.service/LimitNOFILE": "drift",
        "slurmd.service/LimitMEMLOCK": "ok", "slurmd.service/LimitNOFILE": "drift"}
    assert service_node.snapshot(root) == before
    made, host = apply(root)
    assert [step.get("error") for step in made.steps] == [None] * 4 and host.asked == ["systemctl daemon-reload"]
    assert (root / DOCKERS[1:]).read_text().endswith(
        "# docker.service\n[Service]\nLimitMEMLOCK=infinity\nLimitNOFILE=1048576\n")
    assert service_node.limits_of(root)["Max open files"] == ("1048576", "1048576")
    assert service_node.limits_of(root)["Max locked memory"] == ("unlimited", "unlimited")
    assert {step["status"] for step in plan(Services(str(root))).steps} == {"ok"}
    assert apply(root)[1].asked == []
    assert roll_back(root).errors == []
    assert service_node.snapshot(root) == before


def test_what_a_unit_gives_already_gets_no_line_of_ours(tmp_path):
    root = service_node.build(tmp_path)
    step = by_target(plan(Services(str(root)), {"LimitMEMLOCK": "64M"}))["slurmd.service/LimitMEMLOCK"]
    assert step["status"] == "ok" and LIB + SLURMD in step["reason"]


@pytest.mark.parametrize("file", ["/etc/systemd/system.conf", "/etc/systemd/system.conf.d/50-site.conf"])
def test_systemds_own_default_counts_as_given(tmp_path, file):
    root = service_node.build(tmp_path, **{
        file: "[Manager]\nDefaultLimitMEMLOCK=infinity", "/proc/%d/limits" % PID: service_node.LIMITS.replace(
            "8388608              8388608 ", "unlimited            unlimited ") % ("1024", "524288")})
    step = by_target(plan(Services(str(root)), {"LimitMEMLOCK": "1G"}))["docker.service/LimitMEMLOCK"]
    assert step["status"] == "ok" and file in step["reason"]


def test_a_higher_running_limit_is_not_lowered(tmp_path):
    root = service_node.build(tmp_path)
    made, _host = apply(root, {"LimitNOFILE": 4096}, ["docker"])
    assert (made.steps[0]["target"], made.steps[0].get("error")) == ("docker.service/LimitNOFILE", None)
    assert service_node.limits_of(root)["Max open files"] == ("4096", "524288")


def test_a_later_drop_in_that_gives_less_is_named(tmp_path):
    later = "%s/%s.d/95-site.conf" % (UNITS, DOCKER)
    root = service_node.build(tmp_path, **{later: "[Service]\nLimitNOFILE=65536"})
    step = by_target(plan(Services(str(root)), {"LimitNOFILE": 1048576}))["docker.service/LimitNOFILE"]
    assert step["status"] == "conflict" and later + ":2" in step["reason"]
    put(root, later, "[Service]\nLimitNOFILE=infinity")
    step = by_target(plan(Services(str(root)), {"LimitNOFILE": 1048576}))["docker.service/LimitNOFILE"]
    assert step["status"] == "drift"


def test_a_drop_in_for_all_services_counts_too(tmp_path):
    root = service_node.build(tmp_path, **{"/etc/systemd/system/service.d/99-all.conf": "[Service]\nLimitNOFILE=9999"})
    step = by_target(plan(Services(str(root)), {"LimitNOFILE": 1048576}))["docker.service/LimitNOFILE"]
    assert step["status"] == "conflict" and "99-all.conf:2" in step["reason"]


def test_more_files_than_the_kernel_allows_are_said(tmp_path):
    root = service_node.build(tmp_path)
    made, _host = apply(root, {"LimitNOFILE": 2097152}, ["docker.service"])
    assert "fs.nr_open is 1048576" in made.steps[0]["error"]


def test_a_process_that_ended_meanwhile_is_no_error_for_the_next_start_has_it(tmp_path):
    root = service_node.build(tmp_path)
    host = Services(str(root), read_only=False, ended=(PID,))
    unit_limit.write(host, "docker.service/LimitNOFILE", LIB + DOCKER, "4096")
    assert service_node.limits_of(root)["Max open files"] == ("1024", "524288")


def test_processes_that_run_already_are_said_to_keep_theirs(tmp_path):
    root = service_node.build(tmp_path)
    _made, host = apply(root, {"LimitNOFILE": 1048576})
    assert [note for note in host.notes if "1 more processes of docker.service" in note]
    assert service_node.limits_of(root, PID + 1)["Max open files"] == ("1024", "524288")


def test_a_stack_without_end_gets_one(tmp_path):
    root = service_node.build(tmp_path, **{"/proc/%d/limits" % PID: (service_node.LIMITS % ("1024", "524288")).replace(
        "8388608              unlimited", "unlimited            unlimited")})
    made, _host = apply(root, {"LimitSTACK": "8M"}, ["docker"])
    assert (made.steps[0]["running"], made.steps[0]["after"]) == ("unlimited", "8388608:infinity")
    assert (root / DOCKERS[1:]).read_text().endswith("LimitSTACK=8388608:infinity\n")
    assert by_target(plan(Services(str(root)), {"LimitSTACK": "8M"}))["docker.service/LimitSTACK"]["status"] == "ok"
    assert roll_back(root).errors == []
    assert service_node.limits_of(root)["Max stack size"] == ("unlimited", "unlimited")


def test_a_service_that_was_started_anew_comes_back_to_what_its_unit_gives(tmp_path):
    root = service_node.build(tmp_path)
    apply(root, {"LimitNOFILE": 1048576})
    (root / ("sys/fs/cgroup/system.slice/%s/cgroup.procs" % DOCKER)).unlink()
    assert roll_back(root).errors == [] and not (root / DOCKERS[1:]).exists()


def test_an_alias_is_the_unit_it_leads_to(tmp_path):
    root = service_node.build(tmp_path, **{LIB + "ssh.service": "[Service]"})
    (root / "etc/systemd/system/sshd.service").symlink_to(LIB + "ssh.service")
    made = plan(Services(str(root)), {"LimitNOFILE": 4096}, ["sshd.service", "ssh.service"])
    assert [step["target"] for step in made.steps] == ["ssh.service/LimitNOFILE"]


def test_an_instance_of_a_template_has_a_drop_in_of_its_own(tmp_path):
    root = service_node.build(tmp_path, **{LIB + "vllm@.service": "[Service]"})
    made = plan(Services(str(root)), {"LimitNOFILE": 4096}, ["vllm@a.service"])
    assert made.steps[0]["file"] == UNITS + "/vllm@a.service.d/90-gpuwright-rdma_roce-limits.conf"


@pytest.mark.parametrize("masked", [False, True])
def test_services_that_are_not_installed_are_left_out(tmp_path, masked):
    root = service_node.build(tmp_path)
    if masked:
        (root / "etc/systemd/system/containerd.service").symlink_to("/dev/null")
        put(root, "/dev/null", "")
    made = plan(Services(str(root)), {"LimitNOFILE": 4096}, ["containerd.service"])
    assert [(step["status"], step["reason"]) for step in made.steps] == [("not_applicable", unit_limit.ABSENT)]


def test_a_service_that_was_removed_has_no_original(tmp_path):
    root = service_node.build(tmp_path)
    apply(root, {"LimitNOFILE": 1048576}, ["docker"])
    (root / (LIB + DOCKER)[1:]).unlink()
    made = roll_back(root)
    assert made.errors == [] and made.steps[0]["status"] == "not_applicable" and not (root / DOCKERS[1:]).exists()


def test_a_reload_that_fails_is_said(tmp_path):
    made, _host = apply(service_node.build(tmp_path), {"LimitNOFILE": 4096}, ["docker"],
                        fails=("systemctl daemon-reload",))
    assert "daemon-reload: Failed" in made.steps[0]["error"]


def test_the_real_kernel_raises_a_process_and_takes_it_back(monkeypatch):
    child = subprocess.Popen(["sleep", "600"])
    try:
        host, target = Host(read_only=False), "x.service/LimitCORE"
        monkeypatch.setattr(unit_limit.limits, "main_process", lambda _host, _unit: child.pid)
        monkeypatch.setattr(unit_limit.limits, "canonical", lambda _host, unit: unit)
        host.set_limit(child.pid, "CORE", (4096, 8192))
        unit_limit.write(host, target, "/x.service", "6144")
        assert unit_limit.read(host, target, "/x.service") == "6144:8192"
        unit_limit.write(host, target, "/x.service", "4096:8192")
        assert unit_limit.read(host, target, "/x.service") == "4096:8192"
    finally:
        child.kill()
        child.wait()


if shutil.which("systemd-analyze"):
    def test_systemd_takes_our_drop_in(tmp_path):
        place = tmp_path / "etc/systemd/system"
        (place / "x.service.d").mkdir(parents=True)
        (place / "x.service").write_text("[Service]\nExecStart=/bin/true\n")
        entries = [("x.service/" + name, "", value) for name, value in
                   (("LimitMEMLOCK", "infinity"), ("LimitNOFILE", "1048576"), ("LimitSTACK", "8388608"))]
        for text, wrong in ((unit_limit.compose("# head\n", entries), False), ("[Service]\nLimitSTACK=much\n", True)):
            (place / "x.service.d/90.conf").write_text(text)
            said = subprocess.run(["systemd-analyze", "verify", "--man=no", str(place / "x.service")],
                                  capture_output=True, text=True, check=False).stderr
            assert ("90.conf" in said) is wrong
