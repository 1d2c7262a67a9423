# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the sysroot of a training node by hand: two sockets, eight GPUs, each with its rail NIC, and its faults.

Each of four host bridges carries a switch with two smaller ones below it, of a GPU and its rail NIC each, and two NVMe
drives; a storage NIC has a host bridge of its own in either socket; a plain NIC carries the default route.
`build(folder, fault)` plants one fault of FAULTS; FAULTS says what it is.
"""

from __future__ import annotations

import pathlib

from . import eight_gpu_driver, sysfs

NODES = {0: "0-55,112-167", 1: "56-111,168-223"}
# Host bridges of the GPUs, two in each socket, and of the storage NICs. RDMA devices are named in PCI order.
GPU_ROOTS = (0x15, 0x37, 0x97, 0xB7)
STORAGE_ROOTS = (0x51, 0xD1)
RAILS = ("mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3", "mlx5_5", "mlx5_6", "mlx5_7", "mlx5_8")
STORAGE = ("mlx5_4", "mlx5_9")
GPU_ADDRESSES = tuple("0000:%02x:00.0" % (root + offset) for root in GPU_ROOTS for offset in (4, 9))
NIC_ADDRESSES = tuple("0000:%02x:00.0" % (root + offset) for root in GPU_ROOTS for offset in (5, 10))
FAULTS = {
    "link_x8": "GPU 3 trained at 8 lanes of 16",
    "nic_x8": "the rail NIC of GPU 2 trained at 8 lanes of 16",
    "numa_node": "GPU 2 has numa_node -1 and the CPUs of the whole host",
    "numa_node_root": "everything below GPU 2's host bridge has numa_node -1 and the CPUs of the whole host",
    "acs_redirect": "ACS sends peer-to-peer of GPU 4's and GPU 5's switches through the root",
    "acs_one_port": "ACS sends what GPU 4 sends to its NIC through the root, at one port only",
    "acs_unreadable": "config space of bridges ends after 64 bytes, as it does without root",
    "nic_down": "the rail NIC of GPU 5 has no link",
    "nic_slow": "the rail NIC of GPU 1 came up at 100 Gb/s",
    "no_rail": "GPU 6 has no rail NIC",
    "gpu_lost": "GPU 7 fell off the bus; nvidia-smi knows seven",
    "peermem": "nvidia_peermem is loaded",
    "closed_module": "NVIDIA's proprietary kernel module, without nvidia_peermem",
    "iommu_translated": "the IOMMU translates for GPUs and NICs",
    "iommu_off": "there is no IOMMU",
    "fabric_mismatch": "the fabric manager is of another version than the driver",
    "no_nvidia_smi": "nothing of nvidia-smi was recorded",
    "old_kernel": "kernel 5.4",
}
_MODERN = "6.8.0-60-generic"


def build(folder, fault=None):
    """Write the node into a folder, healthy or with one fault; returns the folder."""
    if fault is not None and fault not in FAULTS:
        raise ValueError("no fault %r; there are %s" % (fault, ", ".join(sorted(FAULTS))))
    siblings = {cpu: "%d,%d" % (cpu % 112, cpu % 112 + 112) for cpu in range(224)}
    sysfs.machine(folder, NODES, model="INTEL(R) XEON(R) PLATINUM 8480C", siblings=siblings, memory_kb=1 << 30)
    for number, root in enumerate(GPU_ROOTS):
        _gpu_root(folder, fault, number, root)
    for number, root in enumerate(STORAGE_ROOTS):
        _storage_root(folder, fault, number, root)
    _board(folder)
    _kernel(folder, fault)
    eight_gpu_driver.write(folder, fault, GPU_ADDRESSES, RAILS, STORAGE)
    return folder


def _near(node, fault=None, here=True):
    """Node and CPUs of a device, or what a firmware says that does not know."""
    if here and fault:
        return {"numa_node": -1, "local_cpulist": "0-223"}
    return {"numa_node": node, "local_cpulist": NODES[node]}


def _bridge(folder, parent, address, near, acs=0, fault=None, port=6):
    """A bridge; `port` is what PCI Express calls it: 4 a root port, 5 a switch's upper end, 6 a lower one."""
    config = sysfs.config_space(acs, port)[:64 if fault == "acs_unreadable" else 4096]
    return sysfs.device(folder, parent, address, dict(
        near, **{"class": "0x060400", "vendor": "0x1000", "device": "0xc030", "config": config}), "pcieport")


