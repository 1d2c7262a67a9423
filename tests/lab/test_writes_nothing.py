# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode and audit.yml write nothing on a node: no file, no kernel value, seen from below by strace."""

from __future__ import annotations

import json

import pytest
import trace_writes

TRACED = ["-e", "ansible_python_interpreter=" + trace_writes.WRAPPER]
PLANTED = "/etc/sysctl.d/99-planted.conf"

# The two modules for facts, and one for each of the roles vm, thp, numa and cpu_isolation.
MODULES = ["health_facts", "settings", "settings", "settings", "settings", "topology_facts"]

# By default a host of two cores is not divided, and there would be nothing to keep from writing.
CPUS = {"housekeeping": "0-1", "workload": "2-3", "gpus": {}, "refused": None,
        "numa_nodes": {"0": {"housekeeping": "0-1", "workload": ""}, "1": {"housekeeping": "0-1", "workload": "2-3"}}}
DIVIDED = [["-e", json.dumps({"cpu_isolation_mode": mode, "cpu_isolation_partition": CPUS, **others})]
           for mode, others in (("partition", {}), ("boot", {"cpu_isolation_threads_pinned": True}))]


@pytest.fixture
def traces(node):
    """Modules on the host run under strace; what they called, a text a module."""
    node.command("cat > %s; chmod 755 %s" % (trace_writes.WRAPPER, trace_writes.WRAPPER), input=trace_writes.SCRIPT)
    yield lambda: node.command(
        "cd %s; for trace in *; do cat $trace; echo; echo ==; done" % trace_writes.TRACES).split("==\n")[:-1]
    node.command("rm -rf %s %s" % (trace_writes.WRAPPER, trace_writes.TRACES))


def modules(texts):
    """Which of the collection's modules left a trace."""
    names = ("settings", "topology_facts", "health_facts", "rollback")
    return sorted(name for text in texts for name in names if "/AnsiballZ_%s.py" % name in text)


@pytest.mark.lab
@pytest.mark.parametrize(("playbook", "options"), [("site", ["--check", "--diff", *DIVIDED[0]]), ("audit", DIVIDED[1])])
def test_nothing_is_written_on_the_node(node, traces, playbook, options):
    answer = node.playbook(playbook, *options, *TRACED)
    drift = {step["kind"] for step in answer["settings"] if step["status"] == "drift"}
    assert {"sysctl", "irq", "unit_environment", "document"} < drift
    assert {"resource_control", "cpuset", "kernel_argument"} & drift
    found = traces()
    assert modules(found) == MODULES
    wrong = [call for text in found for call in trace_writes.writes(text)]
    assert wrong == [], "\n".join(wrong)


@pytest.mark.lab
def test_a_planted_write_is_seen(node, traces):
    node.task("ansible.builtin.command", "sysctl -w vm.swappiness=60", *TRACED)
    node.task("ansible.builtin.lineinfile", "path=%s line=vm.swappiness=60 create=true mode=0644" % PLANTED, *TRACED)
    node.command("rm " + PLANTED)
    found = [call for text in traces() for call in trace_writes.writes(text)]
    for verb, path in (("open", "/proc/sys/vm/swappiness"), ("rename", PLANTED)):
        assert any(call.startswith(verb) and path in call for call in found), "\n".join(found)
