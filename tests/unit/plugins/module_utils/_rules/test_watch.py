# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of rule R37: what came to the workload's CPUs while it was watched."""

from __future__ import annotations

import errno
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._owners import activity
from ansible_collections.gpuwright.node.plugins.module_utils._rules import watch

from tests.sysroots import irq_node, plain_node
from tests.sysroots.irq_node import Irqs

TABLE = """\
           CPU0       CPU1       CPU2       CPU3
 34:          0          0          0         %d  PCI-MSI-0000:41:00.0   1-edge      mlx5_comp0@pci:0000:41:00.0
 36:         %d          0          0          0  PCI-MSI-0000:42:00.0   0-edge      nvme0q0
 38:          0          0         %d          0  PCI-MSI-0000:42:00.0   2-edge      nvme0q2
 90:          0          0          %d          0  IO-APIC   9-fasteoi   acpi
LOC:      %d      %d      %d      %d   Local timer interrupts
"""


class Watched(Irqs):
    """A host on which something happens while somebody waits."""

    def __init__(self, root, happens):
        super().__init__(str(root))
        self.happens = happens
        self.waited = []

    def wait(self, seconds):
        """Let it happen."""
        self.waited.append(seconds)
        self.happens()


def view(host, steps=None, options=None):
    steps = [step("gpuwright.slice/AllowedCPUs", "2-3")] if steps is None else steps
    options = dict({"cpu_isolation_watch_seconds": 5}, **(options or {}))
    return types.SimpleNamespace(
        host=host, steps=steps, options=options, exists=host.exists, text=host.text,
        step=lambda name: next((one for one in steps if one["name"] == name), None))


def step(name, running, status="ok"):
    return {"name": name, "running": running, "status": status}


def table(root, *counts):
    plain_node.put(root, activity.INTERRUPTS, TABLE % (counts + (1, 2, 3, 4) if len(counts) == 4 else counts))


def task(root, pid, comm, ticks, cpu, cgroup, flags=0x400000, allowed="0-3"):
    words = ["S"] + ["1"] * 5 + [str(flags)] + ["1"] * 4 + [str(ticks), "0"] + ["1"] * 6 + ["100"] + ["0"] * 16
    plain_node.put(root, "/proc/%d/task/%d/stat" % (pid, pid), "%d (%s) %s %d 0 0" % (pid, comm, " ".join(words), cpu))
    plain_node.put(root, "/proc/%d/task/%d/cgroup" % (pid, pid), "0::" + cgroup)
    plain_node.put(root, "/proc/%d/task/%d/status" % (pid, pid), "Cpus_allowed_list:\t" + allowed)


def messages(found):
    return [(one["rule"], one["severity"], one["message"]) for one in found]


def test_interrupts_on_workload_cpus_are_named_with_device_and_rate(tmp_path):
    root = irq_node.build(tmp_path)
    table(root, 0, 0, 0, 0)
    host = Watched(root, lambda: table(root, 50, 999, 777, 5, 9, 9, 9, 9))
    assert messages(watch.r37_foreign_on_workload(view(host))) == [(
        "R37", "W", "in 5 s, interrupts came to the workload's CPUs: "
        "34 (mlx5_comp0@pci:0000:41:00.0 of ens1 mlx5_0 0000:41:00.0) on CPU 3, 10.0/s; 90 (acpi) on CPU 2, 1.0/s")]
    assert host.waited == [5]


def test_where_nobody_may_look_that_is_said(tmp_path):
    class Closed(Watched):
        def read_bytes(self, path, limit=1 << 24):
            raise PermissionError(errno.EACCES, "Permission denied", path)
    plain_node.put(tmp_path, activity.INTERRUPTS, "")
    (one,) = watch.r37_foreign_on_workload(view(Closed(tmp_path, lambda: None)))
    assert one["severity"] == "I" and "/proc/interrupts: Permission denied" in one["message"]


