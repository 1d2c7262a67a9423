# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the report: what is shown of a few hosts, how many are merged; nothing unchecked is called ok."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import summary


def step(name, running, desired, status, **more):
    return dict({"name": name, "target": name, "running": running, "desired": desired, "status": status, "role": "vm",
                 "why": "default", "reason": ""}, **more)


def host(*steps, **more):
    return dict({"status": "answered", "message": None, "classes": ["inference"], "reboot_required": False,
                 "changed": False, "roles": {"vm": {}}, "settings": list(steps), "rules": [], "topology": None}, **more)


OK = step("vm.max_map_count", "1048576", "1048576", "ok")
DRIFT = step("vm.swappiness", "60", "10", "drift", reason="running 60, not persisted")
CONFLICT = step("vm.dirty_ratio", "20", "10", "conflict", reason="99-local.conf sets 20")


def text(lines):
    return [line for line, _kind in lines]


def kinds(lines, word):
    return {kind for line, kind in lines if word in line}


def merged(hosts):
    found = summary.empty_merge()
    for name, one in hosts:
        summary.merge(found, name, one)
    return summary.of_many(found, 100)


def test_the_line_of_a_host_counts_each_status():
    assert summary.host_line("node1", host(OK, OK, DRIFT, CONFLICT)) == "node1: 2 ok, 1 drift, 1 conflict"


def test_the_line_of_a_host_names_rules_and_reboot():
    line = summary.host_line("node1", host(OK, reboot_required=True,
                                           rules=[{"severity": "E"}, {"severity": "W"}, {"severity": "W"}]))
    assert line == "node1: 1 ok, 1 error from rules, 2 warnings from rules, a reboot is required"


def test_a_host_that_did_not_answer_says_so_first():
    assert summary.host_line("node1", host(OK, status="failed", message="vm: planted")).startswith(
        "node1: FAILED (vm: planted)")
    assert summary.host_line("node1", host(roles={})) == "node1: no setting was checked"


def test_a_role_with_nothing_to_set_ran_all_the_same():
    assert "  nothing to set here" in text(summary.of_host("node1", host(roles={"nccl_env": {}}), 120))
    assert "  no setting was checked" in text(summary.of_host("node1", host(roles={"nccl_env": {"failed": True}}), 120))


def test_a_row_has_setting_running_desired_status_and_why():
    lines = summary.of_host("node1", host(OK, CONFLICT), 120)
    row = next(line for line in text(lines) if "vm.dirty_ratio" in line)
    assert row.split(maxsplit=4) == ["vm.dirty_ratio", "20", "10", "conflict", "default; 99-local.conf sets 20"]
    assert kinds(lines, "vm.dirty_ratio") == {"conflict"}
    assert text(lines)[-1] == "node1: 1 ok, 1 conflict"


def test_what_the_columns_say_is_not_said_again():
    row = next(line for line in text(summary.of_host("node1", host(DRIFT), 120)) if "vm.swappiness" in line)
    assert row.split(maxsplit=4) == ["vm.swappiness", "60", "10", "drift", "default; not persisted"]


def test_a_change_is_shown_with_before_and_after():
    lines = summary.of_host("node1", host(dict(DRIFT, changed=True, after="10")), 120)
    row = next(line for line in text(lines) if "vm.swappiness" in line)
    assert "60 -> 10" in row
    assert row.split()[-2:] == ["changed", "default"]


def test_a_write_that_failed_is_shown_as_an_error():
    lines = summary.of_host("node1", host(dict(DRIFT, changed=False, error="Invalid argument")), 120)
    row = next(line for line in text(lines) if "vm.swappiness" in line)
    assert "error" in row.split()
    assert "Invalid argument" in row


def test_a_place_of_its_own_is_part_of_the_name():
    lines = summary.of_host("node1", host(dict(OK, name="nr_hugepages", target="node0/hugepages-2048kB")), 120)
    assert any("nr_hugepages node0/hugepages-2048kB" in line for line in text(lines))


def test_a_name_with_a_place_for_the_device_is_not_shown_beside_the_real_one():
    one = dict(OK, name="net.ipv4.conf.{device}.arp_ignore", target="net.ipv4.conf.rail0.arp_ignore")
    lines = text(summary.of_host("node1", host(one), 120))
    assert any(line.lstrip().startswith("net.ipv4.conf.rail0.arp_ignore ") for line in lines)
    assert not any("{device}" in line for line in lines)


def test_findings_of_rules_follow_their_table():
    found = {"rule": "R16", "severity": "E", "setting": "vm.panic_on_oom", "message": "hangs", "role": "vm"}
    lines = summary.of_host("node1", host(OK, rules=[found]), 120)
    assert "  R16 (error) vm.panic_on_oom: hangs" in text(lines)
    assert kinds(lines, "R16") == {"error"}


