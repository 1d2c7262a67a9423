# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on transparent huge pages.

PRIVATE to the collection.
"""

from __future__ import annotations

from .finding import finding

_ENABLED = "transparent_hugepage/enabled"
_SLEEP = "khugepaged/scan_sleep_millisecs"


def thp_anon(view):
    """With thp_anon= on the kernel command line the sizes it leaves out are never, whatever `enabled` says."""
    named = [word for word in (view.text("/proc/cmdline") or "").split() if word.startswith("thp_anon=")]
    if named:
        return [finding("thp-anon", "W", _ENABLED, "the kernel command line has %s: page sizes that it does not name "
                        "are never used, whatever this setting says" % " ".join(named))]
    return []


def restart_needed(view):
    """GPU processes that were started before the setting changed keep their old mappings."""
    since = view.changed_at(_ENABLED)
    if since is None:
        return []
    stale = [job for job in view.jobs() if (view.started_at(job["pid"]) or since) < since]
    if not stale:
        return []
    names = ", ".join("%s (%s)" % (job["pid"], job["comm"]) for job in stale[:5])
    more = ", and %d more" % (len(stale) - 5) if len(stale) > 5 else ""
    return [finding("thp-restart", "I", _ENABLED, "running processes keep the mappings that they have; to see the "
                    "setting, restart %s%s" % (names, more))]


def khugepaged_never_sleeps(view):
    """A khugepaged that does not sleep keeps a core busy."""
    if view.value(_SLEEP, "/sys/kernel/mm/transparent_hugepage/" + _SLEEP) == "0":
        return [finding("khugepaged", "W", _SLEEP, "khugepaged never sleeps and keeps one "
                        "core busy: set thp_khugepaged_scan_sleep_millisecs")]
    return []
