# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens on which CPU: interrupts and the time of tasks, sampled twice and compared.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from .. import _cpulist

INTERRUPTS = "/proc/interrupts"
_LIMIT = 1 << 26  # 512 CPUs with 8,000 interrupts are 45 MB.
_KERNEL, _BOUND = 0x00200000, 0x04000000  # PF_KTHREAD, PF_NO_SETAFFINITY
# Of these every CPU has its own, and nobody can move them: timers and counters of Arm, RISC-V and Xen.
_OF_EACH_CPU = re.compile(r"GIC(?:v\d|-\d+)?\s+(?:\d|[12]\d|3[01])\s|RISC-V INTC\b|xen-percpu\b"
                          r"|(?:arch_timer|arm-pmu)\b")


def interrupts(host):
    """{number: ({CPU: count}, [names])} of the devices' interrupts; what a CPU does for itself is left out."""
    return counts(host.read_bytes(INTERRUPTS, _LIMIT).decode("utf-8", "replace"))


def counts(text):
    """The same from the text of /proc/interrupts, which has a column for each CPU that is online."""
    lines = text.strip().splitlines()
    cpus = [int(word[3:]) for word in (lines[0].split() if lines else ()) if re.match(r"CPU\d+\Z", word)]
    found = {}
    for line in lines[1:] if cpus else ():
        number, colon, rest = line.partition(":")
        if not colon or not number.strip().isdigit():
            continue
        words = rest.split(None, len(cpus))
        columns = words[:len(cpus)]
        if len(columns) < len(cpus) or not all(word.isdigit() for word in columns):
            continue  # The line was cut, or is none of these.
        what = words[len(cpus)] if len(words) > len(cpus) else ""
        if not _OF_EACH_CPU.search(what):
            found[number.strip()] = ({cpu: int(word) for cpu, word in zip(cpus, columns) if word != "0"}, _names(what))
    return found


def _names(what):
    """What drivers call an interrupt: the last column; before it stand the controller and the trigger."""
    columns = re.split(r"\s{2,}|\t", what.strip())
    named = len(columns) > 1 and not re.search(r"(?:-|\d\s+)(?:edge|level|fasteoi)\Z", columns[-1], re.IGNORECASE)
    return [name.strip() for name in columns[-1].split(", ")] if named else []


def fired(before, after, cpus):
    """[(number, names, {CPU: how many})] of what came to some CPUs between two samples, the most frequent first."""
    found = []
    for number, (now, names) in after.items():
        old = before.get(number, ({}, []))[0]
        new = {cpu: count - old.get(cpu, 0) for cpu, count in now.items()
               if cpu in cpus and count > old.get(cpu, 0)}
        if new:
            found.append((number, names, new))
    return sorted(found, key=lambda item: (-sum(item[2].values()), int(item[0])))


def tasks(host):
    """{(pid, tid): {"pid", "tid", "comm", "flags", "ticks", "cpu", "start"}} of every thread."""
    found = {}
    for pid in host.names("/proc"):
        if pid.isdigit():
            for tid in _listed(host, "/proc/%s/task" % pid):
                task = _task(_text(host, "/proc/%s/task/%s/stat" % (pid, tid)))
                if task:
                    found[(int(pid), int(tid))] = dict(task, pid=int(pid), tid=int(tid))
    return found


def _task(text):
    """What stat says of a thread; its name may hold blanks and brackets."""
    head, _bracket, rest = (text or "").rpartition(")")
    words = rest.split()
    if len(words) < 37:
        return None
    return {"comm": head.partition("(")[2], "flags": int(words[6]), "ticks": int(words[11]) + int(words[12]),
            "start": words[19], "cpu": int(words[36])}


def ran(before, after, cpus):
    """The threads that used time between two samples and were last on one of some CPUs, the busiest first."""
    found = []
    for key, task in after.items():
        old = before.get(key)
        used = task["ticks"] - (old["ticks"] if old and old["start"] == task["start"] else 0)
        if used > 0 and task["cpu"] in cpus and not _is_of_this_cpu(task):
            found.append(dict(task, used=used))
    return sorted(found, key=lambda task: (-task["used"], task["pid"], task["tid"]))


def _is_of_this_cpu(task):
    """A kernel thread that serves one CPU and has to be there. Of unbound workers the CPUs can be set."""
    return bool(task["flags"] & _KERNEL and task["flags"] & _BOUND) and not task["comm"].startswith("kworker/u")


def is_kernel(task):
    """Whether a thread is the kernel's own."""
    return bool(task["flags"] & _KERNEL)


def cgroup(host, task):
    """The control group of a thread, "" where cgroup v2 does not place it, or None if it has ended."""
    text = _text(host, "/proc/%d/task/%d/cgroup" % (task["pid"], task["tid"]))
    place = re.search(r"^0::(\S*)", text or "", re.M)
    return None if text is None else place.group(1) if place else ""


def pinned_to(host, task):
    """The CPUs that a thread may run on, or None if it has ended."""
    text = _text(host, "/proc/%d/task/%d/status" % (task["pid"], task["tid"]))
    allowed = re.search(r"^Cpus_allowed_list:\s*(\S+)", text or "", re.M)
    return set(_cpulist.parse(allowed.group(1))) if allowed else None


def _listed(host, folder):
    try:
        return host.listing(folder)
    except OSError:
        return []


def _text(host, path):
    """The text of a file of a thread, None if it has ended meanwhile."""
    try:
        return host.read(path)
    except OSError:
        return None
