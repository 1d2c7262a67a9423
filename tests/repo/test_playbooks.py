# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks parse by path in a checkout, and by name from a collection installed into an empty folder."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tarfile

import pytest

BIN = pathlib.Path(sys.executable).parent
CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
PLAYBOOKS = sorted(path.stem for path in (CHECKOUT / "playbooks").glob("*.yml"))


def _run(folder, *argv, **settings):
    """Run a command of ansible with no settings but these."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment.update(settings, PATH="%s:%s" % (BIN, os.environ["PATH"]))
    done = subprocess.run([str(BIN / argv[0]), *argv[1:]], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """The collection as it would be published."""
    folder = tmp_path_factory.mktemp("artifact")
    _run(folder, "ansible-galaxy", "collection", "build", str(CHECKOUT))
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def installed(artifact, tmp_path_factory):
    """A folder that has nothing but the installed collection."""
    folder = tmp_path_factory.mktemp("an installed collection")
    _run(folder, "ansible-galaxy", "collection", "install", "--no-deps", "-p", str(folder), str(artifact))
    return folder


@pytest.fixture(scope="module")
def inventory(tmp_path_factory):
    """One host of every class."""
    path = tmp_path_factory.mktemp("inventory") / "hosts"
    path.write_text("[inference]\none\n[training]\ntwo\n[cpu]\nthree\n")
    return path


def test_there_are_playbooks():
    assert {"audit", "rollback", "site"} <= set(PLAYBOOKS)


def test_playbooks_parse_by_path_in_a_checkout(inventory):
    _run(CHECKOUT, "ansible-playbook", "--syntax-check", "-i", str(inventory),
         *["playbooks/%s.yml" % name for name in PLAYBOOKS])


def test_playbooks_parse_by_name_in_a_checkout(inventory):
    _run(CHECKOUT, "ansible-playbook", "--syntax-check", "-i", str(inventory),
         *["gpuwright.node.%s" % name for name in PLAYBOOKS])


def test_playbooks_parse_by_name_from_an_installed_collection(installed, inventory, tmp_path):
    _run(tmp_path, "ansible-playbook", "--syntax-check", "-i", str(inventory),
         *["gpuwright.node.%s" % name for name in PLAYBOOKS], ANSIBLE_COLLECTIONS_PATH=str(installed))


def test_every_module_and_filter_is_documented(installed, tmp_path):
    for kind in ("module", "filter"):
        ask = ["ansible-doc", "-t", kind]
        names = _run(tmp_path, *ask, "-l", "gpuwright.node", ANSIBLE_COLLECTIONS_PATH=str(installed))
        listed = sorted(line.split()[0] for line in names.splitlines() if line.startswith("gpuwright.node."))
        assert listed
        _run(tmp_path, *ask, *listed, ANSIBLE_COLLECTIONS_PATH=str(installed))


def test_the_artifact_holds_the_collection_and_nothing_of_the_workshop(artifact):
    with tarfile.open(artifact) as archive:
        top = {name.split("/")[0] for name in archive.getnames()}
    assert top == {"FILES.json", "MANIFEST.json", "LICENSE", "README.md", "changelogs", "inventories", "meta",
                   "playbooks", "plugins", "requirements.txt", "requirements.yml", "roles"}
