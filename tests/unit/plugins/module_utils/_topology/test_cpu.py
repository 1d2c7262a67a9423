# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUs: which are online, and the packages, cores and caches that hold them, in the shapes that kernels show."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._topology import cpu

SYS = "/sys/devices/system/cpu/"


def read(host):
    found = {"sources": {}, "notes": host.notes}
    return cpu.read(host, found), found["sources"]


def test_smt_siblings_that_are_offline_do_not_count(machine):
    files = {SYS + "online": "0-2\n", SYS + "present": "0-3\n", SYS + "offline": "3-255\n"}
    for number, siblings in ((0, "0,2"), (1, "1,3"), (2, "0,2")):
        files.update({SYS + "cpu%d/topology/thread_siblings_list" % number: siblings,
                      SYS + "cpu%d/topology/core_siblings_list" % number: "0-3",
                      SYS + "cpu%d/topology/physical_package_id" % number: "0"})
    fact, sources = read(machine(files))
    assert fact["cores"] == [{"cpus": "0,2", "package": 0, "numa_node": None},
                             {"cpus": "1", "package": 0, "numa_node": None}]
    assert fact["threads_per_core"] == 2
    assert fact["packages"] == [{"id": 0, "cpus": "0-2"}]
    assert fact["offline"] == "3"
    assert sources == {}


def test_masks_of_old_kernels_and_cpus_without_an_online_file(machine):
    files = {SYS + "cpu5/online": "0"}
    for number in range(5):
        files.update({SYS + "cpu%d/topology/thread_siblings" % number: "0000001f",
                      SYS + "cpu%d/topology/core_siblings" % number: "00000000,0000003f",
                      SYS + "cpu%d/topology/physical_package_id" % number: "7"})
    fact, sources = read(machine(files))
    assert fact["online"] == "0-4"
    assert (fact["present"], fact["offline"], fact["isolated"], fact["nohz_full"]) == (None, None, None, None)
    assert [core["cpus"] for core in fact["cores"]] == ["0-4"]
    assert fact["packages"] == [{"id": 7, "cpus": "0-4"}]
    assert "cpu.online" in sources


def test_a_cpu_that_says_it_is_offline_is_not_online(machine):
    fact, _sources = read(machine({SYS + "cpu0/uevent": "", SYS + "cpu1/online": "1", SYS + "cpu2/online": "0"}))
    assert fact["online"] == "0-1"


