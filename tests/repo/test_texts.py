# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no text in this repository may say."""

from __future__ import annotations

import re

import pytest

# Put together here, so that this file does not say it itself.
FORBIDDEN = {
    "a path of some machine": r"(?<!\w)/" + r"work/|\.\./sha" + "red/",
    "a host of a package registry": "files.python" + "hosted|py" + "pi.org|registry.npm" + "js|galaxy.ans" + "ible.com",
    "work left undone": r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b",
}
TEXT = (".py", ".yml", ".yaml", ".md", ".sh", ".cfg", ".toml", ".txt", ".rst", "Makefile", ".ci/run")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_text_holds(what, files, checkout):
    found = []
    for name in files:
        if name.endswith(TEXT) and not name.startswith("tests/captures/"):
            for number, line in enumerate((checkout / name).read_text().splitlines(), 1):
                if re.search(FORBIDDEN[what], line):
                    found.append("%s:%d: %s" % (name, number, line.strip()))
    assert found == []


def test_nothing_is_ignored_by_sanity_or_ansible_lint(files):
    assert [name for name in files if re.search(r"tests/sanity/ignore|\.ansible-lint-ignore", name)] == []
