# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A training node with all that the roles look at, healthy or with some of ten faults: FAULTS says what each is.

A stand-in: the eight-GPU node with the data center bridging, configuration space, services, modules and policy routing
of its neighbours here. Besides eight rails and two NICs for storage it has a card of two ports that people log in
through, as such nodes have: its devices are called mlx5_10 and mlx5_11, which is what a prefix stumbles over.
"""

from __future__ import annotations

import json

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology.node import read_topology

from tests.sysroots import (
    dcb_node,
    eight_gpu,
    engine,
    network_node,
    pci_node,
    plain_node,
    rdma_cm_node,
    service_node,
    sysfs,
)
from tests.sysroots.plain_node import put
from tests.sysroots.roce_node import RAILS, RIGHT, STORAGE

RELEASE = "6.8.0-60-generic"
BRIDGE = "0000:39:00.0"  # The switch's lower end that GPU 2 and its rail are behind.
_NET, _RDMA, _PCI = "/sys/class/net/", "/sys/class/infiniband/", "/sys/bus/pci/devices/"
_LIST = "NCCL_IB_HCA==" + ",".join(name + ":1" for name in eight_gpu.RAILS)
# The file of the site, which has all that role nccl_env would say. NCCL before 2.21 picks no GID itself: there the
# index has to be said.
MIN_VERSION = "2.20.5"
CONF = ("# RoCE v2 in the lossless class", _LIST, "NCCL_IB_TC=106", "NCCL_IB_GID_INDEX=3", "NCCL_GIN_IB_TC=106",
        "NCCL_SOCKET_IFNAME==login0", "NCCL_DEBUG=WARN")
_LIMITS = service_node.LIMITS.replace("8388608              8388608              bytes",
                                      "unlimited            unlimited            bytes")
_ADDRESSES = {name: ["10.0.%d.2/24" % (number + 1)] for number, name in enumerate(RAILS)}
_ADDRESSES.update({name: ["10.0.%d.2/24" % (101 + number)] for number, name in enumerate(STORAGE)},
                  login0=["10.9.0.2/24"])
ROLES = ("vm", "thp", "numa", "cpu_isolation", "network", "nccl_env", "rdma_roce", "nvme", "gpudirect")


class Node(dcb_node.Nics, rdma_cm_node.Cm, network_node.Network, pci_node.Pci):
    """The host with all of these stand-ins."""


def build(folder, *faults):
    """The node with these faults; returns its root."""
    root = pci_node.build(folder)
    held = {path: None for path in plain_node.FILES if (root / path[1:]).exists()}
    service_node.build(root, **dict(held, **_files()))
    (root / rdma_cm_node.ROOT[1:]).mkdir(parents=True)
    rdma_cm_node.keep(root, {})
    _login_card(root)
    dcb_node.save(root, {"tools": ["dcb"], "nics": {}})
    for name in RAILS + STORAGE:
        dcb_node.plug(root, name, dcb_node.fresh(**RIGHT))
    _volume(root)
    for fault in faults:
        FAULTS[fault](root)
    return root


def _files():
    files = {"/proc/sys/" + key: value for key, value in network_node.SYSCTLS.items()}
    files.update({
        "/proc/sys/kernel/osrelease": RELEASE, "/proc/net/softnet_stat": "00001f40 00000000 00000000 00000000",
        network_node.STATE: json.dumps({"addresses": _ADDRESSES, "rules": [], "routes": [], "down": []}),
        "/gpuwright/ip-address.json": json.dumps([
            {"ifname": name, "addr_info": [{"local": one.split("/")[0], "prefixlen": 24, "scope": "global"}
                                           for one in given]} for name, given in _ADDRESSES.items()]),
        "/proc/net/route": _routes(), "/etc/nccl.conf": "\n".join(CONF),
        "/usr/lib/x86_64-linux-gnu/libnccl.so." + MIN_VERSION: "",
        "/proc/mounts": "tmpfs /dev/shm tmpfs rw,nosuid,nodev,size=536870912k 0 0",
        "/etc/systemd/logind.conf.d/50-site.conf": "[Login]\nRemoveIPC=no",
        service_node.LIB + service_node.DOCKER: "[Service]\nExecStart=/usr/bin/dockerd\nLimitMEMLOCK=infinity",
        "/etc/pam.d/sshd": "session required pam_limits.so"})
    files.update(("/proc/%d/limits" % pid, _LIMITS % ("1048576", "1048576"))
                 for pid in (service_node.PID, service_node.PID + 1))
    return files


def _routes():
    lines = ["Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU",
             "login0\t00000000\t0100090A\t0003\t0\t0\t0\t00000000\t0"]
    for name, (address,) in _ADDRESSES.items():
        parts = address.split("/")[0].split(".")[:3]
        lines.append("%s\t00%s\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0" % (
            name, "".join("%02X" % int(part) for part in reversed(parts))))
    return "\n".join(lines)


def _login_card(root):
    """Two ports of 25 Gb/s at the chipset, the second one not cabled."""
    for port, netdev in enumerate(("login0", "login1")):
        parent = "sys/devices/pci0000:00/0000:00:1e.0"
        device = sysfs.device(root, parent, "0000:0a:00.%d" % port, {
            "class": "0x020000", "vendor": "0x15b3", "device": "0x101f", "numa_node": 0,
            "local_cpulist": eight_gpu.NODES[0], "config": sysfs.config_space(None, 0),
            "current_link_speed": "8.0 GT/s PCIe", "max_link_speed": "8.0 GT/s PCIe", "current_link_width": 8,
            "max_link_width": 8}, "mlx5_core")
        sysfs.netdev(root, device, netdev, {
            "type": 1, "mtu": 1500, "speed": -1 if port else 25000, "operstate": "down" if port else "up",
            "address": "a0:88:c2:00:09:0%d" % port, "dev_port": 0})
        gid = "0000:0000:0000:0000:0000:ffff:0a09:0002" if port == 0 else "fe80:0000:0000:0000:a288:c2ff:fe00:0901"
        sysfs.rdma(root, device, "mlx5_%d" % (10 + port), {"fw_ver": "26.43.1014", "board_id": "MT_0000000531"}, {1: {
            "link_layer": "Ethernet", "rate": "25 Gb/sec (1X EDR)", "state": "1: DOWN" if port else "4: ACTIVE",
            "phys_state": "3: Disabled" if port else "5: LinkUp", "gids/0": gid, "gids/1": gid,
            "gid_attrs/types/0": "IB/RoCE v1", "gid_attrs/types/1": "RoCE v2", "gid_attrs/ndevs/0": netdev,
            "gid_attrs/ndevs/1": netdev}})


def _volume(root):
    """A file system for models on the first drive."""
    put(root, "/sys/class/block/nvme0n1/dev", "259:0")
    sysfs.link(root, "sys/dev/block/259:0", "sys/class/block/nvme0n1")
    put(root, "/proc/self/mountinfo", "22 1 9:0 / / rw,relatime shared:1 - ext4 /dev/md0 rw\n"
        "90 22 259:0 / /models rw,relatime shared:9 - ext4 /dev/nvme0n1 rw")


def _nic(root, name, **changed):
    held = dcb_node.load(root)
    held["nics"][name].update(changed)
    dcb_node.save(root, held)


def _wrong_trust(root):
    _nic(root, "rail3", app=[])


def _pfc_elsewhere(root):
    _nic(root, "rail4", pfc=[4])


def _conf(root, old, new):
    place = root / "etc/nccl.conf"
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new))


def _storage_as_rail(root):
    _conf(root, "mlx5_3:1,", "mlx5_3:1,mlx5_4:1,")


def _prefix(root):
    _conf(root, "NCCL_IB_HCA==", "NCCL_IB_HCA=")


def _gid_shifted(root):
    """An IPv6 address came before the IPv4 one, as after a link flap: two more entries stand in front."""
    place = root / (_RDMA[1:] + eight_gpu.RAILS[5] + "/ports/1")
    texts = {name: (place / "gids" / str(name)).read_text() for name in (2, 3)}
    for index in (4, 5):
        (place / "gids" / str(index)).write_text(texts[index - 2])
        for attribute in ("types", "ndevs"):
            (place / "gid_attrs" / attribute / str(index)).write_text(
                (place / "gid_attrs" / attribute / str(index - 2)).read_text())
        (place / "gids" / str(index - 2)).write_text("fd00:0000:0000:0006:0000:0000:0000:0002\n")


def _small_mtu(root):
    put(root, _NET + "rail6/mtu", "1500")


def _half_width(root):
    put(root, _PCI + eight_gpu.NIC_ADDRESSES[7] + "/current_link_width", "8")


def _redirected(root):
    pci_node.put_config(root, BRIDGE, sysfs.config_space(0x1D, 6))


def _no_way_to_memory(root):
    """The proprietary module of the driver, which exports no DMA-BUF, and nobody who loads nvidia_peermem."""
    place = root / "proc/driver/nvidia/version"
    place.write_text(place.read_text().replace("Open Kernel Module for x86_64", "x86_64 Kernel Module"))


def _files_lowered(root):
    put(root, "/etc/sysctl.d/60-oracle.conf", "# From the installation guide\nfs.file-max = 6815744")


FAULTS = {"wrong trust": _wrong_trust, "PFC on the wrong priority": _pfc_elsewhere,
          "storage NIC picked as a rail": _storage_as_rail, "prefix mlx5_1": _prefix,
          "GID index that shifted": _gid_shifted, "MTU 1500 on one rail": _small_mtu,
          "NIC at half width": _half_width, "ACS redirect on one bridge": _redirected,
          "peermem missing with no DMA-BUF": _no_way_to_memory, "fs.file-max lowered by another file": _files_lowered}


def fact(root, **nics):
    """The topology of the node, as the fact has it."""
    return read_topology(Host(str(root)), **nics)


def plans(root, asked):
    """{role: plan} of the node; `asked` is {role: arguments of the role's task}."""
    return {role: engine.plan(root, role, asked[role]["values"], kernel=Node, options=asked[role]["options"])
            for role in ROLES}
