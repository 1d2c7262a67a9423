# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running kernel offers: page sizes, THP, full dynticks, congestion controls, io_uring, and GPUDirect's needs.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from . import cpu, gpudirect

_MM = "/sys/kernel/mm"
_THP = _MM + "/transparent_hugepage"


def read(host, found):
    """The section `kernel`."""
    uring = host.text("/proc/sys/kernel/io_uring_disabled") or ""
    congestion = host.text("/proc/sys/net/ipv4/tcp_available_congestion_control")
    answer = {
        "hugepage_sizes": _hugepage_sizes(host),
        "thp": _thp(host),
        "nohz_full_built": _nohz_full_built(host, found),
        "congestion_controls": None if congestion is None else sorted(congestion.split()),
        "io_uring_disabled": int(uring) if uring.isdecimal() else None,
    }
    try:
        answer.update(gpudirect.read(host, found))
    except Exception as error:  # pylint: disable=broad-except
        host.note("kernel: GPUDirect could not be read: %s: %s" % (type(error).__name__, error))
    return answer


def _hugepage_sizes(host):
    """The sizes of huge pages in kB; [] where the kernel has none, None where the folder above is not there either."""
    if not host.is_folder(_MM):
        return None
    sizes = (re.match(r"hugepages-(\d+)kB$", name) for name in host.names(_MM + "/hugepages"))
    return sorted(int(size.group(1)) for size in sizes if size)


def _thp(host):
    """The chosen word of each switch of transparent huge pages; None where the kernel has none."""
    if not host.is_folder(_THP):
        return None
    answer = {}
    for name in ("enabled", "defrag", "shmem_enabled"):
        word = re.search(r"\[([^\]]+)\]", host.text("%s/%s" % (_THP, name)) or "")
        answer[name] = word.group(1) if word else None
    return answer


def _nohz_full_built(host, found):
    """Whether CONFIG_NO_HZ_FULL is in: then the file is there, and if only its twin `isolated` is there it is not."""
    if host.text(cpu.FOLDER + "/nohz_full") is not None:
        return True
    release = (found.get("system") or {}).get("kernel")
    config = host.text("/boot/config-%s" % release) if release else None
    if config is not None:
        found["sources"]["kernel.nohz_full_built"] = "/boot/config-%s" % release
        return re.search(r"^CONFIG_NO_HZ_FULL=y$", config, re.MULTILINE) is not None
    if host.text(cpu.FOLDER + "/isolated") is None:
        return None
    found["sources"]["kernel.nohz_full_built"] = "inferred: %s/nohz_full is missing beside isolated" % cpu.FOLDER
    return False
