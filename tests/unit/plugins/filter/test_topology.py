# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the filters: how much may be dirty, by memory and workload; CPUs for work; and clear errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter import topology as filters

from tests.conftest import COLLECTIONS

GIB = 1 << 30


def node(*memory, kind="cpu"):
    """A topology with nodes of these sizes in GiB."""
    return {"numa_nodes": [{"id": number, "memory": size and size * GIB, "kind": kind}
                           for number, size in enumerate(memory)]}


@pytest.mark.parametrize("memory, workload, ratio, size", [
    ((64, 64), "inference", (10, 3), (None, None)),
    ((1024, 1024), "inference", (None, None), (16 * GIB, 2 * GIB)),
    ((1024, 1024), "training", (None, None), (32 * GIB, 4 * GIB)),
    ((1024,), "cpu", (None, None), (16 * GIB, 2 * GIB)),
    ((None, None), "training", (10, 3), (None, None)),
    ((), "training", (10, 3), (None, None)),
])
def test_small_hosts_get_percentages_and_large_ones_bytes(memory, workload, ratio, size):
    given = [filters.dirty_limit(node(*memory), limit, workload)
             for limit in ("ratio", "background_ratio", "bytes", "background_bytes")]
    assert tuple(given[:2]) == ratio and tuple(given[2:]) == size


def test_the_memory_of_gpus_does_not_count():
    assert filters.dirty_limit(node(1024, kind="gpu"), "ratio") == 10


@pytest.mark.parametrize("arguments, words", [
    ((node(64), "rato"), "'rato' is no limit; known: ratio"), ((node(64), "ratio", "infer"), "'infer' is no workload"),
    (({}, "ratio"), "run that module first"), ((None, "ratio"), "run that module first"),
])
def test_bad_input_is_a_filter_error_in_words(arguments, words):
    with pytest.raises(AnsibleFilterError, match=words):
        filters.dirty_limit(*arguments)


CPUS = {"cpu": {"online": "0-3", "cores": [{"cpus": str(cpu), "numa_node": 0} for cpu in range(4)]},
        "numa_nodes": [{"id": 0, "cpus": "0-3", "memory": 64 * GIB, "kind": "cpu"}],
        "gpus": [{"index": 0, "numa_node": 0, "cpus": "0-3"}]}


def test_the_cpus_of_a_node_and_what_launchers_read_of_them():
    partition = filters.cpu_partition(CPUS)
    assert partition == {"housekeeping": "0-1", "workload": "2-3", "gpus": {"0": "2-3"}, "refused": None,
                         "numa_nodes": {"0": {"housekeeping": "0-1", "workload": "2-3"}}}
    assert filters.cpu_partition(CPUS, housekeeping_cores_per_node="3")["workload"] == "3"
    assert filters.cpu_affinity(CPUS, partition)["gpus"]["0"]["cpus"] == "2-3"


def test_templates_in_an_operators_own_partition_are_resolved(tmp_path):
    """By Ansible itself, for what it hands to a filter is its own affair."""
    own = {"housekeeping": "{{ 0 }}-1", "workload": "2-3", "gpus": {"0": "{{ 2 + 1 }}"}}
    message = "{{ topology | gpuwright.node.cpu_affinity(own) | to_json }}"
    answer = subprocess.run(
        [sys.executable, "-m", "ansible", "adhoc", "localhost", "-m", "ansible.builtin.debug",
         "-a", "msg='%s'" % message, "-e", json.dumps({"topology": CPUS, "own": own})],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_NOCOLOR": "1"},
        cwd=tmp_path, capture_output=True, text=True, check=False)
    assert '"cpus": "3"' in answer.stdout.replace("\\", ""), answer.stdout + answer.stderr
    assert '"housekeeping": "0-1"' in answer.stdout.replace("\\", "")


@pytest.mark.parametrize("name, topology, argument, words", [
    ("cpu_partition", {}, 2, "cpu_partition needs the fact of gpuwright.node.topology_facts, .* run that module first"),
    ("cpu_partition", None, 2, "run that module first"),
    ("cpu_partition", CPUS, True, "gpuwright.node.cpu_partition: housekeeping_cores_per_node: True is not a whole"),
    ("cpu_affinity", {}, {}, "cpu_affinity needs the fact"),
    ("cpu_affinity", CPUS, {}, "gpuwright.node.cpu_affinity: the partition must be what the filter"),
])
def test_bad_input_of_any_filter_is_an_error_in_words(name, topology, argument, words):
    with pytest.raises(AnsibleFilterError, match=words):
        filters.FilterModule().filters()[name](topology, argument)


def test_a_lazy_fact_is_thawed_once_and_not_walked():
    class Lazy(dict):
        """Stands for ansible-core's lazy container: walking it is what costs."""

        def _non_lazy_copy(self):
            return dict.copy(self)

        def __getitem__(self, key):
            raise AssertionError("walked without thawing")

    assert filters.dirty_limit(Lazy(node(64)), "ratio") == 10


def test_every_filter_thaws_first():
    """By reading the code: the first statement of each filter hands its topology to `thaw`."""
    import inspect

    for name, function in filters.FilterModule().filters().items():
        body = inspect.getsource(function).split('"""')[2].strip().splitlines()[0]
        assert body == "topology = thaw(topology)", name
