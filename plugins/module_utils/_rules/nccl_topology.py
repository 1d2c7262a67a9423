# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on the topology that NCCL is told by a file: where it must not be, where it is missing, and what it says.

PRIVATE to the collection. NCCL goes on without a file that it cannot open, and with a line in its log at most. A file
that it cannot read ends every communicator. What it takes from one comes before what it finds itself.
"""

from __future__ import annotations

from .._derive import nccl_topology, nccl_topology_file
from .._owners import nccl_env
from .finding import finding
from .isolation import listed
from .rdma_node import environment

ROW, OPTION, VARIABLE = "nccl-topo.xml", "nccl_env_pcie_switches", "NCCL_TOPO_FILE"
_PLANNED = "role nccl_env"
# Of detected's words, those that leave open what is below.
_UNSURE = ("this is a container", "nothing tells")
OURS = "/etc/gpuwright/" + ROW
# NCCL reads it where the variable is not set.
DEFAULT = "/var/run/nvidia-topologyd/virtualTopology.xml"
# Where images of clouds have theirs, and whether a plug-in of NCCL's sets the variable by itself.
_SHIPPED = (("/opt/microsoft", False), ("/opt/amazon/ofi-nccl/share/aws-ofi-nccl/xml", True),
            ("/opt/amazon/efa/share/aws-ofi-nccl/xml", True), ("/opt/aws-ofi-nccl/share/aws-ofi-nccl/xml", True))
_SECTIONS = ("system", "gpus", "rdma_devices", "pci_paths")
_PCI = "/sys/bus/pci/devices/"


def declared(view):
    """Switches are declared, or a file is given, where NCCL sees the real ones or is told by the platform."""
    step = view.step(ROW)
    asked = OPTION if view.options.get(OPTION) else ROW
    if asked == ROW and not step:
        return []
    why = nccl_topology.detected(_topology(view))
    if why:
        return [finding("nccl-topology", "E", ROW, "%s says which PCI switches there are, and %s: NCCL finds them "
                        "itself, and a file could only be wrong. Unset it here" % (asked, why))]
    if view.exists(DEFAULT):
        return [finding("nccl-topology", "E", ROW, "%s says which PCI switches there are, and so does %s, which is the "
                        "platform's own, and NCCL reads it by itself. Unset the first here" % (asked, DEFAULT))]
    return _of_text(step["_force"]) if step else []


def _of_text(text):
    """A file that is given as a text can be anything."""
    try:
        nccl_topology_file.read(text)
    except ValueError as error:
        return [finding("nccl-topology", "E", ROW, "NCCL could not read it: " + str(error))]
    return []


def hidden(view):
    """A hypervisor hides the PCI switches, and nobody tells NCCL of them."""
    words = nccl_topology.is_hidden(_topology(view))
    told = [path for path, _where, pid in _files(view) if _fits(view, path, pid)]
    if not words or told or view.options.get(OPTION) or view.step(ROW) or view.exists(DEFAULT):
        return []
    harm = "NCCL takes every GPU to be as far from every NIC, and leaves GPUDirect RDMA off"
    shipped = _shipped(view)
    if shipped and shipped[1]:
        return [finding("nccl-topology", "I", None, "%s. %s knows them, and aws-ofi-nccl sets %s to it where it is "
                        "NCCL's plug-in" % (words, shipped[0], VARIABLE))]
    remedy = "%s=%s tells it: that file came with the image, and names the GPUs here" % (VARIABLE, shipped[0]) \
        if shipped else "Which devices share one the platform's maker can say: declare it in %s" % OPTION
    return [finding("nccl-topology", "W", None, "%s. %s. %s" % (words, harm, remedy))]


def file_here(view):
    """What NCCL does with the file that it is told to read."""
    found = []
    for path, where, pid in _files(view):
        severity, words = _judged(view, path, pid)
        if words:
            found.append(finding("nccl-topology", severity, VARIABLE if severity == "E" and _PLANNED in where else None,
                                 "%s: %s=%s: %s" % (listed(where), VARIABLE, path, words)))
    return found


def _judged(view, path, pid):
    """(severity, what is wrong) with one file; (None, None) for nothing."""
    if path == OURS and view.step(ROW):
        return None, None  # It is about to be written.
    if pid is not None and not view.exists(_seen("/", pid)):
        return None, None  # Only root may look.
    why = nccl_topology.detected(_topology(view))
    if not path.startswith("/"):
        return "W", "a relative path, which each process takes from the folder that it runs in"
    text = view.text(_seen(path, pid))
    if text is None:
        return "W", ("it is %s: NCCL says so in a line of its log at most, and goes on with what it finds itself, "
                     "without %s too" % ("not readable" if view.exists(_seen(path, pid)) else "not there", DEFAULT))
    try:
        system = nccl_topology_file.read(text)
    except ValueError as error:
        return "E", "NCCL cannot read it, and every communicator fails: " + str(error)
    if why and not why.startswith(_UNSURE):
        return "W", "%s, so that NCCL finds PCI switches and NUMA nodes itself: with a file it does not. Unset it" % why
    return ("W", listed(_strange(view, system))) if _strange(view, system) else (None, None)


def _strange(view, system):
    """In words, how the devices of a file differ from those here."""
    if system is None:
        return ["it has no <system>, and so says nothing"]
    told = nccl_topology_file.devices(system)
    here = {gpu["pci_address"]: gpu["index"] for gpu in view.topology("gpus") if gpu["pci_address"]}
    words = ["%s is not here%s" % (device["address"], _hint(device["address"])) for device in told
             if not view.exists(_PCI + str(device["address"]))]
    if any(nccl_topology_file.is_gpu(device) for device in told):
        known = [device["address"] for device in told]
        words += ["GPU %d (%s) is not in it" % (here[address], address) for address in here if address not in known]
    twice = sorted({device["address"] for device in told if sum(
        one["address"] == device["address"] for one in told) > 1} - {None})
    return words + ["%s is in it twice" % address for address in twice]


def _hint(address):
    return ": NCCL compares letter by letter, and has small ones" if address and address != address.lower() else ""


def _files(view):
    """[(path, [where it is said], the process of a container or None)] of all that NCCL is told to read after this."""
    found = {}
    step = view.step(VARIABLE)
    if step and step["status"] in ("ok", "drift"):
        found[step["_force"], None] = [_PLANNED]
    # One file for all that is for every job: where it becomes ours, what it said so far goes.
    replaced = any(one.get("kind") == "nccl_conf" and one["status"] == "drift" for one in view.steps)
    for scope in environment(view):
        told = scope["values"].get(VARIABLE)
        if told is None or ((replaced or step) and told["where"].startswith(nccl_env.CONF + ":")):
            continue
        pid = scope["pid"] if scope["pid"] and nccl_env.is_contained(view.host, scope["pid"]) else None
        places = found.setdefault((told["value"], pid), [])
        places += [told["where"]] if told["where"] not in places else []
    return [(path, places, pid) for (path, pid), places in found.items()]


def _seen(path, pid):
    """Where this host has a file that a process of a container sees."""
    return path if pid is None else "/proc/%d/root%s" % (pid, path)


def _fits(view, path, pid=None):
    """Whether a file can be read and its devices are those here."""
    text = view.text(_seen(path, pid)) if path.startswith("/") else None
    try:
        system = nccl_topology_file.read(text) if text else None
    except ValueError:
        return False
    return system is not None and bool(nccl_topology_file.devices(system)) and not _strange(view, system)


def _shipped(view):
    """(path, whether it is set by itself) of the image's own file for this machine, or None."""
    for folder, by_itself in _SHIPPED:
        for place in [folder] + ["%s/%s" % (folder, name) for name in view.host.names(folder)]:
            for name in view.host.names(place):
                if name.endswith(".xml") and _fits(view, "%s/%s" % (place, name)):
                    return "%s/%s" % (place, name), by_itself
    return None


def _topology(view):
    return {name: view.topology(name) for name in _SECTIONS}
