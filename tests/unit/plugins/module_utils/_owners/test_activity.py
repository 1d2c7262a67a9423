# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what is sampled: interrupts of several machines and architectures, and the time of tasks."""

from __future__ import annotations

import gzip

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import activity

from tests.sysroots import plain_node

ARM = """\
           CPU0       CPU1       CPU3
 13:       6197       4234       4771     GICv3  26 Level     arch_timer
 14:       6496      10384       2961     GICv3 141 Level     rk_timer
 23:         11          0          0     GICv3  23 Level     arm-pmu
 84:          0          0          0   ITS-MSI   0 Edge      PCIe PME, aerdrv
 86:          0         30          0   ITS-MSI 76021760 Edge      nvme0q0
 87:          5          0          0   ITS-MSI 76021761 Edge
123:          0          0         95 ITS-PCI-MSIX-0000:01:00.0   1 Edge      mlx5_comp7@pci:0000:01:00.0
IPI0:   7085496   10371429    7027071       Rescheduling interrupts
Err:          0
"""
XEN = """\
           CPU0       CPU1
 48:     100000          0  xen-percpu    -virq      timer0
 97:        500          3  xen-dyn    -event     eth0-q0-tx
NMI:          0          0   Non-maskable interrupts
"""


@pytest.fixture
def captured(checkout):
    """The text of a capture."""
    def read(name):
        data = (checkout / "tests/captures/interrupts" / name).read_bytes()
        return (gzip.decompress(data) if name.endswith(".gz") else data).decode()
    return read


@pytest.mark.parametrize("name, count, number, cpus, names", [
    ("bare-metal-worker1.txt.gz", 542, "604", 0, ["i40e-0000:86:00.1:fdir-TxRx-0"]),
    ("bare-metal-worker1.txt.gz", 542, "109", 1, ["megasas1-msix40"]),
    ("sno.txt", 57, "69", 2, ["virtio1-input.0"]), ("sno.txt", 57, "71", 7, ["ahci[0000:00:1f.2]"]),
    ("dynolog.txt", 21, "0", 1, ["timer"]), ("dynolog.txt", 21, "33", 1, ["mlx4-async@pci:0000:06:00.0"]),
    ("insights.txt", 19, "16", 6, ["ehci_hcd:usb1", "mmc0"]), ("insights.txt", 19, "30", 8, [])])
def test_interrupts_of_real_machines(captured, name, count, number, cpus, names):
    found = activity.counts(captured(name))
    assert (len(found), len(found[number][0]), found[number][1]) == (count, cpus, names)
    assert all(label.isdigit() for label in found)


def test_arm_names_and_columns_of_the_cpus_that_are_online():
    assert activity.counts(ARM) == {
        "14": ({0: 6496, 1: 10384, 3: 2961}, ["rk_timer"]), "84": ({}, ["PCIe PME", "aerdrv"]),
        "86": ({1: 30}, ["nvme0q0"]), "87": ({0: 5}, []), "123": ({3: 95}, ["mlx5_comp7@pci:0000:01:00.0"])}


def test_what_each_cpu_of_a_xen_guest_has_for_itself_is_left_out():
    assert activity.counts(XEN) == {"97": ({0: 500, 1: 3}, ["eth0-q0-tx"])}


@pytest.mark.parametrize("text", ["", "\n  0:         45   IO-APIC-edge      timer\n", " CPU0 CPU1\n 5:  3\n",
                                  " CPU0 CPU1\n 5:  3 x  IO-APIC 5-edge  a\n", "nonsense"])
def test_what_is_no_table_of_interrupts_holds_none(text):
    assert activity.counts(text) == {}


