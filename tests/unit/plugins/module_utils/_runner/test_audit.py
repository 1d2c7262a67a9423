# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the audit: drift and findings are named, nothing is written, and what cannot be judged is no pass."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _conflicts
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._rules.finding import finding
from ansible_collections.gpuwright.node.plugins.module_utils._runner import desired, install, switch
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

from tests.sysroots import engine, plain_node


@pytest.fixture(name="node")
def fixture_node(tmp_path):
    """A host with three roles applied."""
    root = plain_node.build(tmp_path / "node")
    for role, values in engine.DEFAULTS.items():
        engine.apply(root, role, values)
    return root


def test_a_node_as_it_was_asked_for_is_clean(node, command):
    before = plain_node.snapshot(node)
    status, said, errors = command(node, "audit")
    assert (status, errors) == (0, "") and "vm: 10 settings: 10 ok\n" in said
    assert said.splitlines()[-1].startswith("all roles (3): 14 settings: 14 ok")
    assert plain_node.snapshot(node) == before


def test_every_kind_of_setting_is_judged_and_what_drifts_is_named_with_its_reason(node, command):
    plain_node.put(node, "/proc/sys/vm/swappiness", "60")
    (node / "etc/tmpfiles.d/90-gpuwright-thp.conf").unlink()
    plain_node.put(node, "/etc/sysctl.d/99-theirs.conf", "kernel.panic = 0")
    before = plain_node.snapshot(node)
    status, said, _errors = command(node, "audit")
    lines = {line.split()[0]: line.split() for line in said.splitlines() if line.startswith("  ")}
    assert status == 1
    assert lines["vm.swappiness"] == ["vm.swappiness", "60", "10", "drift", "running", "60"]
    assert lines["transparent_hugepage/enabled"][3:] == ["drift", "not", "persisted"]
    assert lines["kernel.panic"][3] == "conflict" and "/etc/sysctl.d/99-theirs.conf:1" in lines["kernel.panic"]
    assert "vm.max_map_count" not in lines and "14 settings: 10 ok, 1 conflict, 3 drift" in said
    assert plain_node.snapshot(node) == before


def test_all_lists_what_is_right_too(node, command):
    assert "  vm.max_map_count           1048576  1048576  ok" in command(node, "audit", "--all")[1]


def test_json_is_the_plan(node, command):
    plain_node.put(node, "/proc/sys/vm/swappiness", "60")
    status, said, _errors = command(node, "audit", "--json")
    told = json.loads(said)
    steps = {step["target"]: step for step in told["roles"]["vm"]["settings"]}
    assert status == 1 and told["schema"] == 1 and told["problems"] == {}
    assert (steps["vm.swappiness"]["status"], steps["vm.max_map_count"]["status"]) == ("drift", "ok")
    assert not any(key.startswith("_") for step in steps.values() for key in step)


def test_a_role_that_was_never_applied_is_not_judged(tmp_path, command):
    root = plain_node.build(tmp_path)
    assert command(root, "audit") == (0, "nothing to judge: no role was applied to this node\n", "")


def test_a_line_of_nccls_file_that_somebody_changed_is_drift(node, command):
    plain_node.put(node, "/sys/class/infiniband/mlx5_0/ports/1/state", "4: ACTIVE")
    plain_node.put(node, "/sys/class/infiniband/mlx5_0/ports/1/link_layer", "InfiniBand")
    derived = {"NCCL_IB_HCA": {"value": "=mlx5_0:1", "why": "1 RDMA port that serves GPU 0 (gpu_nics)"}}
    engine.apply(node, "nccl_env", {"NCCL_IB_HCA": "=mlx5_0:1", "NCCL_DEBUG": "WARN"},
                 options={"nccl_env_derived": derived})
    status, said, errors = command(node, "audit")
    assert (status, errors) == (0, "") and "nccl_env: 2 settings: 2 ok\n" in said
    assert "  NCCL_IB_HCA  =mlx5_0:1  =mlx5_0:1  ok      as it was applied: 1 RDMA port that" in command(
        node, "audit", "--all")[1]
    conf = node / "etc/nccl.conf"
    conf.write_text(conf.read_text().replace("WARN", "INFO"))
    before = plain_node.snapshot(node)
    status, said, _errors = command(node, "audit")
    assert status == 1 and "  NCCL_DEBUG  INFO     WARN     drift   running INFO, persisted as INFO\n" in said
    assert "nccl_env: 2 settings: 1 ok, 1 drift\n" in said and plain_node.snapshot(node) == before


