# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the command: which subcommands there are, and what it answers to words that it does not know."""

from __future__ import annotations

import sys

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._runner import audit, main, version


@pytest.mark.parametrize("argv", [[], ["bot"], ["boot", "--what"]])
def test_unknown_words_end_with_the_usage(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main(argv)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: gpuwright")


def test_every_subcommand_has_help(capsys):
    with pytest.raises(SystemExit):
        main.main(["--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert [name for name, module in main.SUBCOMMANDS.items()
            if "%s %s" % (name, module.__doc__.splitlines()[0]) not in words] == []


def test_a_subcommand_gets_its_words_and_gives_its_status(tmp_path, capsys):
    (tmp_path / "etc/gpuwright").mkdir(parents=True)
    (tmp_path / "etc/gpuwright/disabled").touch()
    assert main.main(["boot", "--sysroot", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "nothing is changed: /etc/gpuwright/disabled exists\n"


def test_the_version_is_that_of_the_collection(checkout, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == "gpuwright %s\n" % version.VERSION
    assert version.VERSION == yaml.safe_load((checkout / "galaxy.yml").read_text())["version"]


@pytest.mark.parametrize("name", sorted(main.SUBCOMMANDS))
def test_a_folder_that_is_not_there_ends_with_two_and_words(name, tmp_path, capsys):
    words = ["vm.swappiness"] if name == "explain" else []
    assert main.main([name, "--sysroot", str(tmp_path / "none"), *words]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("gpuwright %s: --sysroot %s" % (name, tmp_path))


def test_a_reader_that_has_seen_enough_is_no_error(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # So that it comes back.

    def closed(args, say):
        raise BrokenPipeError
    monkeypatch.setattr(audit, "run", closed)
    assert main.main(["audit", "--sysroot", str(tmp_path)]) == 2


def test_an_interrupt_ends_quietly(monkeypatch, tmp_path):
    def stopped(args, say):
        raise KeyboardInterrupt
    monkeypatch.setattr(audit, "run", stopped)
    assert main.main(["audit", "--sysroot", str(tmp_path)]) == 130


def test_head_ends_the_command_without_a_word_of_pythons(zipapp, tmp_path):
    done = zipapp.piped("explain", "vm.swappiness", "--sysroot", tmp_path)
    assert done.stderr == ""
