# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role nvme: queues of NVMe drives, and read-ahead of the volumes on them.

PRIVATE to the collection. The rows stand in the order in which a queue has to be written.
"""

from __future__ import annotations

from .._block_values import PerDrive, PerVolume, Scheduler, UpTo
from .._row import block_queue
from .._rules import block
from .._values import Int

_QUEUE = "https://docs.kernel.org/block/queue-sysfs.html"
_ABI = "https://docs.kernel.org/admin-guide/abi-stable.html"

ROWS = (
    block_queue("queue/scheduler", PerDrive(Scheduler("none", "mq-deadline", "kyber", "bfq")),
                variable="nvme_scheduler", devices="nvme_devices", source=_ABI,
                doc="Who orders requests before the drive does; none leaves it to the drive, which has queues enough."),
    block_queue("queue/max_sectors_kb", PerDrive(UpTo(4)), variable="nvme_max_sectors_kb", devices="nvme_devices",
                source=_ABI,
                doc="The largest request in kB, or max; never more than the hardware's max_hw_sectors_kb, and never "
                    "less than the device has."),
    block_queue("queue/nr_requests", PerDrive(Int(4)), variable="nvme_nr_requests", devices="nvme_devices", source=_ABI,
                doc="Requests that a queue holds; without a scheduler no more than the drive's own queue has."),
    block_queue("queue/wbt_lat_usec", PerDrive(Int(-1)), variable="nvme_wbt_lat_usec", devices="nvme_devices",
                source=_ABI,
                doc="Microseconds of read latency that writeback makes way for: 0 lets checkpoints write at full "
                    "speed, -1 is the kernel's default."),
    block_queue("queue/rq_affinity", PerDrive(Int(0, 2)), variable="nvme_rq_affinity", devices="nvme_devices",
                source=_ABI,
                doc="Where a request completes: 1 among the CPUs that share a cache with the one that asked, 2 on that "
                    "very one, 0 anywhere."),
    block_queue("queue/nomerges", PerDrive(Int(0, 2)), variable="nvme_nomerges", devices="nvme_devices", source=_ABI,
                doc="How little requests are merged: 0 fully, 1 in the simple case only, 2 not at all."),
    block_queue("queue/read_ahead_kb", PerVolume(), variable="nvme_read_ahead_kb", devices="nvme_volumes",
                source=_QUEUE,
                doc="How far ahead of a sequential reader the kernel reads into the page cache, mapped files too, on "
                    "the device that the filesystem sits on."),
)

OPTIONS = (
    {"name": "nvme_devices", "type": "list",
     "doc": "The drives whose queues are set, as in C(/sys/class/block), such as V([nvme0n1, vda]). Null is every NVMe "
            "drive, those too that are plugged in later."},
    {"name": "nvme_volumes", "type": "list",
     "doc": "The mount points of model and checkpoint volumes, whose read-ahead is set; NFS mounts and the like may be "
            "named too. Null is every mounted filesystem that rests on NVMe, through md, dm, LVM and partitions."},
)

RULES = (block.volumes, block.limited_by_hardware, block.r32_read_ahead, block.r32_mapped_over_network,
         block.r27_by_hand)


def withhold(view, options, names):
    """{name: why} of what has no place on this node: there is no drive, or nothing of one is mounted."""
    return block.withheld(view, options, names)
