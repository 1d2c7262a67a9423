# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind nccl_conf: the one file that NCCL reads, ours as a whole or not at all, and who wins over it."""

from __future__ import annotations

import errno
import re

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result
from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import nccl_conf
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

from tests.sysroots import engine, plain_node
from tests.sysroots.engine import statuses, steps

ROLE, CONF, ENVIRONMENT = "nccl_env", "etc/nccl.conf", "etc/gpuwright/nccl.env"
VALUES = {"NCCL_IB_HCA": "=mlx5_0:1,mlx5_1:1", "NCCL_DEBUG": "WARN", "NCCL_IB_TC": 106}
DERIVED = {"NCCL_IB_HCA": {"value": "=mlx5_0:1,mlx5_1:1", "why": "2 RDMA ports that serve GPUs (gpu_nics=2)"}}
OPTIONS = {"nccl_env_derived": DERIVED, "nccl_env_min_version": "2.21", "nccl_env_debugging": False}
RULELESS = type("Catalogue", (), {"ROWS": ROLES[ROLE].ROWS, "OPTIONS": ROLES[ROLE].OPTIONS, "RULES": ()})


def plan(root, values=None, options=None, **request):
    return engine.plan(root, ROLE, values or VALUES, catalogue=RULELESS, options=dict(OPTIONS, **options or {}),
                       **request)


def apply(root, values=None, options=None, **request):
    return engine.apply(root, ROLE, values or VALUES, catalogue=RULELESS, options=dict(OPTIONS, **options or {}),
                        **request)


@pytest.fixture
def root(tmp_path):
    return plain_node.build(tmp_path)


def assignments(text):
    return dict(line.partition("=")[::2] for line in text.splitlines() if line and not line.startswith("#"))


def test_both_files_go_round_and_each_line_says_why(root):
    before = plain_node.snapshot(root)
    checked = _result.result(plan(root))
    assert plain_node.snapshot(root) == before
    applied = apply(root)
    assert _result.failures(applied) == []
    assert {step["name"]: step["status"] for step in checked["settings"]} == dict.fromkeys(VALUES, "drift")
    text = (root / CONF).read_text()
    assert assignments(text) == {"NCCL_IB_HCA": "=mlx5_0:1,mlx5_1:1", "NCCL_DEBUG": "WARN", "NCCL_IB_TC": "106"}
    assert "# 2 RDMA ports that serve GPUs (gpu_nics is 2)\nNCCL_IB_HCA==mlx5_0:1,mlx5_1:1\n" in text
    assert "# set by the operator\nNCCL_DEBUG=WARN\n" in text
    assert not re.search(r"^#.*=", text, re.M) and "\r" not in text and text.endswith("\n")
    assert (root / ENVIRONMENT).read_text() == text
    assert set(statuses(plan(root)).values()) == {"ok"}
    again = apply(root)
    assert not again.due
    assert engine.roll_back(root).errors == [] and plain_node.snapshot(root) == before


def test_the_reason_of_a_derived_value_is_in_its_step(root):
    found = steps(plan(root, origins={"NCCL_IB_HCA": "default", "NCCL_DEBUG": "nccl_env_debug, site.yml:3"}))
    assert found["NCCL_IB_HCA"]["why"] == "default: 2 RDMA ports that serve GPUs (gpu_nics=2)"
    assert found["NCCL_DEBUG"]["why"] == "nccl_env_debug, site.yml:3"


def test_a_value_that_goes_leaves_the_others(root):
    apply(root)
    made = apply(root, {"NCCL_IB_TC": 106})
    assert _result.failures(made) == [] and assignments((root / CONF).read_text()) == {"NCCL_IB_TC": "106"}


def test_further_variables_are_settings_of_their_own(root):
    further = {"NCCL_P2P_LEVEL": "NVL", "NCCL_IB_AR_THRESHOLD": 8192}
    made = apply(root, {"NCCL_*": further}, {"nccl_env_further_names": list(further)})
    assert _result.failures(made) == []
    assert assignments((root / CONF).read_text()) == {"NCCL_P2P_LEVEL": "NVL", "NCCL_IB_AR_THRESHOLD": "8192"}
    with pytest.raises(BadInput, match="did you mean NCCL_P2P_LEVEL"):
        plan(root, {"NCCL_*": {"NCCL_P2P_LEVLE": "NVL"}}, {"nccl_env_further_names": ["NCCL_P2P_LEVLE"]})