@pytest.mark.parametrize("severity, expected", [("E", 1), ("W", 1), ("I", 0)])
def test_findings_of_rules_count_but_for_notes(node, command, monkeypatch, severity, expected):
    monkeypatch.setattr(ROLES["vm"], "RULES", [lambda view: [finding("R0", severity, None, "look here")]])
    monkeypatch.setattr(ROLES["numa"], "RULES", ())
    status, said, _errors = command(node, "audit")
    assert status == expected and "  %s R0: look here\n" % severity in said


def test_a_role_that_cannot_be_judged_is_no_pass_and_hides_no_drift(node, command):
    plain_node.put(node, desired.path("thp"), "{")
    status, said, _errors = command(node, "audit")
    assert status == 2 and "thp: not judged: /etc/gpuwright/desired/thp.json is damaged" in said
    assert said.splitlines()[-1].endswith("1 role not judged")
    plain_node.put(node, "/proc/sys/vm/swappiness", "60")
    assert command(node, "audit")[0] == 1


def test_what_cannot_be_read_is_no_pass(node, command):
    (node / "proc/sys/vm/swappiness").unlink()
    (node / "proc/sys/vm/swappiness").mkdir()
    status, said, _errors = command(node, "audit")
    assert status == 2 and "1 unreadable" in said and "Is a directory" in said


def test_an_owner_that_is_none_any_more_is_no_pass(node, command, monkeypatch):
    monkeypatch.setattr(_conflicts, "check_owners", _raise)
    assert command(node, "audit")[0] == 2


def _raise(host, names):
    raise _conflicts.UnknownOwner("gone")


def test_files_of_the_runner_that_are_not_as_it_wrote_them_are_drift(root, command):
    """Role probe asks for what nothing persists, so that the runner has to be there."""
    status, said, _errors = command(root, "audit")
    assert status == 1 and "  %s is not as the node runner wrote it" % install.SERVICE in said


def test_a_runner_that_is_off_is_said(node, command):
    plain_node.put(node, switch.DISABLED, "")
    status, said, _errors = command(node, "audit")
    assert status == 0 and said.splitlines()[-1] == "note: the runner is off: /etc/gpuwright/disabled exists"


def test_metrics_are_written_beside_what_is_said(node, command, tmp_path):
    plain_node.put(node, "/proc/sys/vm/swappiness", "60")
    status, said, _errors = command(node, "audit", "--prometheus", str(tmp_path / "x.prom"))
    text = (tmp_path / "x.prom").read_text()
    assert status == 1 and "running 60" in said
    assert 'gpuwright_settings{role="vm",status="drift"} 1\n' in text and "gpuwright_disabled 0\n" in text
    assert os.stat(tmp_path / "x.prom").st_mode & 0o777 == 0o644  # node_exporter runs as nobody in particular.


def test_switched_off_the_metrics_say_only_that(node, command, tmp_path, monkeypatch):
    plain_node.put(node, "/proc/cmdline", "gpuwright=off")
    (tmp_path / "x.prom").write_text('gpuwright_settings{role="vm",status="drift"} 1\n')
    monkeypatch.setattr(Host, "now", staticmethod(lambda: 77))
    status, said, _errors = command(node, "audit", "--prometheus", str(tmp_path / "x.prom"))
    assert (status, said) == (0, "nothing is judged: the kernel argument gpuwright=off is given\n")
    text = (tmp_path / "x.prom").read_text()
    assert "gpuwright_disabled 1\n" in text and "timestamp_seconds 77\n" in text and "gpuwright_settings" not in text


@pytest.mark.parametrize("path, words", [("x.prom", "must be an absolute path"), ("/no/such/x.prom", "No such file")])
def test_metrics_that_cannot_be_written_are_an_error(node, command, path, words):
    status, _said, errors = command(node, "audit", "--prometheus", path)
    assert status == 2 and errors.startswith("gpuwright audit: ") and words in errors
