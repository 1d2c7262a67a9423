# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real virtual hosts for the tests that need them, never more than two at once; most tests share one."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
LAB = HERE / "lab"
NO_LAB_STATUS = 77
LATEST_MINUTES = 60
WHOLE_WAY = ("test_molecule.py", "test_vllm.py")
BEGUN = pytest.StashKey()

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
    """Leave out what needs a host where there can be none; hosts are gone before others come.

    Files that go the whole way come first, for the last ones may be left out; the one that needs most of the machine
    is last.
    """
    if config.no_lab:
        items[:] = [item for item in items if item.get_closest_marker("lab") is None]
    items.sort(key=lambda item: ("eight_cpus" in item.fixturenames, item.path.name not in WHOLE_WAY,
                                 "node" in item.fixturenames))


def pytest_runtest_protocol(item):
    """Begin no file so late that a CI with a limit of 90 minutes would end the run: it is left out, and said to be."""
    begun = item.config.stash.setdefault(BEGUN, {})
    if item.path not in begun:
        minutes = (time.time() - int(os.environ.get("TESTS_STARTED") or time.time())) / 60
        begun[item.path] = item.get_closest_marker("lab") is None or minutes < LATEST_MINUTES
        if not begun[item.path]:
            item.config.left_out.append("%s: the run had taken %d minutes, and it begins before minute %d or not at all"
                                        % (item.path.relative_to(CHECKOUT), minutes, LATEST_MINUTES))
    return None if begun[item.path] else True


class Node:
    """A fresh host: commands on it, playbooks against it, and what the report then says of it."""

    def __init__(self, show, folder, name):
        self.show = show
        self.name = name
        self.report = folder / "report"
        self.inventory = folder / "hosts.json"
        reach = json.loads(subprocess.run([LAB, "inventory"], check=True, capture_output=True, text=True).stdout)[name]
        self.inventory.write_text(json.dumps({"inference": {"hosts": {name: {
            "ansible_host": "127.0.0.1", "ansible_port": reach["port"], "ansible_user": "root",
            "ansible_ssh_private_key_file": reach["key"], "ansible_ssh_common_args": reach["options"],
            "ansible_python_interpreter": "/usr/bin/python3"}}}}))

    def command(self, words, **options):
        """What a command on the host prints."""
        argv = [LAB, "ssh", self.name, words]
        return subprocess.run(argv, check=True, capture_output=True, text=True, **options).stdout

    def snapshot(self):
        """Every value and every file of the host."""
        argv = [LAB, "snapshot", self.name]
        return json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)

    def monitor(self, command, **arguments):
        """A command to the machine that the host is."""
        import guest  # pylint: disable=import-outside-toplevel
        assert guest.monitor(guest.home() / self.name, command, **arguments) is not None, command

    def task(self, module, arguments, *options):
        """Run one task on the host."""
        self.show("lab-task", ["ansible", self.name, "-i", self.inventory, "-m", module, "-a", arguments, *options])

    def play(self, name, *options):
        """Run a playbook of the collection on the host."""
        self.show("lab-" + name, [
            "ansible-playbook", "-i", self.inventory, *options, "-e", "gpuwright_report_dir=%s" % self.report,
            CHECKOUT / "playbooks" / (name + ".yml")])

    def playbook(self, name, *options, fails=False):
        """Run a playbook that reports, well or not as is expected; the answer is the host's part of its report."""
        (self.report / "audit.json").unlink(missing_ok=True)
        with pytest.raises(AssertionError, match="exit status") if fails else contextlib.nullcontext():
            self.play(name, *options)
        return json.loads((self.report / "audit.json").read_text())["hosts"][self.name]


@contextlib.contextmanager
def fresh(show, folder, name, *options):
    """One fresh inference host."""
    show("lab-up", [LAB, "up", name, *options])
    try:
        yield Node(show, folder, name)
    finally:
        show("lab-down", [LAB, "down", "--now", name])


@pytest.fixture(scope="session")
def node(show, tmp_path_factory):
    """The host that most tests share."""
    with fresh(show, tmp_path_factory.mktemp("lab"), "pytest") as host:
        yield host


@pytest.fixture(scope="module")
def eight_cpus(show, tmp_path_factory):
    """A host of eight CPUs, two whole cores on each NUMA node."""
    with fresh(show, tmp_path_factory.mktemp("eight"), "eight", "--cpus", "8") as host:
        yield host


@pytest.fixture(scope="module")
def drives(show, tmp_path_factory):
    """A host whose NVMe drives are set, pulled out and plugged in."""
    with fresh(show, tmp_path_factory.mktemp("nvme"), "nvme1") as host:
        yield host


@pytest.fixture(scope="module")
def two_nics(show, tmp_path_factory):
    """A host with a second NIC, by which nobody reaches it."""
    with fresh(show, tmp_path_factory.mktemp("links"), "links", "--rail") as host:
        yield host


@pytest.fixture(scope="module")
def soft_roce_host(show, tmp_path_factory):
    """A host that gets an RDMA device in software."""
    with fresh(show, tmp_path_factory.mktemp("rdma"), "rdma1") as host:
        yield host
