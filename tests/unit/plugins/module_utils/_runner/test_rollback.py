# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of rollback on the node: the same as the module, with words for a person."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._runner import main

from tests.sysroots import engine, plain_node


@pytest.fixture(name="node")
def fixture_node(tmp_path):
    """A host with two roles applied."""
    root = plain_node.build(tmp_path / "node")
    for role in ("vm", "numa"):
        engine.apply(root, role, engine.DEFAULTS[role])
    return root


def texts(root):
    """A snapshot without the newlines that a kernel would not keep either."""
    return {path: what if isinstance(what, str) else (what[0].rstrip(), what[1])
            for path, what in plain_node.snapshot(root).items()}


def test_everything_comes_back(node, command, tmp_path):
    status, said, errors = command(node, "rollback")
    assert (status, errors) == (0, "") and said.splitlines()[-1].endswith("files given back")
    assert "  vm.swappiness " in said and "file /etc/sysctl.d/90-gpuwright-vm.conf: as it was before us" in said
    assert texts(node) == texts(plain_node.build(tmp_path / "fresh"))
    assert command(node, "rollback") == (0, "nothing to give back\n", "")


def test_a_check_changes_nothing_and_says_that_something_would(node, command):
    before = plain_node.snapshot(node)
    status, said, _errors = command(node, "rollback", "--check")
    assert status == 1 and said.splitlines()[-1].endswith("nothing was changed, this was a check")
    assert plain_node.snapshot(node) == before


def test_one_role_alone(node, command):
    assert command(node, "rollback", "--role", "numa")[0] == 0
    assert (node / "etc/sysctl.d/90-gpuwright-vm.conf").exists()
    assert not (node / "etc/sysctl.d/90-gpuwright-numa.conf").exists()


def test_nccls_file_goes_and_the_one_before_us_comes_back(node, command):
    plain_node.put(node, "/sys/class/infiniband/mlx5_0/ports/1/state", "4: ACTIVE")
    plain_node.put(node, "/sys/class/infiniband/mlx5_0/ports/1/link_layer", "InfiniBand")
    plain_node.put(node, "/etc/nccl.conf", "NCCL_IB_HCA=mlx5  # theirs")
    before = texts(node)
    engine.apply(node, "nccl_env", {"NCCL_IB_HCA": "=mlx5_0:1"}, take_over=["nccl.conf"])
    assert (node / "etc/gpuwright/nccl.env").exists()
    status, said, errors = command(node, "rollback", "--role", "nccl_env")
    assert (status, errors) == (0, "") and "file /etc/nccl.conf: as it was before us" in said
    assert "  NCCL_IB_HCA " in said
    after = texts(node)
    journal = "/var/lib/gpuwright/journal.json"
    assert {path for path in set(before) | set(after) if before.get(path) != after.get(path)} <= {journal}


def test_a_role_that_is_none_ends_with_the_usage(node, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main(["rollback", "--sysroot", str(node), "--role", "nmua"])
    assert ended.value.code == 2 and "numa" in capsys.readouterr().err


def test_json_is_the_modules_result(node, command):
    status, said, _errors = command(node, "rollback", "--check", "--json")
    told = json.loads(said)
    assert status == 1 and told["changed"] and told["errors"] == []
    assert "/etc/gpuwright/desired/vm.json" in told["files"]


def test_what_does_not_come_back_is_named(node, command):
    (node / "proc/sys/vm/swappiness").unlink()
    (node / "proc/sys/vm/swappiness").mkdir()
    status, said, _errors = command(node, "rollback")
    assert status == 1 and "did not come back: vm.swappiness: " in said


def test_without_root_only_a_check_is_made(node, command, monkeypatch):
    monkeypatch.setattr(Host, "is_root", lambda host: False)
    before = plain_node.snapshot(node)
    status, said, errors = command(node, "rollback")
    assert (status, said) == (2, "") and "needs root" in errors and plain_node.snapshot(node) == before
    assert command(node, "rollback", "--check")[0] == 1


@pytest.mark.parametrize("path, text, words", [("/var/lib/gpuwright/journal.json", "{", "is damaged"),
                                               ("/etc/machine-id", "f" * 32, "belongs to another machine")])
def test_a_journal_that_is_not_this_nodes_is_not_obeyed(node, command, path, text, words):
    plain_node.put(node, path, text)
    status, _said, errors = command(node, "rollback")
    assert status == 2 and words in errors


def test_another_run_is_named(node, command):
    with Host(str(node), read_only=False).only_one("/run/gpuwright.lock", {"what": "role vm"}):
        status, _said, errors = command(node, "rollback")
    assert status == 2 and "another run is changing this node, nothing was changed: " in errors and "role vm" in errors