def _gpu_root(folder, fault, number, root):
    """A host bridge with two GPUs, their rails and two drives."""
    near = _near(number // 2, fault == "numa_node_root", number == 1)
    bridge = sysfs.host_bridge(folder, "pci0000:%02x" % root)
    port = _bridge(folder, bridge, "0000:%02x:01.0" % root, near, None, port=4)
    upper = _bridge(folder, port, "0000:%02x:00.0" % (root + 1), near, None, fault, port=5)
    acs = 0x1D if fault == "acs_redirect" and number == 2 else 0
    for side in (0, 1):
        gpu, bus = 2 * number + side, root + 3 + 5 * side
        below = _bridge(folder, upper, "0000:%02x:0%d.0" % (root + 2, side), near, acs, fault)
        switch = _bridge(folder, below, "0000:%02x:00.0" % bus, near, None, fault, port=5)
        # The lower ends sit on a bus of their own, here numbered by function for the lack of free buses.
        ends = [_bridge(folder, switch, "0000:%02x:1%d.0" % (bus, end), near,
                        0x1D if fault == "acs_one_port" and (gpu, end) == (4, 0) else acs, fault) for end in (0, 1)]
        own = _near(number // 2, fault == "numa_node", gpu == 2) if fault == "numa_node" else near
        if not (fault == "gpu_lost" and gpu == 7):
            _gpu(folder, ends[0], gpu, own, fault)
        if not (fault == "no_rail" and gpu == 6):
            _nic(folder, ends[1], NIC_ADDRESSES[gpu], RAILS[gpu], "rail%d" % gpu, gpu + 1, near, 400,
                 None if {"nic_down": gpu != 5, "nic_slow": gpu != 1, "nic_x8": gpu != 2}.get(fault) else fault)
        end = _bridge(folder, upper, "0000:%02x:0%d.0" % (root + 2, side + 2), near, acs, fault)
        _drive(folder, end, "0000:%02x:00.0" % (root + 13 + side), "nvme%d" % gpu, near)


def _gpu(folder, parent, gpu, near, fault):
    slow = fault == "link_x8" and gpu == 3
    address = GPU_ADDRESSES[gpu]
    device = sysfs.device(folder, parent, address, dict(near, **{
        "class": "0x030200", "vendor": "0x10de", "device": "0x2330",
        "config": sysfs.config_space(None, 0), "resource": sysfs.window(1 << 24, 0, 1 << 37, 0, 1 << 25),
        "current_link_speed": "32.0 GT/s PCIe", "max_link_speed": "32.0 GT/s PCIe",
        "current_link_width": 8 if slow else 16, "max_link_width": 16}), "nvidia")
    _group(folder, device, 30 + gpu, fault)


def _group(folder, device, number, fault):
    if fault != "iommu_off":
        group = "sys/kernel/iommu_groups/%d" % number
        sysfs.write(folder, group + "/type", "DMA-FQ" if fault == "iommu_translated" else "identity")
        sysfs.link(folder, device + "/iommu_group", group)


def _nic(folder, parent, address, rdma, netdev, subnet, near, rate, fault=None):
    """A ConnectX-7 port with RoCE: link-local and IPv4 addresses, each as RoCE v1 and v2."""
    device = sysfs.device(folder, parent, address, dict(near, **{
        "class": "0x020000", "vendor": "0x15b3", "device": "0x1021", "config": sysfs.config_space(None, 0),
        "current_link_speed": "32.0 GT/s PCIe", "max_link_speed": "32.0 GT/s PCIe",
        "current_link_width": 8 if fault == "nic_x8" else 16, "max_link_width": 16}), "mlx5_core")
    _group(folder, device, 50 + subnet, fault)
    down, rate = fault == "nic_down", 100 if fault == "nic_slow" else rate
    sysfs.netdev(folder, device, netdev, {
        "type": 1, "mtu": 9000, "speed": -1 if down else rate * 1000, "operstate": "down" if down else "up",
        "address": "a0:88:c2:00:00:%02x" % subnet, "dev_port": 0}, queues=63)
    gids = ["fe80:0000:0000:0000:a288:c2ff:fe00:00%02x" % subnet, "0000:0000:0000:0000:0000:ffff:0a00:%02x02" % subnet]
    port = {"link_layer": "Ethernet", "rate": "%d Gb/sec (4X %s)" % (rate, "NDR" if rate == 400 else "HDR"),
            "state": "1: DOWN" if down else "4: ACTIVE", "phys_state": "3: Disabled" if down else "5: LinkUp"}
    for index in range(8):
        gid = gids[index // 2] if index < 4 else "0000:0000:0000:0000:0000:0000:0000:0000"
        port["gids/%d" % index] = gid
        if index < 4:
            port["gid_attrs/types/%d" % index] = ("IB/RoCE v1", "RoCE v2")[index % 2]
            port["gid_attrs/ndevs/%d" % index] = netdev
    sysfs.rdma(folder, device, rdma, {"fw_ver": "28.43.1014", "board_id": "MT_0000000838"}, {1: port})


def _drive(folder, parent, address, name, near):
    device = sysfs.device(folder, parent, address, dict(near, **{
        "class": "0x010802", "vendor": "0x144d", "device": "0xa826"}), "nvme")
    sysfs.drive(folder, device, name, "SAMSUNG MZWLO3T8HCLS-00A07")


def _storage_root(folder, fault, number, root):
    near = _near(number)
    bridge = sysfs.host_bridge(folder, "pci0000:%02x" % root)
    port = _bridge(folder, bridge, "0000:%02x:01.0" % root, near, None, port=4)
    _nic(folder, port, "0000:%02x:00.0" % (root + 1), STORAGE[number], "storage%d" % number, 101 + number, near, 400,
         fault if fault in ("iommu_translated", "iommu_off") else None)


def _board(folder):
    """What hangs at the chipset: a BMC's screen, the NIC that people log in through, and the NVSwitches."""
    bridge = sysfs.host_bridge(folder, "pci0000:00")
    for number in range(4):
        port = _bridge(folder, bridge, "0000:00:1%d.0" % number, _near(0), port=4)
        sysfs.device(folder, port, "0000:%02x:00.0" % (4 + number), dict(_near(0), **{
            "class": "0x068000", "vendor": "0x10de", "device": "0x22a3"}), "nvidia-nvswitch")
    port = _bridge(folder, bridge, "0000:00:1c.0", _near(0), port=4)
    sysfs.device(folder, port, "0000:02:00.0", dict(_near(0), **{
        "class": "0x030000", "vendor": "0x1a03", "device": "0x2000"}), "ast")
    port = _bridge(folder, bridge, "0000:00:1d.0", _near(0), port=4)
    device = sysfs.device(folder, port, "0000:03:00.0", dict(_near(0), **{
        "class": "0x020000", "vendor": "0x8086", "device": "0x1563"}), "ixgbe")
    sysfs.netdev(folder, device, "eno1", {"type": 1, "mtu": 1500, "speed": 10000, "operstate": "up",
                                          "address": "a0:88:c2:00:01:01", "dev_port": 0})
    sysfs.write(folder, "proc/net/route", "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n"
                "eno1\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                "rail0\t0000010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0")


def _kernel(folder, fault):
    release = "5.4.0-216-generic" if fault == "old_kernel" else _MODERN
    sysfs.write_all(folder, "proc", {
        "cmdline": "BOOT_IMAGE=/boot/vmlinuz-%s root=/dev/md0 ro%s" % (
            release, "" if fault == "iommu_translated" else " iommu=pt"),
        "version": "Linux version %s (builder@host) #63-Ubuntu SMP" % release,
        "sys/kernel/osrelease": release, "sys/kernel/hostname": "gpu-node-1", "sys/kernel/numa_balancing": 1,
        "sys/net/ipv4/tcp_available_congestion_control": "reno cubic", "sys/kernel/io_uring_disabled": 0})
    sysfs.write_all(folder, "sys/kernel/mm/transparent_hugepage", {
        "enabled": "always [madvise] never", "defrag": "always defer defer+madvise [madvise] never",
        "shmem_enabled": "always within_size advise [never] deny force"})
    for size in (2048, 1048576):
        sysfs.write(folder, "sys/kernel/mm/hugepages/hugepages-%dkB/nr_hugepages" % size, 0)
    pathlib.Path(folder, "sys/kernel/iommu_groups").mkdir(parents=True, exist_ok=True)
