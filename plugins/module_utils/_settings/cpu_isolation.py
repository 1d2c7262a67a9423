# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role cpu_isolation: which CPUs are the system's and which the workload's, interrupts, frequency.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._cpu_values import CpuList, CpuMask, IsolCpus, Json, Latency, NodeCpus
from .._row import cpuset, document, irq, kernel_argument, slice_property, sysfs, unit_environment
from .._rules import governor, interrupts, isolation, isolation_boot, isolation_boot_line, isolation_slices, watch
from .._values import Int, Word

_SYSTEMD = "https://www.freedesktop.org/software/systemd/man/latest/systemd.resource-control.html"
_ARGUMENTS = "https://docs.kernel.org/admin-guide/kernel-parameters.html"
_IRQ = "https://docs.kernel.org/core-api/irq/irq-affinity.html"
_CPU = "/sys/devices/system/cpu/"
_GOVERNOR = "cpufreq/scaling_governor"

ROWS = (
    slice_property("system.slice/AllowedCPUs", CpuList(), variable="cpu_isolation_system_slice", source=_SYSTEMD,
                   doc="The CPUs of system services."),
    slice_property("user.slice/AllowedCPUs", CpuList(), variable="cpu_isolation_user_slice", source=_SYSTEMD,
                   doc="The CPUs of login sessions, and of what is started from them, as over ssh."),
    slice_property("init.scope/AllowedCPUs", CpuList(), variable="cpu_isolation_init_scope", source=_SYSTEMD,
                   doc="The CPUs of systemd itself."),
    slice_property("gpuwright.slice/AllowedCPUs", CpuList(), variable="cpu_isolation_gpuwright_slice", source=_SYSTEMD,
                   doc="The CPUs of the workload: a service is in this slice by C(Slice=gpuwright.slice) in its unit. "
                       "The scheduler balances load over them."),
    cpuset("gpuwright.slice/cpuset.cpus.partition", Word("member", "root"),
           variable="cpu_isolation_gpuwright_slice_partition",
           source="https://docs.kernel.org/admin-guide/cgroup-v2.html#cpuset",
           doc="What the workload's slice is to the scheduler: root makes its CPUs a domain of its own, which nobody "
               "else can be given, and still balances load over them."),
    kernel_argument("isolcpus", IsolCpus(), variable="cpu_isolation_isolcpus", source=_ARGUMENTS,
                    doc="CPUs on which the kernel balances no load, for those who pin every thread to one. All threads "
                        "that are not pinned share the CPU on which they were started. The kernel's own manual calls "
                        "it deprecated."),
    kernel_argument("nohz_full", CpuList(), variable="cpu_isolation_nohz_full", source=_ARGUMENTS,
                    doc="CPUs whose timer stops while a single thread runs there; every call into the kernel costs "
                        "more. Needs CONFIG_NO_HZ_FULL."),
    kernel_argument("rcu_nocbs", CpuList(), variable="cpu_isolation_rcu_nocbs", source=_ARGUMENTS,
                    doc="CPUs that leave RCU callbacks to kernel threads, which may run anywhere; C(nohz_full) implies "
                        "it."),
    kernel_argument("irqaffinity", CpuList(), variable="cpu_isolation_irqaffinity", source=_ARGUMENTS,
                    doc="The CPUs that interrupts are first given to, from the start of the kernel on."),
    kernel_argument("skew_tick", Int(0, 1), variable="cpu_isolation_skew_tick", source=_ARGUMENTS,
                    doc="Whether the timer ticks of the CPUs are spread in time: less contention on many CPUs, more "
                        "power."),
    sysfs("workqueue/cpumask", CpuMask(), "/sys/devices/virtual/workqueue/cpumask", variable="cpu_isolation_workqueue",
          source="https://docs.kernel.org/core-api/workqueue.html",
          doc="The CPUs on which the kernel does work that is bound to none."),
    sysfs("irq/default_smp_affinity", CpuMask(), "/proc/irq/default_smp_affinity",
          variable="cpu_isolation_default_smp_affinity", source=_IRQ,
          doc="The CPUs that an interrupt is given to when a driver asks for one."),
    irq("irq/smp_affinity_list", NodeCpus(), variable="cpu_isolation_irqs", source=_IRQ,
        doc="The CPUs of the interrupts of network, RDMA and NVMe devices, by the NUMA node of the device. Interrupts "
            "that the kernel manages itself are reported and left alone."),
    unit_environment("irqbalance.service/IRQBALANCE_BANNED_CPULIST", CpuList(),
                     variable="cpu_isolation_irqbalance_banned",
                     source="https://github.com/Irqbalance/irqbalance/blob/master/irqbalance.1",
                     doc="CPUs that irqbalance, which keeps running, gives no interrupt to. Set, it replaces what "
                         "irqbalance would work out from isolcpus and nohz_full itself: it is the whole list."),
    sysfs(_GOVERNOR, Word("performance", "powersave", "schedutil", "ondemand", "conservative", "userspace"),
          _CPU + "cpufreq/policy*/scaling_governor", variable="cpu_isolation_governor",
          source="https://docs.kernel.org/admin-guide/pm/cpufreq.html",
          doc="How the CPUs' frequency follows their load."),
    sysfs("cpuidle/pm_qos_resume_latency_us", Latency(), _CPU + "cpu*/power/pm_qos_resume_latency_us",
          variable="cpu_isolation_pm_qos_resume_latency_us",
          source="https://docs.kernel.org/admin-guide/pm/cpuidle.html",
          doc="The longest that an idle CPU may take to wake up, in microseconds: deeper idle states are not entered. "
              "It costs power, and with it turbo frequency of the other cores."),
    document("affinity.json", Json(), variable="cpu_isolation_affinity",
             source="https://docs.kernel.org/admin-guide/cgroup-v2.html#cpuset",
             doc="What C(/etc/gpuwright/affinity.json) tells launchers: for each GPU its CPUs, memory nodes and "
                 "nearest RDMA devices."),
)