def test_eight_threads_a_core(machine):
    files = {SYS + "online": "0-15"}
    for number in range(16):
        files[SYS + "cpu%d/topology/thread_siblings_list" % number] = "%d-%d" % (number // 8 * 8, number // 8 * 8 + 7)
    fact, _sources = read(machine(files))
    assert fact["threads_per_core"] == 8
    assert [core["cpus"] for core in fact["cores"]] == ["0-7", "8-15"]
    assert fact["packages"] == []


@pytest.mark.parametrize(("identifiers", "cores"), [
    ((0, 1, 2, 3), ["0", "1", "2", "3"]), ((0, 0, 1, 1), ["0-1", "2-3"]), ((-1, -1, -1, -1), ["0-1", "2-3"]),
])
def test_two_cores_of_a_module_are_no_smt_siblings(machine, identifiers, cores):
    files = {SYS + "online": "0-3"}
    for number, identifier in enumerate(identifiers):
        files[SYS + "cpu%d/topology/thread_siblings_list" % number] = "0-1" if number < 2 else "2-3"
        files[SYS + "cpu%d/topology/core_id" % number] = str(identifier)
    assert [core["cpus"] for core in read(machine(files))[0]["cores"]] == cores


def test_stride_lists_are_understood(machine):
    files = {SYS + "online": "0-7"}
    for number in range(8):
        files[SYS + "cpu%d/topology/thread_siblings_list" % number] = "%d-7:4" % (number % 4)
        files[SYS + "cpu%d/topology/package_cpus_list" % number] = "%d-7:1/2" % (number % 2)
    fact, _sources = read(machine(files))
    assert [core["cpus"] for core in fact["cores"]] == ["0,4", "1,5", "2,6", "3,7"]
    assert [package["cpus"] for package in fact["packages"]] == ["0,2,4,6", "1,3,5,7"]


def test_without_topology_folders_each_cpu_is_a_core_and_that_is_said(machine):
    fact, sources = read(machine({SYS + "online": "0-1"}))
    assert [core["cpus"] for core in fact["cores"]] == ["0", "1"]
    assert "inferred" in sources["cpu.cores"]


def test_packages_by_number_where_nothing_lists_them(machine):
    files = {SYS + "online": "0-3"}
    for number in range(4):
        files[SYS + "cpu%d/topology/physical_package_id" % number] = str(number % 2)
    assert read(machine(files))[0]["packages"] == [{"id": 0, "cpus": "0,2"}, {"id": 1, "cpus": "1,3"}]


def test_a_package_number_of_minus_one_is_unknown(machine):
    fact, _sources = read(machine({SYS + "online": "0", SYS + "cpu0/topology/physical_package_id": "-1",
                                   SYS + "cpu0/topology/core_siblings_list": "0"}))
    assert fact["packages"] == [{"id": None, "cpus": "0"}]


def test_only_cpuinfo_lists_the_cpus(machine):
    host = machine({"/proc/cpuinfo": "processor 1: version = 00\nprocessor 3: version = 00\n"})
    fact, sources = read(host)
    assert fact["online"] == "1,3"
    assert sources["cpu.online"] == "/proc/cpuinfo"


def test_nothing_known_is_null_not_empty(machine):
    fact, _sources = read(machine({"/proc/version": "Linux version 6.1"}))
    assert fact["online"] is None
    assert fact["threads_per_core"] is None
    assert fact["cores"] == []


@pytest.mark.parametrize(("text", "answer"), [
    ("\n", ""), ("2-5\n", "2-5"), ("(null)\n", ""), ("      (null)\n", ""), ("2-8:2\0", "2,4,6,8"), ("junk", None),
])
def test_isolated_and_nohz_full(machine, text, answer):
    host = machine({SYS + "isolated": text, SYS + "nohz_full": text})
    fact, _sources = read(host)
    assert fact["isolated"] == fact["nohz_full"] == answer
    assert any("junk" in note for note in host.notes) == (text == "junk")


def test_the_last_level_differs_between_kinds_of_cores(machine):
    files = {SYS + "online": "0-3"}
    for number, levels in ((0, "123"), (1, "123"), (2, "12"), (3, "12")):
        for index, level in enumerate(levels):
            here = SYS + "cpu%d/cache/index%d/" % (number, index)
            files.update({here + "level": level, here + "type": "Unified", here + "size": "%dK" % (int(level) * 1024),
                          here + "shared_cpu_list": "0-1" if number < 2 else "2-3"})
    assert read(machine(files))[0]["caches"] == [
        {"level": 3, "size": 3 << 20, "cpus": "0-1"}, {"level": 2, "size": 2 << 20, "cpus": "2-3"}]


def test_a_cache_of_instructions_is_no_last_level_and_an_unknown_size_is_null(machine):
    here = SYS + "cpu0/cache/index%d/"
    fact, _sources = read(machine({
        SYS + "online": "0", here % 0 + "level": "1", here % 0 + "type": "Data", here % 0 + "size": "0K",
        here % 1 + "level": "2", here % 1 + "type": "Instruction", here % 1 + "size": "64K",
        SYS + "cpu0/cache/uevent": ""}))
    assert fact["caches"] == [{"level": 1, "size": None, "cpus": "0"}]


def test_junk_in_a_list_of_siblings_is_noted_and_does_no_harm(machine):
    host = machine({SYS + "online": "0-1", SYS + "cpu0/topology/thread_siblings_list": "what",
                    SYS + "cpu1/topology/thread_siblings_list": "1"})
    fact, _sources = read(host)
    assert [core["cpus"] for core in fact["cores"]] == ["0", "1"]
    assert any("what" in note for note in host.notes)
