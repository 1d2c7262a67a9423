# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the command: which subcommands there are, and what it answers to words that it does not know."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._runner import main


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
