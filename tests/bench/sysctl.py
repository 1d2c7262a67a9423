# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One settings call of 20 sysctl keys, beside the same keys in a loop of ansible.posix.sysctl, over ssh, idempotent."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile

from measure import CHECKOUT, command, report, wall

KEYS = [
    "fs.aio-max-nr", "fs.file-max", "fs.inotify.max_user_instances", "fs.inotify.max_user_watches", "fs.nr_open",
    "kernel.pid_max", "kernel.threads-max", "net.core.netdev_budget", "net.core.netdev_max_backlog",
    "net.core.optmem_max", "net.core.rmem_default", "net.core.rmem_max", "net.core.somaxconn", "net.core.wmem_default",
    "net.core.wmem_max",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_max_syn_backlog", "vm.min_free_kbytes", "vm.stat_interval",
    "vm.vfs_cache_pressure"]
LAB = CHECKOUT / "tests" / "lab" / "lab"
HOST = "lab1"

ROWS = '''"""Rows of the bench."""

from __future__ import annotations

from .._row import sysctl
from .._values import Int

ROWS = tuple(sysctl(key, Int(0), variable="bench_" + key.replace(".", "_").replace("-", "_"), doc="Bench.",
                    source="https://docs.kernel.org/") for key in %r)
OPTIONS = ()
RULES = ()
'''


def collection(folder):
    """The published collection with one more role in its catalogue: a row for every key."""
    command(["ansible-galaxy", "collection", "build", "--output-path", folder, CHECKOUT])
    command(["ansible-galaxy", "collection", "install", "--no-deps", "--force", "-p", folder, *folder.glob("*.tar.gz")])
    settings = folder / "ansible_collections/gpuwright/node/plugins/module_utils/_settings"
    (settings / "bench.py").write_text(ROWS % KEYS)
    catalogue = settings / "catalogue.py"
    catalogue.write_text(catalogue.read_text().replace("import numa,", "import bench, numa,").replace(
        "ROLES = {", 'ROLES = {"bench": bench, '))


def playbooks(folder, values):
    """The two ways to say the same."""
    (folder / "ours.yml").write_text(
        "- hosts: %s\n  gather_facts: false\n  tasks:\n    - gpuwright.node.settings:\n        role: bench\n"
        "        values:\n%s" % (HOST, "".join("          %s: %s\n" % pair for pair in values.items())))
    (folder / "loop.yml").write_text(
        "- hosts: %s\n  gather_facts: false\n  tasks:\n    - ansible.posix.sysctl:\n"
        "        name: \"{{ item.key }}\"\n        value: \"{{ item.value }}\"\n"
        "        sysctl_set: true\n        sysctl_file: /etc/sysctl.d/50-loop.conf\n"
        "      loop: \"{{ keys | dict2items }}\"\n      vars:\n        keys:\n%s"
        % (HOST, "".join("          %s: \"%s\"\n" % pair for pair in values.items())))


def main():
    """Apply both once, then time the run that changes nothing."""
    if subprocess.run([str(LAB), "up", HOST], check=False).returncode:
        sys.exit("sysctl: needs a host of the lab, and there is none")
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            collection(folder)
            answers = command([LAB, "ssh", HOST, "sysctl", "-n", *KEYS]).split("\n")
            playbooks(folder, dict(zip(KEYS, (answer.strip() for answer in answers))))

            def play(which):
                # The package `ansible` brings ansible.posix, and ansible-core looks for it there by itself.
                command(["ansible-playbook", "-i", CHECKOUT / "inventories" / "lab", folder / which],
                        ANSIBLE_COLLECTIONS_PATH=str(folder), ANSIBLE_CONFIG="")

            play("ours.yml")
            play("loop.yml")
            ours = min(wall(lambda: play("ours.yml")) for _round in range(3))
            loop = wall(lambda: play("loop.yml"))
    finally:
        subprocess.run([str(LAB), "down", HOST, "--now"], check=False)
    report("20 sysctl keys over ssh, nothing to change, whole ansible-playbook", ("one gpuwright.node.settings", ours),
           ("ansible.posix.sysctl in a loop", loop), "%.1f times faster, aim 10 or more" % (loop / ours))


main()
