# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CPUs are for what, in the report: one table for all that are alike, few of those that are not."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import partitions, summary


def partition(first=0, refused=None, **more):
    both = {"housekeeping": "%d" % first, "workload": "%d-9" % (first + 1)}
    return {**both, "gpus": {"0": "2-9"}, "refused": refused, "numa_nodes": {"0": both}, **more}


def host(given, failed=None):
    return {"status": "answered", "message": None, "classes": [], "reboot_required": False, "changed": False,
            "roles": {"cpu_isolation": {"failed": failed, "partition": given}, "vm": {"failed": None}},
            "settings": [], "rules": [], "topology": None}


def shown(hosts, width=100):
    found = partitions.none()
    for name, one in hosts:
        partitions.add(found, name, one)
    return [text for text, _kind in partitions.lines(found, width)]


def test_a_task_without_a_partition_keeps_none():
    assert partitions.of_task({}) == {}
    assert partitions.of_task({"options": {"vm_x": 1}}) == {}
    assert partitions.of_task({"options": {"cpu_isolation_partition": "no"}}) == {}
    assert partitions.of_task({"options": {"cpu_isolation_partition": partition()}}) == {"partition": partition()}


def test_the_table_of_a_thousand_equal_nodes_is_one():
    lines = shown(("n%d" % number, host(partition())) for number in range(1000))
    assert lines[1].startswith("CPUs of n0, n1, n2,")
    assert lines[1].endswith("n7 and 992 more")
    assert [line.split() for line in lines[2:]] == [
        ["where", "housekeeping", "workload"], ["NUMA", "node", "0", "0", "(1)", "1-9", "(9)"],
        ["GPU", "0", "2-9", "(8)"]]


def test_those_of_most_hosts_come_first_and_the_rest_is_in_the_file():
    hosts = [("n%d" % number, host(partition(number % 6))) for number in range(11)]
    lines = shown(hosts + [("x", host(partition(5)))] * 9)
    heads = [line for line in lines if line.startswith("CPUs of")]
    assert len(heads) == 4
    assert heads[0].startswith("CPUs of n5, x, x")
    assert lines[-1] == "2 more ways to part the CPUs of a node are only in audit.json, each below its host's role"


def test_what_is_not_kept_is_counted(monkeypatch):
    monkeypatch.setattr(partitions, "_MOST_KEPT", 5)
    assert shown(("n%d" % number, host(partition(number))) for number in range(8))[-1].startswith("4 more ways")


def test_a_refused_partition_says_why():
    lines = shown([("n", host(partition(refused="no core is left for work")))])
    assert lines[-1] == "  refused: no core is left for work"


def test_a_host_that_failed_has_no_table():
    assert shown([("n", host(partition(), failed="x")), ("m", host(None))]) == []


@pytest.mark.parametrize("bad", [{"gpus": {"0": "a-b"}}, {"numa_nodes": {"0": 1}}, {"gpus": ["0-3"]}])
def test_an_operators_partition_that_is_none_does_not_break_the_report(bad):
    assert any("not a partition" in line for line in shown([("n", host(partition(**bad)))]))


@pytest.mark.parametrize("width", [80, 160])
def test_no_line_is_wider_than_the_screen(width):
    wide = ",".join(str(number) for number in range(1, 200, 2))
    lines = shown([("n%d.example.com" % number, host(partition(workload=wide, gpus={"0": wide}, numa_nodes={
        "0": {"housekeeping": "0", "workload": wide}}))) for number in range(9)], width)
    assert max(len(line) for line in lines) <= width
    assert "199" in "".join("".join(lines).split())


def test_few_hosts_and_many_show_it_alike():
    hosts = [("a", host(partition())), ("b", host(partition()))]
    merged = summary.empty_merge()
    for name, one in hosts:
        summary.merge(merged, name, one)
    for lines in (summary.of_few(hosts, 100), summary.of_many(merged, 100)):
        assert [text for text, _kind in lines if text.startswith("CPUs of")] == ["CPUs of a, b"]