def test_what_fired_between_two_samples_on_some_cpus():
    before = activity.counts(ARM)
    text = ARM.replace("        95 ITS", "       195 ITS").replace("      2961 ", "      2962 ")
    after = activity.counts(text.replace("     30          0   ITS", "   9030          0   ITS"))
    assert activity.fired(before, after, {3}) == [
        ("123", ["mlx5_comp7@pci:0000:01:00.0"], {3: 100}), ("14", ["rk_timer"], {3: 1})]
    assert [item[0] for item in activity.fired(before, after, {0, 1, 3})] == ["86", "123", "14"]
    assert activity.fired(before, before, {0, 1, 3}) == []
    assert activity.fired({}, after, {1})[0][2] == {1: 10384}  # A new number.


def task(root, pid, tid, comm, ticks, cpu, flags=0x400000, start=100):
    words = ["S"] + ["1"] * 5 + [str(flags)] + ["1"] * 4 + [str(ticks), "0"] + ["1"] * 6 + [str(start)] + ["0"] * 16
    plain_node.put(root, "/proc/%d/task/%d/stat" % (pid, tid), "%d (%s) %s %d 0 0" % (tid, comm, " ".join(words), cpu))


def test_who_ran_between_two_samples(tmp_path):
    root = plain_node.build(tmp_path)
    host = Host(str(root))
    kernel, bound = 0x200000, 0x4000000
    rows = [(10, 10, "idle", 5, 1, 0), (10, 11, "a) b (c", 5, 1, 0), (20, 20, "elsewhere", 5, 0, 0),
            (30, 30, "ksoftirqd/1", 5, 1, kernel | bound), (31, 31, "kworker/u4:1-ev", 5, 1, kernel | bound),
            (32, 32, "kworker/1:0", 5, 1, kernel | bound), (33, 33, "kswapd0", 5, 1, kernel)]
    for pid, tid, comm, ticks, cpu, flags in rows:
        task(root, pid, tid, comm, ticks, cpu, flags)
    before = activity.tasks(host)
    for pid, tid, comm, ticks, cpu, flags in rows:
        task(root, pid, tid, comm, ticks + (0 if comm == "idle" else tid), cpu, flags)
    task(root, 40, 40, "new", 3, 1)
    task(root, 41, 41, "quiet", 0, 1)
    ran = activity.ran(before, activity.tasks(host), {1})
    assert [(one["comm"], one["used"]) for one in ran] == [
        ("kswapd0", 33), ("kworker/u4:1-ev", 31), ("a) b (c", 11), ("new", 3)]
    assert [activity.is_kernel(one) for one in ran] == [True, True, False, False]


def test_a_number_that_another_thread_has_by_now_starts_at_nothing(tmp_path):
    root = plain_node.build(tmp_path)
    task(root, 10, 10, "old", 500, 1)
    before = activity.tasks(Host(str(root)))
    task(root, 10, 10, "young", 7, 1, start=900)
    assert [one["used"] for one in activity.ran(before, activity.tasks(Host(str(root))), {1})] == [7]


def test_where_a_thread_belongs(tmp_path):
    root = plain_node.build(tmp_path, **{
        "/proc/10/task/11/cgroup": "0::/gpuwright.slice/a.service", "/proc/10/task/12/cgroup": "1:name=systemd:/x",
        "/proc/10/task/11/status": "Name:\tx\nCpus_allowed_list:\t1,3\n"})
    host = Host(str(root))
    of = {tid: {"pid": 10, "tid": tid} for tid in (11, 12, 13)}
    assert [activity.cgroup(host, of[tid]) for tid in (11, 12, 13)] == ["/gpuwright.slice/a.service", "", None]
    assert (activity.pinned_to(host, of[11]), activity.pinned_to(host, of[13])) == ({1, 3}, None)


def test_a_table_that_is_cut_or_missing(tmp_path):
    root = plain_node.build(tmp_path, **{activity.INTERRUPTS: ARM})
    assert len(activity.interrupts(Host(str(root)))) == 5
    plain_node.put(root, "/proc/7/task/7/stat", "7 (x) S 1")
    assert activity.tasks(Host(str(root))) == {}
