# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of a partition: every node in order, its GPUs below it, and a refusal said."""

from __future__ import annotations

from hypothesis import given

from ansible_collections.gpuwright.node.plugins.module_utils._derive.cpu_partition import cpu_partition
from ansible_collections.gpuwright.node.plugins.module_utils._derive.partition_table import rows, table

from tests.sysroots.any_machine import machines

PARTITION = {
    "housekeeping": "0-1,8-9", "workload": "2-7,10-15", "gpus": {"0": "10-15", "10": "5-7", "2": "2-4"},
    "numa_nodes": {"10": {"housekeeping": "8-9", "workload": "10-15"}, "2": {"housekeeping": "0-1", "workload": "2-7"},
                   "11": {"housekeeping": "", "workload": ""}},
    "refused": None}


def test_nodes_and_gpus_are_in_the_order_of_their_numbers():
    assert table(PARTITION).splitlines() == [
        "where         housekeeping  workload",
        "NUMA node 2   0-1 (2)       2-7 (6)",
        "  GPU 2                     2-4 (3)",
        "  GPU 10                    5-7 (3)",
        "NUMA node 10  8-9 (2)       10-15 (6)",
        "  GPU 0                     10-15 (6)",
        "NUMA node 11  -             -"]


def test_a_partition_without_nodes_is_one_row():
    assert rows({"housekeeping": "0", "workload": "1-3", "gpus": {"0": "1-3"}}) == [
        ("node", "0 (1)", "1-3 (3)"), ("  GPU 0", "", "1-3 (3)")]


def test_yaml_makes_numbers_of_what_names_one():
    both = {"housekeeping": 0, "workload": 1}
    assert rows({"gpus": {0: 1}, "numa_nodes": {0: both}}) == [
        ("NUMA node 0", "0 (1)", "1 (1)"), ("  GPU 0", "", "1 (1)")]


def test_a_refusal_is_said():
    assert table(dict(PARTITION, refused="no core is left")).splitlines()[-1] == "refused: no core is left"


@given(machines())
def test_of_any_machine_every_gpu_is_in_the_table(machine):
    answer = cpu_partition(machine)
    text = table(answer)
    assert text.count("NUMA node ") - text.count("refused: NUMA node") >= len(answer["numa_nodes"])
    assert all("  GPU %s " % index in text for index in answer["gpus"])
