# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUs of a node: which exist and are online, and how packages, cores, SMT siblings and last-level caches hold them.

PRIVATE to the collection. Only online CPUs are counted: old kernels leave offline ones in every list of siblings.
"""

from __future__ import annotations

from .. import _cpulist
from . import cpuinfo

FOLDER = "/sys/devices/system/cpu"
# A list and a mask say the same; kernels before 2.6.38 have masks only, those after 5.3 new names beside the old.
_SIBLINGS = (("thread_siblings_list", "thread_siblings"), ("core_cpus_list", "core_cpus"))
_PACKAGE = (("core_siblings_list", "core_siblings"), ("package_cpus_list", "package_cpus"))
_SHARED = (("shared_cpu_list", "shared_cpu_map"),)
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def read(host, found):
    """The section `cpu`. The NUMA node of each core is filled in by numa.read, which needs the online CPUs first."""
    fields = cpuinfo.read(host, found)
    online = _online(host, found)
    packages = _packages(host, online)
    cores = _cores(host, online, packages, found)
    return {
        "vendor": cpuinfo.vendor(fields),
        "model": cpuinfo.model(fields),
        "possible": _set_file(host, "possible"),
        "present": _set_file(host, "present"),
        "online": _cpulist.format(online) if online else None,
        "offline": _offline(host),
        "isolated": _set_file(host, "isolated"),
        "nohz_full": _set_file(host, "nohz_full"),
        "threads_per_core": max((len(core["cpus"]) for core in cores), default=None),
        "packages": [dict(package, cpus=_cpulist.format(package["cpus"])) for package in packages],
        "cores": [dict(core, cpus=_cpulist.format(core["cpus"])) for core in cores],
        "caches": _last_level_caches(host, online),
    }


def cpus_of(host, folder, names):
    """The CPUs that a folder's first readable list or mask holds, or None; `names` are pairs of a list and a mask."""
    for list_name, mask_name in names:
        for name, parse in ((list_name, _cpulist.parse), (mask_name, _cpulist.from_mask)):
            text = host.text("%s/%s" % (folder, name))
            if text is not None:
                try:
                    return parse(text)
                except ValueError as error:
                    host.note("%s/%s: %s" % (folder, name, error))
    return None


def _set_file(host, name):
    """One of the kernel's own CPU sets, or None where it has no such file. An unset one may read "(null)"."""
    text = host.text("%s/%s" % (FOLDER, name))
    if text is None or text.strip() == "(null)":
        return None if text is None else ""
    try:
        return _cpulist.format(_cpulist.parse(text))
    except ValueError as error:
        host.note("%s/%s: %s" % (FOLDER, name, error))
        return None


def _offline(host):
    """The CPUs that are there but offline; the kernel's own list goes on to the highest number it was built for."""
    listed, present = _set_file(host, "offline"), _set_file(host, "present")
    if not listed or present is None:
        return listed
    return _cpulist.format(set(_cpulist.parse(listed)).intersection(_cpulist.parse(present)))


def _online(host, found):
    """The numbers of the online CPUs, from the best source that there is; [] if nothing tells."""
    listed = _set_file(host, "online")
    if listed:
        return _cpulist.parse(listed)
    folders = {}
    for name in host.names(FOLDER):
        if name.startswith("cpu") and name[3:].isdecimal():
            folders[int(name[3:])] = host.names("%s/%s" % (FOLDER, name))
    # Old kernels take the topology folder of a CPU away when it goes offline; some have none for any CPU.
    tell = any("topology" in names for names in folders.values())
    online = [cpu for cpu in sorted(folders) if ("topology" in folders[cpu] or not tell) and not (
        "online" in folders[cpu] and host.text("%s/cpu%d/online" % (FOLDER, cpu)) == "0")]
    source = "%s/cpu*: no list of online CPUs here" % FOLDER
    if not online:
        online, source = cpuinfo.numbers(host), "/proc/cpuinfo"
    if online:
        found["sources"]["cpu.online"] = source
    return online


def _packages(host, online):
    """The packages as [{"id", "cpus"}], `cpus` a list here; none for CPUs that no file puts in a package."""
    known = set(online)
    packages = []
    by_id = {}
    placed = set()
    for cpu in online:
        if cpu in placed:
            continue
        folder = "%s/cpu%d/topology" % (FOLDER, cpu)
        number = _number(host.text(folder + "/physical_package_id"))
        together = cpus_of(host, folder, _PACKAGE)
        if together:
            cpus = (known.intersection(together) | {cpu}) - placed
            packages.append({"id": number, "cpus": sorted(cpus)})
            placed.update(cpus)
        elif number is not None:
            by_id.setdefault(number, []).append(cpu)
    packages.extend({"id": number, "cpus": cpus} for number, cpus in by_id.items())
    return sorted(packages, key=lambda package: (package["id"] is None, package["id"] or 0, package["cpus"]))


def _number(text):
    """A number of the kernel, or None for none; it writes -1, or 65535 on old POWER, where it does not know."""
    try:
        number = int(text or "")
    except ValueError:
        return None
    return number if number >= 0 else None


def _cores(host, online, packages, found):
    """One entry a physical core, `cpus` a list here. A CPU without a list of siblings is taken as a core of its own."""
    package_of = {cpu: package["id"] for package in packages for cpu in package["cpus"]}
    known = set(online)
    placed = set()
    cores = []
    modules = None
    for cpu in online:
        if cpu in placed:
            continue
        together = cpus_of(host, "%s/cpu%d/topology" % (FOLDER, cpu), _SIBLINGS)
        if together is None:
            found["sources"]["cpu.cores"] = "inferred: a CPU without a list of SMT siblings is taken as one core"
        cpus = (known.intersection(together or ()) | {cpu}) - placed
        if len(cpus) > 1 and modules is None:
            modules = len({_core_id(host, sibling) for sibling in cpus}) > 1
        if modules:
            cpus = {sibling for sibling in cpus if _core_id(host, sibling) == _core_id(host, cpu)}
        placed.update(cpus)
        cores.append({"cpus": sorted(cpus), "package": package_of.get(cpu), "numa_node": None})
    return cores


def _core_id(host, cpu):
    """The number of a CPU's core. AMD's Bulldozer lists two cores of a module as siblings: this tells them apart."""
    return _number(host.text("%s/cpu%d/topology/core_id" % (FOLDER, cpu)))


def _last_level_caches(host, online):
    """The largest level of cache that each CPU has: [{"level", "size", "cpus"}]. CPUs of one node may differ in it."""
    known = set(online)
    placed = set()
    caches = []
    for cpu in online:
        if cpu in placed:
            continue
        folder, level = _last_level(host, "%s/cpu%d/cache" % (FOLDER, cpu))
        if folder is None:
            continue
        cpus = (known.intersection(cpus_of(host, folder, _SHARED) or ()) | {cpu}) - placed
        placed.update(cpus)
        caches.append({"level": level, "size": _size(host.text(folder + "/size")), "cpus": _cpulist.format(cpus)})
    return caches


def _last_level(host, folder):
    """The folder and level of the last cache that holds data, below a CPU's cache folder; (None, 0) for none."""
    best = (None, 0)
    for name in host.names(folder):
        here = "%s/%s" % (folder, name)
        level = _number(host.text(here + "/level")) if name.startswith("index") else None
        if level and level > best[1] and host.text(here + "/type") != "Instruction":
            best = (here, level)
    return best


def _size(text):
    """A size such as "32768K" in bytes; None where the kernel does not know it."""
    text = text or ""
    factor = _UNITS.get(text[-1:])
    number = _number(text[:-1] if factor else text)
    return number * (factor or 1) if number else None
