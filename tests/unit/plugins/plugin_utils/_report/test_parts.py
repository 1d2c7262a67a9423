# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts: what one host answered comes back as it was kept, and nothing of another host or run is mixed in."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts

HOSTS = ["node1", "Node1", "../../etc", "..", ".", "a/b", "a%2Fb", "fe80::1%eth0", "übung", "x" * 400, "x" * 401,
         ".hidden"]


def files_of(folder):
    return [os.path.join(place, name) for place, _folders, names in os.walk(folder) for name in names]


def test_what_was_kept_comes_back(tmp_path):
    parts.keep("node1", "vm", {"settings": [{"name": "vm.swappiness"}], "failed": None}, str(tmp_path), "1-2")
    parts.keep("node1", "topology", {"topology": {"schema": 1}}, str(tmp_path), "1-2")
    assert parts.of_host("node1", str(tmp_path), "1-2") == {
        "vm": {"settings": [{"name": "vm.swappiness"}], "failed": None}, "topology": {"topology": {"schema": 1}}}
    assert parts.of_host("node2", str(tmp_path), "1-2") == {}


def test_answers_come_in_the_order_in_which_they_were_given(tmp_path):
    for number, name in enumerate(("vm", "thp", "numa")):
        parts.keep("node1", name, {}, str(tmp_path), "1-2")
        os.utime(tmp_path / ".parts" / "1-2" / "node1" / (name + ".json"), (number, number))
    assert list(parts.of_host("node1", str(tmp_path), "1-2")) == ["vm", "thp", "numa"]


def test_the_last_answer_of_a_role_counts(tmp_path):
    for number in (1, 2):
        parts.keep("node1", "vm", {"number": number}, str(tmp_path), "1-2")
    assert parts.of_host("node1", str(tmp_path), "1-2") == {"vm": {"number": 2}}


def test_no_host_name_leaves_the_folder_or_meets_another(tmp_path):
    folder = tmp_path / "deep" / "report"
    for host in HOSTS:
        parts.keep(host, "vm", {"host": host}, str(folder), "1-2")
    for host in HOSTS:
        assert parts.of_host(host, str(folder), "1-2") == {"vm": {"host": host}}
    assert len(files_of(tmp_path)) == len(files_of(folder / ".parts" / "1-2")) == len(HOSTS)


def test_no_half_written_file_is_left_or_read(tmp_path):
    parts.keep("node1", "vm", {"number": 1}, str(tmp_path), "1-2")
    (file,) = files_of(tmp_path)
    with open(file, "w", encoding="utf-8") as stream:
        stream.write('{"host": "node1", "pa')
    assert parts.of_host("node1", str(tmp_path), "1-2") == {}


def test_what_cannot_be_written_is_a_warning(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(parts.Display, "warning", lambda self, text: said.append(text))
    (tmp_path / "file").write_text("")
    parts.keep("node1", "vm", {}, str(tmp_path / "file" / "report"), "1-2")
    assert len(said) == 1
    assert "gpuwright_report_dir" in said[0]
    assert str(tmp_path / "file") in said[0]


def test_expected_hosts_are_added_up_in_order(tmp_path):
    parts.expect(["b", "a"], str(tmp_path), "1-2")
    parts.expect(["a", "c"], str(tmp_path), "1-2")
    assert parts.expected(str(tmp_path), "1-2") == ["b", "a", "c"]
    assert parts.expected(str(tmp_path), "1-3") == []


def test_the_run_is_that_of_the_parent_process(tmp_path):
    program = ("import sys; sys.path[:0] = %r; from ansible_collections.gpuwright.node.plugins.plugin_utils._report "
               "import parts; print(parts.current_run())" % (sys.path,))
    runs = {subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
            for _time in range(2)}
    assert runs == {parts._run_of(os.getpid())}
    assert runs != {parts.current_run()}


def test_a_process_that_got_the_same_number_later_is_another_run():
    going = parts._run_of(os.getpid())
    assert parts._is_going(going)
    assert not parts._is_going(going + "0")
    assert not parts._is_going("no-run")


def test_pruning_spares_this_run_and_those_that_still_go(tmp_path):
    going = parts._run_of(os.getpid())
    for run in ("999999999-1-over", "1-2-mine", going):
        parts.keep("node1", "vm", {}, str(tmp_path), run)
    parts.prune(str(tmp_path), "1-2-mine")
    assert sorted(os.listdir(tmp_path / ".parts")) == sorted(["1-2-mine", going])


def test_a_process_without_proc_is_known_by_ps(monkeypatch, tmp_path):
    def nothing(*_arguments, **_options):
        raise FileNotFoundError

    ps = tmp_path / "ps"
    ps.write_text("#!/bin/sh\necho Sat Nov 21\n")
    ps.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("builtins.open", nothing)
    assert len(parts._started(os.getpid())) == 16


@pytest.mark.parametrize(("variables", "expected"), [
    ({}, "{cwd}/report"),
    ({"gpuwright_report_dir": "out"}, "{cwd}/out"),
    ({"gpuwright_report_dir": "/var/out/"}, "/var/out"),
    ({"gpuwright_report_dir": "~/out"}, "{home}/out"),
    ({"gpuwright_report_dir": None}, "{cwd}/report"),
])
def test_the_report_folder(variables, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert parts.folder(variables) == expected.format(cwd=tmp_path, home="/home/me")


def test_a_part_is_plain_json(tmp_path):
    parts.keep("node1", "vm", {"a": 1}, str(tmp_path), "1-2")
    (file,) = files_of(tmp_path)
    with open(file, encoding="utf-8") as stream:
        assert json.load(stream) == {"host": "node1", "part": "vm", "data": {"a": 1}}
