# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode and audit.yml write nothing on a node: no file, no kernel value, seen from below by strace."""

from __future__ import annotations

import pytest
import trace_writes

TRACED = ["-e", "ansible_python_interpreter=" + trace_writes.WRAPPER]
PLANTED = "/etc/sysctl.d/99-planted.conf"

# topology_facts and one module for each of the roles vm, thp and numa.
MODULES = ["settings", "settings", "settings", "topology_facts"]


@pytest.fixture
def traces(node):
    """Modules on the host run under strace; what they called, a text a module."""
    node.command("cat > %s; chmod 755 %s" % (trace_writes.WRAPPER, trace_writes.WRAPPER), input=trace_writes.SCRIPT)
    yield lambda: node.command(
        "cd %s; for trace in *; do cat $trace; echo; echo ==; done" % trace_writes.TRACES).split("==\n")[:-1]
    node.command("rm -rf %s %s" % (trace_writes.WRAPPER, trace_writes.TRACES))


def modules(texts):
    """Which of the collection's modules left a trace."""
    names = ("settings", "topology_facts", "rollback")
    return sorted(name for text in texts for name in names if "/AnsiballZ_%s.py" % name in text)


@pytest.mark.lab
@pytest.mark.parametrize(("playbook", "options"), [("site", ["--check", "--diff"]), ("audit", [])])
def test_nothing_is_written_on_the_node(node, traces, playbook, options):
    answer = node.playbook(playbook, *options, *TRACED)
    assert any(step["status"] == "drift" for step in answer["settings"])
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
