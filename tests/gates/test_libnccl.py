# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real libnccl reads /etc/nccl.conf: what role nccl_env writes, and what its rules and values rest on."""

from __future__ import annotations

import re

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._kinds import nccl_conf
from ansible_collections.gpuwright.node.plugins.module_utils._nccl_lists import SUBSYSTEMS
from ansible_collections.gpuwright.node.plugins.module_utils._nccl_names import DEBUGGING, GONE, INTEGERS, SINCE
from ansible_collections.gpuwright.node.plugins.module_utils._nccl_text import LONGEST, plain
from ansible_collections.gpuwright.node.plugins.module_utils._owners import nccl_env
from ansible_collections.gpuwright.node.plugins.module_utils._settings import nccl_env as settings

from tests.gates import libnccl
from tests.sysroots import engine, plain_node

KNOWN = tuple(int(part) for part in libnccl.VERSION.split("."))
# A legal value of each row, as its type writes it.
SAMPLES = ("1", "14", "64", "65536", "/etc/gpuwright/x.%h.%p", "AF_INET", "10.1.0.0/16", "localhost:28028", "PXB",
           "WARN", "=mlx5_0:1,mlx5_1:1", "=eth0", "Ring;AllReduce:Tree", "Simple", "INIT,NET", "ALL", "MAX:2")
# What a line could be that NCCL takes otherwise than it looks, and what a process then has.
ODD = [("export NCCL_A=1", {"export NCCL_A": "1"}), ('NCCL_A="1"', {"NCCL_A": '"1"'}),
       ("NCCL_A=1 # c", {"NCCL_A": "1 # c"}), ("NCCL_A = 1", {"NCCL_A ": " 1"}), (" NCCL_A=1", {" NCCL_A": "1"}),
       ("NCCL_A=1 ", {"NCCL_A": "1 "}),
       ("# NCCL_A=1", {}), (" # NCCL_A=1", {" # NCCL_A": "1"}), ("NCCL_A=1\r", {"NCCL_A": "1"}), ("NCCL_A", {}),
       ("NCCL_A=1=2", {"NCCL_A": "1=2"}), ("NCCL_A=", {"NCCL_A": ""}), ("NCCL_A=1\nNCCL_A=2", {"NCCL_A": "1"}),
       ("", {}), ("set NCCL_A=1", {"set NCCL_A": "1"}), ("NCCL_A=1\n\nNCCL_B=2", {"NCCL_A": "1", "NCCL_B": "2"}),
       ("NCCL_A=" + "x" * 1030, {"NCCL_A": "x" * LONGEST})]


@pytest.fixture(name="binary", scope="module")
def fixture_binary():
    return libnccl.place().read_bytes()


def a_value(row):
    """A legal value of a row."""
    for raw in SAMPLES:
        try:
            return row.value.parse(raw)
        except ValueError:
            continue
    raise AssertionError("no sample is legal for %s: %s" % (row.name, row.value.describe()))


def rows():
    return [row for row in settings.ROWS if row.kind == "nccl_conf" and not row.devices]


def test_every_name_is_in_the_library_and_none_that_is_gone(binary):
    known = {name for name, since in SINCE.items() if since <= KNOWN}
    assert len(known) > 200 and {row.name for row in rows()} <= known
    assert sorted(name for name in known if name.encode() not in binary) == []
    assert sorted(name for name in GONE if name.encode() + b"\0" in binary) == []
    assert sorted(name for name, since in SINCE.items() if since > KNOWN and name.encode() + b"\0" in binary) == []


def test_the_library_has_no_name_that_is_not_known_here(binary):
    """Beside names of variables it holds names of its own constants, which are of a few sorts."""
    found = {word.decode() for word in re.findall(rb"\0(NCCL_[A-Z0-9_]{3,60})(?=\0)", binary)}
    constants = re.compile(r"NCCL_((PARAM_(TYPE|FLAG)|LOG|NET_DEVICE|NET_MERGE_POLICY|GIN_(TYPE|CONNECTION)|IPC|SIGNAL)"
                           r"(_.*)?|GIN_IB_ALL.*|%s|.*_(CONTEXT_MAX_SIZE|CONTEXT_VERSION|DEFAULT))\Z"
                           % "|".join(SUBSYSTEMS))
    assert sorted(name for name in found - set(SINCE) if not constants.match(name)) == []


def test_integers_are_read_as_integers_and_nothing_that_only_debugs_is_made_up(binary):
    assert INTEGERS <= set(SINCE) and all(name.encode() in binary for name in DEBUGGING if name not in GONE)