def test_what_does_not_apply_is_a_sentence_a_reason_and_no_row():
    nowhere = [step(name, None, "1", "not_applicable", reason="there is no RDMA device here")
               for name in ("dcb/trust", "net.ipv4.conf.{device}.arp_ignore")]
    missing = step("ring/rx", None, "1024", "not_applicable", target="eth0/ring/rx", reason="its driver has no rings")
    nowhere += [step("ecn/enable", None, "3", "not_applicable", target="eth%d/ecn/enable" % number, reason="no OFED")
                for number in range(8)]
    other = step("ring/rx", "1024", "1024", "ok", target="eth1/ring/rx")
    lines = text(summary.of_host("node1", host(OK, *nowhere, missing, other), 120))
    assert "  not_applicable: ecn/enable: no OFED" in lines and not any("eth0/ecn" in line for line in lines)
    assert "  not_applicable: dcb/trust, net.ipv4.conf.arp_ignore: there is no RDMA device here" in lines
    assert any(line.startswith("  eth0/ring/rx ") and line.endswith("its driver has no rings") for line in lines)
    assert lines[-1] == "node1: 2 ok, 11 not_applicable"


def test_a_role_of_which_nothing_applies_has_no_table():
    lines = text(summary.of_host("node1", host(step("dcb/trust", None, "dscp", "not_applicable", reason="none")), 120))
    assert lines[2:5] == ["", "vm", "  not_applicable: dcb/trust: none"]


def test_the_hardware_is_named_from_the_topology():
    topology = {"numa_nodes": [{}, {}], "gpus": [{"name": "NVIDIA H200"}] * 8, "rdma_devices": [{}], "nvme": [],
                "system": {"kernel": "6.12"}}
    line = text(summary.of_host("node1", host(OK, topology=topology), 160))[1]
    assert line == ("node1 (inference): 2 NUMA nodes, 8 GPUs (NVIDIA H200), 1 RDMA device, 0 NVMe drives, kernel 6.12")


def test_equal_lines_of_many_hosts_are_one():
    lines = text(merged(("n%d" % number, host(OK, DRIFT)) for number in range(42)))
    rows = [line for line in lines if "vm.swappiness" in line]
    assert len(rows) == 1
    assert rows[0].split()[:6] == ["42", "hosts", "vm.swappiness", "60", "10", "drift"]
    assert not any("vm.max_map_count" in line for line in lines)
    assert "vm: 42 hosts, 42 settings ok" in lines
    assert lines[-1] == "inference: 42 with drift"


def test_a_host_of_its_own_kind_is_named():
    hosts = [("n%d" % number, host(OK)) for number in range(5)] + [("odd", host(DRIFT))]
    rows = [line for line in text(merged(hosts)) if "vm.swappiness" in line]
    assert rows[0].split()[:2] == ["odd", "vm.swappiness"]


def test_reasons_that_differ_do_not_part_equal_lines():
    hosts = [("n%d" % number, host(dict(DRIFT, why="host_vars/n%d.yml" % number))) for number in range(5)]
    rows = [line for line in text(merged(hosts)) if "vm.swappiness" in line]
    assert len(rows) == 1
    assert "differs by host" in rows[0]


def test_the_output_on_very_many_differences_is_bounded_and_says_so():
    hosts = [("n%d" % number, host(dict(DRIFT, running=str(number)), status="failed", message="x"))
             for number in range(6000)]
    lines = text(merged(hosts))
    assert len(lines) < 300
    assert any("more lines like these" in line for line in lines)
    assert any("more differences are only in audit.json" in line for line in lines)
    assert any("5960 more that were not" in line for line in lines)
    assert lines[-1] == "inference: 6000 not wholly checked"


@pytest.mark.parametrize(("one", "words"), [
    (host(OK), "1 ok"),
    (host(roles={}), "1 with no setting checked"),
    (host(OK, status="stopped", message="x"), "1 not wholly checked"),
    (host(OK, rules=[{"rule": "R1", "severity": "E", "setting": None, "message": "m", "role": "vm"}]), "1 with errors"),
])
def test_only_a_host_of_which_all_was_checked_is_ok(one, words):
    assert text(merged([("n", one)]))[-1] == "inference: " + words


def test_devices_of_which_all_is_alike_are_one_row_and_a_device_that_differs_has_its_own():
    many = [step("dcb/trust", "pcp", "dscp", "refused", reason="never tried", target="rail%d/dcb/trust" % number)
            for number in range(8)]
    other = step("dcb/trust", "dscp", "dscp", "ok", target="rail8/dcb/trust")
    two = [step("ring/rx", "1", "2", "drift", reason="running 1", target="rail%d/ring/rx" % number)
           for number in range(2)]
    lines = text(summary.of_host("node1", host(*many, other, *two), 120))
    (row,) = [line for line in lines if "never tried" in line]
    assert row.startswith("  dcb/trust (rail0 and 7 more)")
    assert [line.split()[0] for line in lines if "/" in line and line.startswith("  rail")] == [
        "rail8/dcb/trust", "rail0/ring/rx", "rail1/ring/rx"]
    assert "8 refused, 2 drift, 1 ok" in lines[-1] or "1 ok, 2 drift, 8 refused" in lines[-1]
