# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on interrupts: those that the kernel places itself, and who else would move the others.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from .. import _cpulist
from .._owners import tuned, tuned_profile, unit_environment
from .._topology import interrupts
from .finding import finding
from .isolation import listed, live

SETTING = "irq/smp_affinity_list"
BAN = "irqbalance.service/IRQBALANCE_BANNED_CPULIST"
_UNIT, _COMM = "irqbalance.service", "irqbalance"
_LIST, _MASK = "IRQBALANCE_BANNED_CPULIST", "IRQBALANCE_BANNED_CPUS"
_CPU = "/sys/devices/system/cpu/"
_OPENIB = "/etc/infiniband/openib.conf"
_UNITS = ("mlnx_affinity.service", "set_irq_affinity.service", "mlnx_tune.service")


def managed_interrupts(view):
    """Interrupts that the kernel spreads over all CPUs and lets nobody move are named, not counted as a failure."""
    if not live(view, (SETTING,)):
        return []
    words = []
    for device in interrupts.devices(view.host):
        numbers = interrupts.divided(view.host, device["path"])[1]
        if numbers:
            cpus = [interrupts.effective(view.host, number) or interrupts.allowed(view.host, number) or set()
                    for number in numbers]
            words.append("%d of %s on CPU %s" % (len(numbers), " ".join(device["names"]) or device["address"],
                                                 _cpulist.format(set().union(*cpus)) or "unknown"))
    if not words:
        return []
    return [finding("managed-irqs", "I", SETTING, "the kernel itself places the queues of these devices, each near the "
                    "CPUs that use it: %s" % listed(words))]


def irqbalance_obeys(view):
    """irqbalance moves interrupts anywhere but to CPUs that it was told to leave out, or worked out itself."""
    asked = [step["desired"] for step in live(view, (SETTING,))]
    if not asked:
        return []
    pid = next(iter(unit_environment.pids(view.host, _UNIT)), None)
    found = []
    ban = next(iter(live(view, (BAN,))), None)
    if pid is not None and not (ban and ban["status"] in ("ok", "drift")):
        found += _moves_to(view, pid, asked)
    if pid is None:
        found += _by_hand(view)
    return found + _script(view, pid) + _not_obeyed(view, ban)


def _moves_to(view, pid, asked):
    """What irqbalance may do with what it was started with."""
    online = _parsed(view.text(_CPU + "online"))
    try:
        values = unit_environment.of_process(view.host, pid)
    except OSError:
        return []
    if values.get(_MASK):
        banned = set(_cpulist.from_mask(values[_MASK])) if re.match(r"[0-9a-fA-F,]+\Z", values[_MASK]) else set()
    elif values.get(_LIST):
        banned = _parsed(values[_LIST])
    else:
        banned = _parsed(view.text(_CPU + "isolated")) | _parsed(view.text(_CPU + "nohz_full"))
    more = online - banned - set().union(*(_parsed(cpus) for cpus in asked))
    if not more:
        return []
    return [finding("irqbalance", "W", SETTING, "irqbalance runs and may move interrupts to CPU %s: set "
                    "cpu_isolation_irqbalance_banned, or stop it" % _cpulist.format(more))]


def _by_hand(view):
    """An irqbalance that is no service of systemd's gets no environment from us."""
    for name in view.host.names("/proc"):
        if name.isdigit() and view.text("/proc/%s/comm" % name) == _COMM:
            return [finding("irqbalance", "W", BAN, "irqbalance runs (pid %s), but not as %s: what CPUs it leaves out "
                            "is not ours to say" % (name, _UNIT))]
    return []


def _script(view, pid):
    """A policy script of the operator's has the last word on each interrupt."""
    words = (view.text("/proc/%s/cmdline" % pid) or "").split("\0") if pid else []
    for index, word in enumerate(words):
        if word in ("-l", "--policyscript") or word.startswith("--policyscript="):
            script = word.partition("=")[2] or " ".join(words[index + 1:index + 2])
            return [finding("irqbalance", "I", BAN, "irqbalance asks the script %s about every interrupt" % script)]
    return []


def _not_obeyed(view, ban):
    """Another environment file gives the same variables: ours is read later."""
    if not ban:
        return []
    for item in unit_environment.settings(view.host, _UNIT):
        if item["key"] in (_LIST, _MASK) and item["value"] and not _is_ours(item["file"]):
            return [finding("irqbalance", "I", BAN, "%s:%s sets %s=%s: ours is read later and counts"
                            % (item["file"], item["line"], item["key"], item["value"]))]
    return []


def _is_ours(path):
    return path.startswith("/etc/gpuwright/")


def other_owners(view):
    """Tools that set interrupts at boot or on a change of theirs are named: no file of ours can sort after them."""
    if not live(view, (SETTING,)):
        return []
    found = []
    if re.search(r"^\s*RUN_AFFINITY_TUNER\s*=\s*[\"']?yes", view.text(_OPENIB) or "", re.M | re.I):
        found.append("%s has RUN_AFFINITY_TUNER=yes" % _OPENIB)
    wanted = {name for folder in view.host.names("/etc/systemd/system") if folder.endswith((".wants", ".requires"))
              for name in view.host.names("/etc/systemd/system/" + folder)}
    found += ["%s is enabled" % name for name in _UNITS if name in wanted]
    return [finding("irq-owner", "W", SETTING, "%s: it gives interrupts other CPUs than ours" % words)
            for words in found + _tuned(view)]


def _tuned(view):
    """Plugins of the active tuned profile that move interrupts."""
    active = tuned.active(view.host)
    if not active:
        return []
    try:
        units, variables = tuned_profile.load(view.host, active["profile"].split())
    except tuned_profile.BrokenProfile:
        return []
    return ["tuned profile %s has a section [%s]" % (active["profile"], unit["name"]) for unit in units
            if _moves(unit, variables) and tuned_profile.applies(view.host, unit, variables)]


def _moves(unit, variables):
    """The scheduler plugin moves interrupts where it is given cores to isolate."""
    cores = unit["options"].get("isolated_cores", ("", None))[0]
    isolates = unit["type"] == "scheduler" and tuned_profile.expand(cores, variables) != ""
    return isolates or unit["type"] == "irq"


def _parsed(text):
    try:
        return set(_cpulist.parse(text or ""))
    except ValueError:
        return set()