def test_all_variables_that_the_role_can_write_arrive(tmp_path):
    wanted = {row.name: a_value(row) for row in rows()}
    text = nccl_conf.compose("# Written by a test", [(name, "", value) for name, value in wanted.items()],
                             dict.fromkeys(wanted, "because a=b, and c # d"))
    found = libnccl.read(tmp_path, etc=text, ask=["NCCL_DEBUG", "NCCL_DEBUG_SUBSYS"])
    assert found["set"] == wanted and len(wanted) > 35
    assert found["told"] == {"NCCL_DEBUG": "WARN", "NCCL_DEBUG_SUBSYS": wanted["NCCL_DEBUG_SUBSYS"]}
    assert found["version"] == KNOWN[0] * 10000 + KNOWN[1] * 100 + KNOWN[2]


def test_what_an_apply_leaves_behind_is_what_a_job_gets(tmp_path):
    root = plain_node.build(tmp_path / "node")
    further = {"NCCL_SOCKET_NTHREADS": 4, "NCCL_COMM_BLOCKING": 1}
    asked = {"NCCL_DEBUG": "WARN", "NCCL_IB_TC": 106, "NCCL_IB_TIMEOUT": 22, "NCCL_*": further}
    engine.apply(root, "nccl_env", asked, catalogue=settings,
                 options={"nccl_env_min_version": "2.21", "nccl_env_further_names": sorted(further),
                          "nccl_env_debugging": True})
    written = (root / "etc/nccl.conf").read_bytes()
    assert libnccl.read(tmp_path, etc=written)["set"] == {
        "NCCL_DEBUG": "WARN", "NCCL_IB_TC": "106", "NCCL_IB_TIMEOUT": "22", "NCCL_SOCKET_NTHREADS": "4",
        "NCCL_COMM_BLOCKING": "1"}
    assert (root / "etc/gpuwright/nccl.env").read_bytes() == written


def test_who_sets_a_variable_first_wins(tmp_path):
    files = {"etc": "NCCL_A=etc\nNCCL_B=etc\nNCCL_C=etc\nNCCL_D=etc\n",
             "home": "NCCL_A=home\nNCCL_B=home\nNCCL_C=home\n"}
    process = {"NCCL_A": "process"}
    assert libnccl.read(tmp_path, environ=process, **files)["set"] == {
        "NCCL_B": "home", "NCCL_C": "home", "NCCL_D": "etc"}
    assert libnccl.read(tmp_path, environ=process, named="NCCL_B=named\n", **files)["set"] == {
        "NCCL_B": "named", "NCCL_C": "etc", "NCCL_D": "etc"}


@pytest.mark.parametrize("line, found", ODD, ids=lambda value: repr(value)[:30])
def test_a_line_is_taken_to_the_letter(tmp_path, line, found):
    assert libnccl.read(tmp_path, etc=line + "\n")["set"] == found
    assert libnccl.read(tmp_path, etc=line)["set"] == found  # The last line need not end.


@pytest.mark.parametrize("line, found", [pair for pair in ODD if "\r" not in pair[0] and len(pair[0]) < LONGEST],
                         ids=lambda value: repr(value)[:30])
def test_our_reader_of_such_files_agrees(line, found):
    told = {}
    for _number, name, value in nccl_env.lines(line):
        told.setdefault(name, value)
    assert told == found


@pytest.mark.parametrize("value", ['"1"', "1 # c", " 1", "1 ", "1\r", "1\nNCCL_ALGO=Tree", "", "x" * (LONGEST + 1),
                                   "#"])
def test_no_such_value_is_ever_written(value):
    with pytest.raises(ValueError):
        plain(value)


@pytest.mark.parametrize("value", ["=mlx5_0:1,mlx5_1:1", "Ring;AllReduce:^Tree", "[::1]:28028", "/a/%h.%p", "a=b",
                                   "a b", "^docker0", "x" * LONGEST])
def test_a_value_that_is_written_arrives_to_the_letter(tmp_path, value):
    text = nccl_conf.compose("# t", [("NCCL_A", "", plain(value))], {"NCCL_A": "t"})
    assert libnccl.read(tmp_path, etc=text)["set"] == {"NCCL_A": value}


def test_the_words_of_the_log_are_words_to_nccl(tmp_path):
    debug = next(row for row in rows() if row.name == "NCCL_DEBUG")
    for word in debug.value.words:
        assert libnccl.read(tmp_path, etc="NCCL_DEBUG=%s\n" % word, ask=["NCCL_DEBUG"])["told"] == {"NCCL_DEBUG": word}
    assert libnccl.read(tmp_path, etc="NCCL_DEBUG=auto\n", ask=["NCCL_DEBUG"])["told"] == {"NCCL_DEBUG": "<unknown>"}
    for word in SUBSYSTEMS:
        told = libnccl.read(tmp_path, etc="NCCL_DEBUG_SUBSYS=%s\n" % word, ask=["NCCL_DEBUG_SUBSYS"])["told"]
        assert told == {"NCCL_DEBUG_SUBSYS": word}
