# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""10 roles whose defaults call a filter on the topology, on 20 hosts with an 8-GPU node's fact, beside plain ones."""

from __future__ import annotations

import json
import pathlib
import sys
import tempfile

from measure import CHECKOUT, interleaved, processor, report

from tests.sysroots import eight_gpu

ROLES = 10
HOSTS = 20
DEFAULTS = 5
TASKS = 3
FILTER = "\"{{ ansible_facts.topology | gpuwright.node.dirty_limit('bytes', 'training') }}\""


def lay_out(folder, value):
    """A project of its own: roles, a playbook, an inventory of local hosts."""
    names = ["role%02d" % number for number in range(ROLES)]
    for name in names:
        variables = ["%s_%d" % (name, number) for number in range(DEFAULTS)]
        for part in ("defaults", "tasks"):
            (folder / "roles" / name / part).mkdir(parents=True)
        (folder / "roles" / name / "defaults" / "main.yml").write_text(
            "".join("%s: %s\n" % (variable, value) for variable in variables))
        (folder / "roles" / name / "tasks" / "main.yml").write_text("".join(
            "- ansible.builtin.assert:\n    quiet: true\n    that: [%s]\n"
            % ", ".join("%s | int > 0" % variable for variable in variables) for _task in range(TASKS)))
    (folder / "hosts").write_text("".join("host%02d ansible_connection=local\n" % number for number in range(HOSTS)))
    (folder / "site.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  pre_tasks:\n"
        "    - gpuwright.node.topology_facts:\n        sysroot: %s\n  roles: %s\n"
        % (folder.parent / "node", json.dumps(names)))
    (folder / "ansible.cfg").write_text("[defaults]\ninterpreter_python = %s\nforks = 4\n" % sys.executable)


def main():
    """Both projects in turns; what counts is processor time."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        eight_gpu.build(folder / "node")
        for kind, value in (("derived", FILTER), ("plain", "4294967296")):
            lay_out(folder / kind, value)

        def play(kind):
            return processor(
                ["ansible-playbook", "-i", folder / kind / "hosts", folder / kind / "site.yml"],
                ANSIBLE_CONFIG=str(folder / kind / "ansible.cfg"),
                ANSIBLE_COLLECTIONS_PATH=str(CHECKOUT / ".cache" / "collections"))

        derived, plain = interleaved(lambda: play("derived"), lambda: play("plain"), 3)
    report("%d roles, %d defaults each, %d hosts, processor time" % (ROLES, DEFAULTS, HOSTS),
           ("defaults call gpuwright.node.dirty_limit", derived), ("defaults are plain values", plain),
           "ratio %.2f, at most 1.3" % (derived / plain))


main()