def foreign(root, text):
    (root / CONF).write_text(text)
    return plain_node.snapshot(root)


def test_somebody_elses_file_is_left_alone_and_named(root):
    before = foreign(root, "NCCL_IB_TC=160\nNCCL_DEBUG=WARN\n")
    made = apply(root)
    found = steps(made)
    assert {name: step["status"] for name, step in found.items()} == {
        "NCCL_IB_HCA": "conflict", "NCCL_IB_TC": "conflict", "NCCL_DEBUG": "ok"}
    assert found["NCCL_IB_TC"]["reason"].startswith(
        "/etc/nccl.conf:1, which is not ours, has NCCL_IB_TC=160: change it there, or gpuwright_take_over: [nccl.conf]")
    assert "add NCCL_IB_HCA==mlx5_0:1,mlx5_1:1 there" in found["NCCL_IB_HCA"]["reason"]
    assert found["NCCL_DEBUG"]["reason"] == "/etc/nccl.conf:2 gives it already, which is kept"
    after = plain_node.snapshot(root)
    assert after["/" + CONF] == before["/" + CONF] and not (root / ENVIRONMENT).exists()


@pytest.mark.parametrize("owner", ["nccl.conf", "/etc/nccl.conf"])
def test_a_file_that_is_handed_over_is_ours_and_comes_back_to_the_byte(root, owner):
    before = foreign(root, "NCCL_IB_TC=160\r\n NCCL_DEBUG=WARN\nNCCL_IB_HCA==mlx5_0:1,mlx5_1:1\nexport X=1")
    made = apply(root, take_over=[owner])
    assert _result.failures(made) == [] and set(statuses(made).values()) == {"drift"}
    assert set(statuses(plan(root, take_over=[owner])).values()) == {"ok"} == set(statuses(plan(root)).values())
    assert len(assignments((root / CONF).read_text())) == 3
    made = apply(root, {"NCCL_DEBUG": "WARN"}, take_over=[owner])
    assert _result.failures(made) == []
    assert "comes back with its whole file" in steps(made)["NCCL_IB_TC"]["reason"]
    assert engine.roll_back(root).errors == [] and plain_node.snapshot(root) == before


def test_who_wins_over_our_line_is_named_and_our_line_stays(root):
    apply(root)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nalice:x:1001:1001::/home/alice:/bin/sh\n")
    plain = root / "home/alice/.nccl.conf"
    plain.parent.mkdir(parents=True)
    plain.write_text("NCCL_DEBUG=INFO\nNCCL_IB_TC=106\n")
    unit = root / "etc/systemd/system/train.service"
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text("[Service]\nEnvironment=NCCL_IB_HCA=mlx5\nExecStart=/bin/true\n")
    made = apply(root)
    found = steps(made)
    assert found["NCCL_IB_TC"]["status"] == "ok" and not made.due
    assert found["NCCL_DEBUG"]["status"] == "conflict"
    assert found["NCCL_DEBUG"]["reason"] == (
        "jobs of alice get NCCL_DEBUG=INFO (/home/alice/.nccl.conf:1), and that wins over /etc/nccl.conf: take it out "
        "there, or leave it to them")
    assert "train.service" in found["NCCL_IB_HCA"]["reason"] and "mlx5" in found["NCCL_IB_HCA"]["reason"]
    assert len(assignments((root / CONF).read_text())) == 3


@pytest.mark.parametrize("text, same", [
    ("NCCL_DEBUG=WARN\r\nNCCL_IB_TC=0x6a\r\n", {"NCCL_IB_TC"}), ("NCCL_IB_TC=0152\nNCCL_DEBUG=WARN ", {"NCCL_IB_TC"}),
    ("NCCL_DEBUG=[WARN]\nNCCL_IB_TC= 106", {"NCCL_IB_TC"}), ("NCCL_DEBUG=warn\nNCCL_IB_TC=106 # c\n", {"NCCL_IB_TC"}),
    ("", set()), ("# nothing", set()), ("\0\xff", set()), ("export NCCL_DEBUG=WARN\n", set()),
    ("NCCL_DEBUG=WARN\nNCCL_DEBUG=INFO\n", {"NCCL_DEBUG"}), ("\ufeffNCCL_DEBUG=WARN\nNCCL_IB_TC=1\n", set())])
