# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role vm: swapping, dirty pages, limits, what happens when memory runs out, static huge pages.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._row import sysctl, sysfs
from .._rules import oom, swap
from .._values import Int, Pages

_INT = (1 << 31) - 1
_LONG = (1 << 63) - 1
_VM = "https://docs.kernel.org/admin-guide/sysctl/vm.html"

ROWS = (
    sysctl("vm.swappiness", Int(0, 200), variable="vm_swappiness", source=_VM,
           doc="Relative cost of swapping against dropping file pages; low keeps serving threads in memory. It has no "
               "effect without swap, and 0 still swaps below the low watermark."),
    sysctl("vm.max_map_count", Int(0, _INT), variable="vm_max_map_count", source=_VM, raise_only=True,
           doc="Mappings that one process may have; CUDA, NCCL and mapped model files need many. Never lowered."),
    sysctl("vm.dirty_ratio", Int(0, 100), variable="vm_dirty_ratio", source=_VM, twin="vm.dirty_bytes",
           doc="Percent of available memory that may be dirty before a writer has to write itself. Excludes "
               "vm_dirty_bytes: the kernel zeroes one when the other is set."),
    sysctl("vm.dirty_background_ratio", Int(0, 100), variable="vm_dirty_background_ratio", source=_VM,
           twin="vm.dirty_background_bytes",
           doc="Percent of available memory that may be dirty before the kernel starts to write in the background. "
               "Keep it below vm_dirty_ratio, or the kernel silently uses half of that."),
    sysctl("vm.dirty_bytes", Int(8192, _LONG), variable="vm_dirty_bytes", source=_VM, twin="vm.dirty_ratio",
           doc="Bytes that may be dirty before a writer has to write itself; for hosts whose percentages would be "
               "hundreds of gigabytes."),
    sysctl("vm.dirty_background_bytes", Int(1, _LONG), variable="vm_dirty_background_bytes", source=_VM,
           twin="vm.dirty_background_ratio",
           doc="Bytes that may be dirty before the kernel starts to write in the background. Keep it below "
               "vm_dirty_bytes."),
    sysctl("kernel.panic", Int(-_INT - 1, _INT), variable="vm_kernel_panic",
           source="https://docs.kernel.org/admin-guide/sysctl/kernel.html",
           doc="Seconds after which a panicked node restarts; 0 hangs for ever, below 0 restarts at once."),
    sysctl("vm.panic_on_oom", Int(0, 2), variable="vm_panic_on_oom", source=_VM, needs="kernel.panic",
           doc="What running out of memory does: 0 kills a process, 1 panics unless the shortage is that of a cpuset, "
               "a memory policy or a memory cgroup, 2 panics even then. Refused without a way back up (rule R16)."),
    sysfs("nr_hugepages", Pages(), variable="vm_hugepages",
          path=("/sys/devices/system/node/node{node}/hugepages/hugepages-{size}kB/nr_hugepages",
                "/sys/kernel/mm/hugepages/hugepages-{size}kB/nr_hugepages"),
          target="node{node}/hugepages-{size}kB", reserved="hugepages",
          source="https://docs.kernel.org/admin-guide/mm/hugetlbpage.html",
          doc="Static huge pages, by page size in kB, on each NUMA node; a size that is not named gets 0. The memory "
              "is gone for everything else."),
)

OPTIONS = (
    {"name": "vm_workload", "type": "str", "choices": ["inference", "training", "cpu"],
     "doc": "What the node is for; decides the defaults that depend on it. From C(gpuwright_workload), else from the "
            "node's group."},
    {"name": "vm_panic_on_oom_attested", "type": "bool",
     "doc": "Says that kdump or a management controller's console would keep the traces of a panic on this node; "
            "without it O(vm_panic_on_oom) other than 0 is refused."},
)

RULES = (oom.r16_panic_on_oom, oom.background_below_foreground, swap.no_swap, swap.compressed_swap)
