# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real virtual hosts for the tests that need them: one host, brought up once, two where molecule has its own."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
LAB = HERE / "lab"
NAME = "pytest"
NO_LAB_STATUS = 77

sys.path.insert(0, str(HERE))


def pytest_configure(config):
    """Find out whether this machine can have virtual hosts; a machine that can, and fails to, is a failure."""
    config.addinivalue_line("markers", "lab: needs the virtual hosts of tests/lab")
    done = subprocess.run([LAB, "possible"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    config.no_lab = done.returncode == NO_LAB_STATUS
    if config.no_lab:
        config.left_out.append("virtual hosts: %s" % done.stderr.strip().splitlines()[-1])
    elif done.returncode:
        raise pytest.UsageError(done.stderr)


def pytest_collection_modifyitems(config, items):
    """Leave out what needs a host where there can be none; molecule's two hosts are gone before ours comes."""
    if config.no_lab:
        items[:] = [item for item in items if item.get_closest_marker("lab") is None]
    items.sort(key=lambda item: "node" in item.fixturenames)


class Node:
    """The fresh host: commands on it, playbooks against it, and what the report then says of it."""

    def __init__(self, show, folder):
        self.show = show
        self.folder = folder
        self.inventory = folder / "hosts.json"

    def command(self, words, **options):
        """What a command on the host prints."""
        argv = [LAB, "ssh", NAME, words]
        return subprocess.run(argv, check=True, capture_output=True, text=True, **options).stdout

    def snapshot(self):
        """Every value and every file of the host."""
        return json.loads(subprocess.run([LAB, "snapshot", NAME], check=True, capture_output=True, text=True).stdout)

    def task(self, module, arguments, *options):
        """Run one task on the host."""
        self.show("lab-task", ["ansible", NAME, "-i", self.inventory, "-m", module, "-a", arguments, *options])

    def playbook(self, name, *options):
        """Run a playbook of the collection on the host; the answer is the host's part of its report."""
        report = self.folder / "report"
        (report / "audit.json").unlink(missing_ok=True)
        self.show("lab-" + name, [
            "ansible-playbook", "-i", self.inventory, *options, "-e", "gpuwright_report_dir=%s" % report,
            CHECKOUT / "playbooks" / (name + ".yml")])
        return json.loads((report / "audit.json").read_text())["hosts"][NAME]


@pytest.fixture(scope="session")
def node(show, tmp_path_factory):
    """One fresh inference host."""
    show("lab-up", [LAB, "up", NAME])
    folder = tmp_path_factory.mktemp("lab")
    reach = json.loads(subprocess.run([LAB, "inventory"], check=True, capture_output=True, text=True).stdout)[NAME]
    (folder / "hosts.json").write_text(json.dumps({"inference": {"hosts": {NAME: {
        "ansible_host": "127.0.0.1", "ansible_port": reach["port"], "ansible_user": "root",
        "ansible_ssh_private_key_file": reach["key"], "ansible_ssh_common_args": reach["options"],
        "ansible_python_interpreter": "/usr/bin/python3"}}}}))
    yield Node(show, folder)
    show("lab-down", [LAB, "down", "--now", NAME])