def test_no_byte_of_a_file_of_somebody_elses_changes_however_it_says_the_same(root, text, same):
    """A value that NCCL reads as ours counts as given; one that it does not is a conflict, and neither is a change."""
    (root / CONF).write_bytes(text.encode())
    made = apply(root)
    assert (root / CONF).read_bytes() == text.encode() and not (root / ENVIRONMENT).exists()
    assert {name for name, status in statuses(made).items() if status == "ok"} == same
    assert set(statuses(made).values()) <= {"ok", "conflict"} and _result.failures(made) == []
    for step in made.steps:
        assert step["status"] == "ok" or "gpuwright_take_over: [nccl.conf]" in step["reason"]
        assert step["reason"].isprintable()


@pytest.mark.parametrize("target", ["/mnt/site/nccl.conf", "/etc/default"])
def test_a_link_that_leads_to_no_file_is_somebody_elses_too(root, target):
    (root / "etc/default").mkdir()
    (root / CONF).symlink_to(target)
    before = plain_node.snapshot(root)
    made = apply(root)
    assert set(statuses(made).values()) == {"conflict"} and (root / CONF).is_symlink()
    assert "/etc/nccl.conf is a link to %s, which is no file that can be read" % target in made.steps[0]["reason"]
    made = apply(root, take_over=["nccl.conf"])
    assert _result.failures(made) == [] and not (root / CONF).is_symlink()
    assert engine.roll_back(root).errors == [] and plain_node.snapshot(root) == before


@pytest.mark.parametrize("path", [CONF, ENVIRONMENT])
@pytest.mark.parametrize("take_over", [[], ["nccl.conf"]])
def test_a_folder_in_the_place_of_a_file_is_named_and_stays(root, path, take_over):
    """An engine of containers makes one where the file of a bind mount is missing."""
    (root / path).mkdir(parents=True)
    made = apply(root, take_over=take_over)
    assert set(statuses(made).values()) == {"refused"} and _result.failures(made) == []
    assert "/%s is a folder" % path in made.steps[0]["reason"] and "remove it" in made.steps[0]["reason"]
    assert (root / path).is_dir() and engine.roll_back(root).errors == []


def test_a_file_that_may_not_be_read_is_not_called_empty(root):
    apply(root)

    class Barred(plain_node.Kernel):
        def read_bytes(self, path, limit=1 << 24):
            if path == "/" + CONF:
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return super().read_bytes(path, limit)
    made = plan(root, kernel=Barred)
    assert {(step["status"], step["reason"]) for step in made.steps} == {
        ("unreadable", "/etc/nccl.conf: Permission denied")}


def test_our_file_without_a_journal_is_ours_and_goes_with_a_rollback(root):
    """As in an image that was made of a node, or where somebody removed the journal."""
    apply(root, {"NCCL_DEBUG": "INFO"})
    journal = next((root / "var/lib/gpuwright").iterdir())
    journal.unlink()
    made = apply(root, {"NCCL_DEBUG": "WARN"})
    assert _result.failures(made) == [] and assignments((root / CONF).read_text()) == {"NCCL_DEBUG": "WARN"}
    assert engine.roll_back(root).errors == [] and not (root / CONF).exists()


def test_a_process_that_has_another_value_is_named_with_where_it_is_from(root):
    apply(root)
    plain_node.put(root, "/proc/70/comm", "python3")
    plain_node.put(root, "/proc/70/environ", "NCCL_DEBUG=TRACE\0")
    (root / "proc/70/fd").mkdir()
    (root / "proc/70/fd/7").symlink_to("/dev/nvidia0")
    found = steps(plan(root))["NCCL_DEBUG"]
    assert found["status"] == "conflict" and found["reason"].startswith(
        "process 70 (python3) has NCCL_DEBUG=TRACE in its environment, and that wins over /etc/nccl.conf")


def test_an_edit_of_our_file_is_drift(root):
    apply(root)
    text = (root / CONF).read_text()
    (root / CONF).write_text(text + "NCCL_ALGO=Ring\n")
    assert set(statuses(plan(root)).values()) == {"drift"}
    apply(root)
    assert (root / CONF).read_text() == text


def test_every_row_is_a_name_that_the_kind_writes_to_the_letter(root):
    """Compose and parse are each other's reverse, for any row."""
    entries = [("NCCL_X", "", "a b"), ("NCCL_A", "", "=x:1")]
    text = nccl_conf.compose("# Written by gpuwright.node, head\n", entries, {"NCCL_X": "why", "NCCL_A": "a=b"})
    assert nccl_conf.parse(text) == {"NCCL_X": "a b", "NCCL_A": "=x:1"}
