# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role thp: transparent huge pages.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._row import sysfs
from .._rules import hugepage
from .._values import Int, Word

_UINT = (1 << 32) - 1
_ROOT = "/sys/kernel/mm/transparent_hugepage/"
_THP = "https://docs.kernel.org/admin-guide/mm/transhuge.html"
_FORCED = {"force": "it overrides every mount and is meant for testing", "deny": "it is an emergency brake for testing"}

ROWS = (
    sysfs("transparent_hugepage/enabled", Word("always", "madvise", "never"), _ROOT + "enabled",
          variable="thp_enabled", source=_THP, effect="next process", disruption="process",
          doc="Whether anonymous memory gets huge pages: always, only where a program asks by madvise, or never. "
              "Running processes keep the mappings that they have."),
    sysfs("transparent_hugepage/defrag", Word("always", "defer", "defer+madvise", "madvise", "never"), _ROOT + "defrag",
          variable="thp_defrag", source=_THP,
          doc="How hard a page fault tries to find a huge page; direct compaction in always stalls allocations."),
    sysfs("transparent_hugepage/shmem_enabled", Word("always", "within_size", "advise", "never", never=_FORCED),
          _ROOT + "shmem_enabled", variable="thp_shmem_enabled", source=_THP, effect="next process",
          disruption="process",
          doc="Huge pages for memfd and SysV shared memory; /dev/shm is a mount and obeys its huge= option."),
    sysfs("khugepaged/defrag", Int(0, 1), _ROOT + "khugepaged/defrag", variable="thp_khugepaged_defrag", source=_THP,
          doc="Whether khugepaged may compact memory to collapse pages."),
    sysfs("khugepaged/pages_to_scan", Int(1, _UINT), _ROOT + "khugepaged/pages_to_scan",
          variable="thp_khugepaged_pages_to_scan", source=_THP,
          doc="Pages that khugepaged scans at each pass."),
    sysfs("khugepaged/scan_sleep_millisecs", Int(0, _UINT), _ROOT + "khugepaged/scan_sleep_millisecs",
          variable="thp_khugepaged_scan_sleep_millisecs", source=_THP,
          doc="Milliseconds that khugepaged sleeps between passes; 0 keeps one core busy for ever."),
    sysfs("khugepaged/max_ptes_none", Int(0, 8191), _ROOT + "khugepaged/max_ptes_none",
          variable="thp_khugepaged_max_ptes_none", source=_THP,
          doc="Empty small pages that khugepaged may fill up to make a huge one; high values grow memory use."),
)

OPTIONS = ()

RULES = (hugepage.thp_anon, hugepage.restart_needed, hugepage.khugepaged_never_sleeps)