OPTIONS = (
    {"name": "cpu_isolation_mode", "type": "raw", "choices": ["auto", "slices", "partition", "boot", "none"],
     "doc": "How CPUs are divided. V(auto) is V(slices) where all that uses the GPUs runs in C(gpuwright.slice), else "
            "nothing is restricted, and the report says why. V(slices) holds system services and logins to the "
            "housekeeping CPUs and gives C(gpuwright.slice) the rest, without a reboot. V(partition) also makes the "
            "slice a scheduling domain of its own. V(boot) isolates the CPUs by kernel arguments, for workloads that "
            "pin every thread. V(none) divides nothing."},
    {"name": "cpu_isolation_housekeeping_cores_per_node", "type": "int",
     "doc": "Physical cores of each NUMA node that the system keeps, for services, kernel work and interrupts."},
    {"name": "cpu_isolation_partition", "type": "dict",
     "doc": "The node's CPUs as divided by the filter C(gpuwright.node.cpu_partition)."},
    {"name": "cpu_isolation_housekeeping", "type": "raw",
     "doc": "The system's CPUs; from the partition."},
    {"name": "cpu_isolation_cpus", "type": "raw",
     "doc": "The workload's CPUs; from the partition, null where it is refused."},
    {"name": "cpu_isolation_threads_pinned", "type": "bool",
     "doc": "Says that the workload pins every one of its threads to a CPU of its own; without it CPUs are not "
            "isolated at boot."},
    {"name": "cpu_isolation_watch_seconds", "type": "int", "of_one_run": True,
     "doc": "How long to watch, once CPUs are divided, for interrupts and foreign tasks on the workload's (rule R37); "
            "V(0) for not at all."},
)

RULES = (governor.is_offered, isolation.cpus_are_there, isolation.divided_as_a_whole, isolation.housekeeping_stays,
         isolation.the_rest_is_the_workloads, isolation.r4_whole_cores,
         isolation_slices.partition_is_possible, isolation_slices.squeezed, isolation_slices.r3_numa_bind,
         isolation_slices.r5_gpus_own_cpus, isolation_slices.launchers_are_told_right,
         isolation_boot.threads_are_pinned, isolation_boot.one_way_only,
         isolation_boot.r1_servers_inside, isolation_boot.r1_slice_inside, isolation_boot.r1_running,
         isolation_boot.r2_kernel_conditions, isolation_boot.rcu_is_offloaded_already, isolation_boot_line.clocksource,
         isolation_boot_line.boot_trade_offs, interrupts.managed_interrupts, interrupts.irqbalance_obeys,
         interrupts.other_owners, watch.r37_foreign_on_workload)


def withhold(view, options, names):
    """{name: why} of what is not managed on this node now, since it would squeeze somebody or can do nothing."""
    withheld = {}
    mode = options.get("cpu_isolation_mode", "auto")
    dividing = [name for name in names if name in isolation.SLICES + isolation.KERNEL_WORK]
    if mode == "auto" and dividing:
        reason = isolation_slices.why_not(view)
        withheld = dict.fromkeys(dividing, reason) if reason else {}
    elif mode in ("slices", "partition") and dividing and not view.consumers()["unified"]:
        withheld = dict.fromkeys(dividing, isolation_slices.NO_CGROUP)
    return withheld
