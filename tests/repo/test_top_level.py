# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The top level is the map of the repository: nothing lies there that is not on it."""

from __future__ import annotations

MAP = {
    ".ansible-lint", ".ci", ".gitignore", ".yamllint", "CHANGELOG.rst", "LICENSE", "Makefile", "README.md",
    "ansible.cfg", "changelogs", "docs", "galaxy.yml", "inventories", "meta", "molecule", "playbooks", "plugins",
    "pyproject.toml",
    "requirements-dev.txt", "requirements.txt", "requirements.yml", "roles", "tests"}
MADE = {"CHANGELOG.rst"}  # antsibull-changelog writes it at a release.


def test_nothing_unknown_lies_at_the_top(files):
    assert {name.split("/")[0] for name in files} - MAP == set()


def test_everything_on_the_map_is_there(files):
    assert MAP - MADE - {name.split("/")[0] for name in files} == set()
