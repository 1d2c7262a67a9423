# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The healthy node of ten_faults.py made into others: with InfiniBand, without RDMA, a guest, Grace, AMD GPUs.

Only what tells such a node from the healthy one is changed; the rest stays as it is.
"""

from __future__ import annotations

import re
import shutil

from tests.sysroots import eight_gpu, ten_faults
from tests.sysroots.plain_node import put

_RDMA, _PCI = "/sys/class/infiniband/", "/sys/bus/pci/devices/"
_GRACE = ("processor\t: %d\nBogoMIPS\t: 2000.00\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n"
          "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd4f\nCPU revision\t: 0\n\n")


def _infiniband(root):
    """All NICs for GPUs and storage are InfiniBand; the card that people log in through stays Ethernet."""
    for name in eight_gpu.RAILS + eight_gpu.STORAGE:
        port = _RDMA + name + "/ports/1/"
        put(root, port + "link_layer", "InfiniBand")
        shutil.rmtree(root / port[1:] / "gid_attrs")
        for index in range(8):
            put(root, port + "gids/%d" % index, "fe80:0000:0000:0000:" + (
                "0000:0000:0000:0000" if index else "a088:c203:0000:0001"))
        for place in (root / _RDMA[1:] / name / "device/net").iterdir():
            put(root, "/sys/class/net/%s/type" % place.name, "32")
            put(root, "/sys/class/net/%s/mtu" % place.name, "2044")
    put(root, "/etc/nccl.conf", "NCCL_IB_HCA==" + ",".join(eight_gpu.RAILS))


def _no_rdma(root):
    shutil.rmtree(root / _RDMA[1:])
    for place in list((root / "sys/devices").rglob("infiniband")):
        shutil.rmtree(place)
    for name in ("etc/nccl.conf", "gpuwright/nvidia-smi-topo.txt"):
        (root / name).unlink()


def _guest(root):
    """A guest of QEMU, whose own IOMMU translates."""
    put(root, "/sys/class/dmi/id/sys_vendor", "QEMU")
    place = root / "proc/cpuinfo"
    place.write_text(place.read_text().replace("model name", "flags\t\t: fpu lm hypervisor\nmodel name"))
    for group in (root / "sys/kernel/iommu_groups").iterdir():
        (group / "type").write_text("DMA-FQ\n")
    put(root, "/proc/cmdline", "root=/dev/vda1 ro")


def _grace(root):
    place = root / "proc/cpuinfo"
    place.write_text("".join(_GRACE % cpu for cpu in range(len(re.findall("^processor", place.read_text(), re.M)))))
    for path in [root / "gpuwright/nvidia-smi.xml", *(root / "proc/driver/nvidia/gpus").rglob("information")]:
        path.write_text(path.read_text().replace("NVIDIA H100 80GB HBM3", "NVIDIA GH200 480GB"))
    put(root, "/proc/cmdline", "root=/dev/md0 ro")


def _amd(root):
    """Eight MI300X with the kernel's own driver, and nothing of NVIDIA's."""
    for path in ("proc/driver/nvidia", "sys/module/nvidia", "sys/module/nvidia_uvm"):
        shutil.rmtree(root / path)
    for name in ("usr/lib/systemd/system/nvidia-persistenced.service", "var/lib/dpkg/status",
                 "usr/lib/systemd/system/nvidia-fabricmanager.service", "gpuwright/nvidia-smi.xml",
                 "gpuwright/nvidia-smi-topo.txt"):
        (root / name).unlink()
    (root / "sys/bus/pci/drivers/amdgpu").mkdir()
    for address in eight_gpu.GPU_ADDRESSES:
        for name, text in (("vendor", "0x1002"), ("device", "0x74a1"), ("class", "0x120000")):
            put(root, _PCI + address + "/" + name, text)
        driver = root / _PCI[1:] / address / "driver"
        driver.unlink()
        driver.symlink_to(root / "sys/bus/pci/drivers/amdgpu")
    for number in range(4):
        (root / _PCI[1:] / ("0000:%02x:00.0" % (4 + number))).unlink()


NODES = {"InfiniBand": _infiniband, "no RDMA": _no_rdma, "guest": _guest, "Grace": _grace, "AMD": _amd}


def build(folder, name):
    """The node of this name; returns its root."""
    root = ten_faults.build(folder)
    NODES[name](root)
    return root
