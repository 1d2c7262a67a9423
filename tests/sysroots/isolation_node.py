# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with 2 nodes of 4 cores of 2 threads under cgroup v2, and what the rules of role cpu_isolation see of it."""

from __future__ import annotations

import os
import types

from ansible_collections.gpuwright.node.plugins.module_utils._guard import View
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._settings import cpu_isolation

from tests.sysroots import plain_node, systemd_node

CPU = "/sys/devices/system/cpu/"
NODE = "/sys/devices/system/node/"
# As the filter cpu_partition divides it: two cores of each node with both their threads are kept.
HOUSEKEEPING = "0-1,4-5,8-9,12-13"
WORKLOAD = "2-3,6-7,10-11,14-15"
PARTITION = {"housekeeping": HOUSEKEEPING, "workload": WORKLOAD, "gpus": {"0": "2-3,10-11", "1": "6-7,14-15"},
             "numa_nodes": {"0": {"housekeeping": "0-1,8-9", "workload": "2-3,10-11"},
                            "1": {"housekeeping": "4-5,12-13", "workload": "6-7,14-15"}}, "refused": None}
HELD = {"system.slice/AllowedCPUs": HOUSEKEEPING, "user.slice/AllowedCPUs": HOUSEKEEPING,
        "init.scope/AllowedCPUs": HOUSEKEEPING}
KERNEL_WORK = {"workqueue/cpumask": HOUSEKEEPING, "irq/default_smp_affinity": HOUSEKEEPING,
               "irqbalance.service/IRQBALANCE_BANNED_CPULIST": WORKLOAD}
SLICES = dict(HELD, **dict(KERNEL_WORK, **{"gpuwright.slice/AllowedCPUs": WORKLOAD}))
BOOT = dict(KERNEL_WORK, isolcpus="managed_irq,domain," + WORKLOAD, nohz_full=WORKLOAD, rcu_nocbs=WORKLOAD,
            irqaffinity=HOUSEKEEPING)
PINNED = {"cpu_isolation_mode": "boot", "cpu_isolation_threads_pinned": True}
VLLM = "[Service]\nExecStart=/opt/vllm/bin/vllm serve --config /etc/vllm.yaml"


def _files():
    files = {CPU + "online": "0-15", CPU + "present": "0-15", CPU + "possible": "0-63", CPU + "offline": "16-63",
             CPU + "isolated": "", CPU + "nohz_full": "(null)",
             NODE + "node0/cpulist": "0-3,8-11", NODE + "node1/cpulist": "4-7,12-15"}
    for cpu in range(16):
        folder = "%scpu%d/topology/" % (CPU, cpu)
        files.update({folder + "physical_package_id": str(cpu % 8 // 4), folder + "core_id": str(cpu % 8),
                      folder + "thread_siblings_list": "%d,%d" % (cpu % 8, cpu % 8 + 8)})
    return files


def build(folder, **changed):
    """Make the host below `folder`; `changed` as in plain_node."""
    return systemd_node.build(folder, **dict(_files(), **changed))


def process(root, pid, comm, cgroup, *holds, command=None, threads=1):
    """A process in a control group that holds files open; `threads` is the CPU of each, or how many are on CPU 0."""
    plain_node.process(root, pid, comm, *holds)
    plain_node.put(root, "/proc/%d/cgroup" % pid, "0::" + cgroup)
    if command:
        plain_node.put(root, "/proc/%d/cmdline" % pid, command.replace(" ", "\0"))
    for number, cpu in enumerate([0] * threads if isinstance(threads, int) else threads):
        plain_node.put(root, "/proc/%d/task/%d/stat" % (pid, pid + number),
                       "%d (%s) S %s %d 0 0" % (pid + number, comm, " ".join(["1"] * 35), cpu))


def unit(root, name, text):
    """A unit file, or a drop-in, of the operator."""
    plain_node.put(root, "/etc/systemd/system/" + name, text)


def enable(root, name):
    """A unit that the next boot will start."""
    folder = root / "etc/systemd/system/multi-user.target.wants"
    folder.mkdir(parents=True, exist_ok=True)
    os.symlink("/usr/lib/systemd/system/" + name, folder / name)


def gpu(root, address, cpus, driver="nvidia"):
    """An NVIDIA GPU near some CPUs."""
    folder = "/sys/bus/pci/devices/%s/" % address
    for name, text in (("class", "0x030200"), ("vendor", "0x10de"), ("local_cpulist", cpus), ("numa_node", "0")):
        plain_node.put(root, folder + name, text)
    os.symlink("../../drivers/" + driver, str(root) + folder + "driver")


def view(root, values=None, **options):
    """What a rule sees of this host when these settings are asked for and none is in force."""
    rows = {row.name: row for row in cpu_isolation.ROWS}
    steps = [{"name": name, "status": "drift", "desired": rows[name].value.parse(value), "running": "",
              "_row": rows[name]} for name, value in (values or {}).items()]
    for step in steps:
        step["_force"] = step["desired"]
    plan = types.SimpleNamespace(steps=steps, host=Host(str(root)), journal={"entries": {}})
    return View(plan, dict({"cpu_isolation_mode": "slices", "cpu_isolation_partition": PARTITION}, **options))


def found(rule, seen):
    """What a rule finds: {setting: (rule, severity)}, and the words of its first finding."""
    findings = rule(seen)
    return ({one["setting"]: (one["rule"], one["severity"]) for one in findings},
            findings[0]["message"] if findings else "")
