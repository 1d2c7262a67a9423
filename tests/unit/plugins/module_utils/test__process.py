# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what a process does to itself, on the kernel of this machine: CPUs, memory, signals, environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _process

CPUS = sorted(os.sched_getaffinity(0))
BEGIN = "import sys; sys.path[:0] = sys.argv[1].split(':'); " + (
    "from ansible_collections.gpuwright.node.plugins.module_utils import _process; ")
# What a program sees of itself that was started so: /proc/self/numa_maps names the policy of each of its mappings.
SEEN = ("import json, os, re, signal; print(json.dumps({'pid': os.getpid(), 'cpus': sorted(os.sched_getaffinity(0)), "
        "'policies': sorted(set(re.findall(r'(?m)^[0-9a-f]+ (\\S+)', open('/proc/self/numa_maps').read()))), "
        "'environ': open('/proc/self/environ').read()}))")


@pytest.fixture(name="child")
def fixture_child(checkout):
    """run(code, **environment) -> the finished process of some code that has _process."""
    paths = "%s:%s" % (checkout / ".cache/collections", checkout)

    def run(code, **environment):
        return subprocess.run([sys.executable, "-I", "-c", BEGIN + code, paths, SEEN], capture_output=True, text=True,
                              check=False, env=environment)
    return run


BECOME = "_process.become([sys.executable, '-I', '-S', '-c', sys.argv[2]], _process.environment())"


def test_cpus_hold_for_what_the_process_becomes(child):
    told = json.loads(child("_process.bind_cpus({%d}); " % CPUS[-1] + BECOME).stdout)
    assert told["cpus"] == [CPUS[-1]]


def test_the_control_groups_cpus_are_seen_past_a_narrower_binding_which_stays(child):
    done = child("_process.bind_cpus({%d}); import os; print(sorted(_process.cpus()), sorted(os.sched_getaffinity(0)))"
                 % CPUS[-1])
    assert done.stdout == "%s [%d]\n" % (sorted(_process.cpus()), CPUS[-1])
    assert set(CPUS) <= _process.cpus()


def test_no_cpu_of_this_machine_is_an_error_of_the_kernels(child):
    done = child("_process.bind_cpus({4095}); " + BECOME)
    assert done.returncode and "Invalid argument" in done.stderr


if os.path.exists("/proc/self/numa_maps"):
    @pytest.mark.parametrize("strict, policy", [(True, "bind:"), (False, "prefer:")])
    def test_memory_is_bound_or_preferred(child, strict, policy):
        node = min(_process.memory_nodes())
        told = json.loads(child("_process.bind_memory([%d], %s); " % (node, strict) + BECOME).stdout)
        assert "%s%d" % (policy, node) in told["policies"]

    def test_without_a_word_memory_is_left_alone(child):
        assert json.loads(child(BECOME).stdout)["policies"] == ["default"]


def test_a_node_that_is_not_there_is_an_error_of_the_kernels(child):
    done = child("_process.bind_memory([1000], True)")
    assert done.returncode and "Invalid argument" in done.stderr


def test_several_nodes_are_preferred_together_or_the_first_where_the_kernel_is_older(monkeypatch):
    asked = []

    def set_mempolicy(mode, nodes):
        asked.append((mode, nodes))
        if mode == 5:
            raise OSError(22, "Invalid argument")
    monkeypatch.setattr(_process, "_set_mempolicy", set_mempolicy)
    _process.bind_memory([0, 2], False)
    assert asked == [(5, [0, 2]), (1, [0])]


def test_this_kernel_takes_a_mask_of_several_words(child):
    """Node 64 lies in the second word: the kernel leaves out what it has not, and keeps what is there."""
    node = min(_process.memory_nodes())
    assert child("_process._set_mempolicy(1, [%d, 64])" % node).stderr == ""


def test_the_memory_nodes_are_those_of_proc():
    with open("/proc/self/status", encoding="ascii") as stream:
        listed = stream.read().split("Mems_allowed_list:")[1].split()[0]
    assert str(min(_process.memory_nodes())) == listed.split(",")[0].split("-")[0]


@pytest.mark.parametrize("given", [{}, {"A": "b=c", "LD_X": "", "PATH": "/nowhere"}])
def test_the_environment_stays_to_the_byte(child, given):
    told = json.loads(child(BECOME, **given).stdout)
    assert sorted(told["environ"].split("\0")) == sorted([""] + ["%s=%s" % pair for pair in given.items()])


def test_no_signal_is_ignored_that_was_not(child):
    """Python ignores SIGPIPE (13) and SIGXFSZ (25) for itself."""
    done = child("_process.become(['/bin/grep', 'SigIgn', '/proc/self/status'], {})")
    assert int(done.stdout.split()[1], 16) & (1 << 12 | 1 << 24) == 0


def test_a_program_that_is_not_there(child):
    assert "FileNotFoundError" in child("_process.become(['no-such-program'], _process.environment())").stderr