def test_tasks_are_named_unless_they_are_the_workloads(tmp_path):
    root = irq_node.build(tmp_path)
    table(root, 0, 0, 0, 0)

    def work(ticks):
        task(root, 10, "vllm", 9 * ticks, 2, "/gpuwright.slice/vllm.service")
        task(root, 11, "cron", 3 * ticks, 3, "/system.slice/cron.service")
        task(root, 12, "sshd", 2 * ticks, 0, "/system.slice/ssh.service")
        task(root, 13, "kswapd0", ticks, 2, "/", flags=0x200000)
        task(root, 14, "other", 2 * ticks, 3, "/gpuwright.slices/x")
        task(root, 15, "watcher", ticks, 3, "/user.slice")
    irq_node.link(root, "/proc/self", "15")
    work(0)
    found = watch.r37_foreign_on_workload(view(Watched(root, lambda: work(5))))
    assert messages(found) == [
        ("R37", "W", "in 5 s, tasks that are not the workload's ran on the workload's CPUs: cron (pid 11 of "
                     "/system.slice/cron.service) on CPU 3; other (pid 14 of /gpuwright.slices/x) on CPU 3"),
        ("R37", "I", "in 5 s, threads of the kernel ran on the workload's CPUs: kswapd0 on CPU 2")]


def test_who_is_pinned_to_isolated_cpus_is_the_workload(tmp_path):
    root = irq_node.build(tmp_path, **{"/sys/devices/system/cpu/isolated": "2-3"})
    table(root, 0, 0, 0, 0)

    def work(ticks):
        task(root, 10, "pinned", ticks, 2, "/user.slice", allowed="2")
        task(root, 11, "loose", ticks, 3, "/user.slice", allowed="0-3")
    work(0)
    found = watch.r37_foreign_on_workload(view(Watched(root, lambda: work(5)), [step("isolcpus", "2-3")]))
    assert [one["message"] for one in found] == [
        "in 5 s, tasks that are not the workload's ran on the workload's CPUs: loose (pid 11 of /user.slice) on CPU 3"]


def test_many_are_counted(tmp_path):
    root = irq_node.build(tmp_path)
    table(root, 0, 0, 0, 0)

    def work(ticks):
        for pid in range(100, 113):
            task(root, pid, "t", ticks, 3, "/x")
    work(0)
    found = watch.r37_foreign_on_workload(view(Watched(root, lambda: work(1))))
    assert found[0]["message"].endswith("; and 3 more") and found[0]["message"].count("pid") == 10


def test_nothing_foreign_is_no_finding(tmp_path):
    root = irq_node.build(tmp_path)
    table(root, 0, 0, 0, 0)
    assert watch.r37_foreign_on_workload(view(Watched(root, lambda: table(root, 0, 999, 9, 0)))) == []


@pytest.mark.parametrize("steps, options", [
    ([step("gpuwright.slice/AllowedCPUs", "2-3")], {"cpu_isolation_watch_seconds": 0}),
    ([step("gpuwright.slice/AllowedCPUs", "2-3")], {"cpu_isolation_watch_seconds": None}),
    ([step("gpuwright.slice/AllowedCPUs", "", "drift")], {}), ([step("isolcpus", "", "pending_reboot")], {}),
    ([step("gpuwright.slice/AllowedCPUs", "2-3"), step("irq/smp_affinity_list", "0-3", "drift")], {}), ([], {})])
def test_what_is_not_divided_or_still_to_be_done_is_not_watched(tmp_path, steps, options):
    root = irq_node.build(tmp_path)
    table(root, 0, 0, 0, 0)
    host = Watched(root, lambda: table(root, 9, 9, 9, 9))
    assert watch.r37_foreign_on_workload(view(host, steps, options)) == [] and host.waited == []


def test_the_time_can_be_set_and_a_capture_is_not_watched(tmp_path):
    root = irq_node.build(tmp_path)
    table(root, 0, 0, 0, 0)
    host = Watched(root, lambda: table(root, 4, 0, 0, 0))
    found = watch.r37_foreign_on_workload(view(host, options={"cpu_isolation_watch_seconds": "2"}))
    assert "in 2 s" in found[0]["message"] and "2.0/s" in found[0]["message"] and host.waited == [2]
    host.runs_commands = False
    assert watch.r37_foreign_on_workload(view(host)) == [] and host.waited == [2]
