# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind pci_config: a field in the configuration space of NICs, or of the bridges between them and GPUs.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. Nothing native persists it: the node runner
puts it back. Only the bits of the field are changed, at the offset that the function itself tells.
"""

from __future__ import annotations

import errno

from .._derive import acs
from .._topology import pci, pci_config
from .._topology.node import UnknownNic, read_topology

KEYED_BY = "target"
VOLATILE = True
OWNER = None
ABSENT = "no PCI function here has it"
READ_REQUEST, ACS = "pci/MaxReadReq", "pci/ACSCtl"
REDIRECT_OFF = "redirect-off"
_RDMA = "/sys/class/infiniband"
_LOCKDOWN = "/sys/kernel/security/lockdown"
_LOCKED = ("kernel lockdown (%s) forbids writing to PCI configuration space. What the firmware sets stands; for access "
           "control services the kernel arguments pci=config_acs= and pci=disable_acs_redir= still work")


def files(role):
    """There is no file for it."""
    return []


def file(role, target, taken=False):
    """There is no file for it."""
    return None


def devices(host):
    """{name: words} of the RDMA devices here that are PCI functions of their own."""
    found = {name: pci.above(host, "%s/%s" % (_RDMA, name)) for name in host.names(_RDMA)}
    return {name: "RDMA device at %s" % address for name, address in found.items() if address}


def places(host, row, options):
    """[(target, path, fields)] of the NICs, or of the switch ports between GPUs and NICs."""
    if row.name == ACS:
        return [("%s/%s" % (address, row.name), pci_config.path(address), {"device": address})
                for address in _ports(host, options)]
    found = []
    names = options.get(row.devices)
    for name in _serving(host, options) if names is None else names:
        address = pci.above(host, "%s/%s" % (_RDMA, name)) if host.exists("%s/%s" % (_RDMA, name)) else None
        # A virtual function takes the field from its physical one.
        if address and not pci.is_virtual_function(host, address):
            found.append(("%s/%s" % (name, row.name), pci_config.path(address), {"device": name}))
    return found


def _topology(host, options):
    """What is where. Raises ValueError for a NIC of the operator's that is not here."""
    named = tuple(options.get("gpudirect_%s_nics" % purpose) for purpose in ("compute", "storage"))
    found = host.facts.setdefault("topology %s %s" % named, {})  # As _guard.View keeps it, for the rules.
    try:
        return read_topology(host, ("pci_paths", "gpu_nics", "rdma_devices"), named[0], named[1], found)
    except UnknownNic as error:
        raise ValueError(str(error))


def _serving(host, options):
    """The RDMA devices that serve GPUs, in PCI order."""
    found = _topology(host, options)
    serving = {name for names in found["gpu_nics"].values() for name in names}
    return [device["name"] for device in found["rdma_devices"] if device["name"] in serving]


def _ports(host, options):
    """The switch ports on the way that have access control services; all bridges there, where none can be looked at."""
    found = _topology(host, options)
    ports = []
    for address in sorted(acs.bridges(found["pci_paths"], found["gpu_nics"]), key=pci.order):
        try:
            facts = pci_config.facts(pci_config.read(host, pci_config.path(address)))
        except OSError:
            ports.append(address)
            continue
        if facts["port_type"] == pci_config.DOWNSTREAM and facts["acs"] is not None:
            ports.append(address)
    return ports


def _look(host, target, path):
    """(control word, its offset) of the field that a target names. Raises OSError."""
    if not host.exists(path):
        raise FileNotFoundError(errno.ENOENT, "there is no such device any more", path)
    config = pci_config.read(host, path)
    find = pci_config.acs_control if target.endswith(ACS) else pci_config.device_control
    offset = find(config)
    if offset is None:
        raise OSError(errno.ENODEV, "the function has no such capability", path)
    return pci_config.word(config, offset), offset


def read(host, target, path):
    """The size in bytes, or the names of the access control bits that are on."""
    word, _offset = _look(host, target, path)
    return acs.words(word) if target.endswith(ACS) else str(pci_config.field(word, pci_config.READ_REQUEST))


def write(host, target, path, text):
    """Change the field, and no other bit."""
    word, offset = _look(host, target, path)
    if target.endswith(ACS):
        changed = acs.merged(word, 0 if text == REDIRECT_OFF else acs.control(text))
    else:
        changed = pci_config.with_field(word, pci_config.READ_REQUEST, int(text))
    try:
        host.write_bytes_at(path, offset, changed.to_bytes(2, "little"))
    except OSError as error:
        if error.errno == errno.EPERM:
            raise OSError(errno.EPERM, _LOCKED % "or the kernel's security policy", path)
        raise


def satisfied(running, desired):
    """Of access control only the bits that redirect count, for others may have reason to change the rest."""
    if desired == REDIRECT_OFF:
        return not acs.redirecting(running)
    if desired.isdigit():
        return running == desired
    return acs.redirecting(running) == acs.redirecting(desired)


def in_force(host, row, target, path):
    """(path, text): the value as it is read."""
    return path, read(host, target, path)


def refusal(host):
    """Why the kernel lets nobody write there, root included; or None."""
    state = host.text(_LOCKDOWN) or ""
    mode = state.partition("[")[2].partition("]")[0]
    return _LOCKED % mode if mode not in ("", "none") else None


def identity(row, target, path):
    """What names the original in the journal: the PCI address, for names can change."""
    field = ACS if target.endswith(ACS) else READ_REQUEST
    return "pci_config:%s:%s" % (path.split("/")[-2], field)


def others(host):
    """Whoever sets it by hand has no file in which a line would win: see _rules/acs.py and _rules/pcie_link.py."""
    return []


def rival(settled, row, target, path, ours, value):
    """See `others`."""
    return None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
