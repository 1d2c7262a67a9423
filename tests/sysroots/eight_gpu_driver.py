# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes NVIDIA's part of the hand-made node: what its driver shows in /proc and what nvidia-smi said."""

from __future__ import annotations

import pathlib

from . import sysfs

_VERSION = "580.105.08"
_NAME = "NVIDIA H100 80GB HBM3"
_GPU = """
	<gpu id="0000%(upper)s">
		<product_name>%(name)s</product_name>
		<product_brand>NVIDIA</product_brand>
		<persistence_mode>Enabled</persistence_mode>
		<addressing_mode>HMM</addressing_mode>
		<mig_mode>
			<current_mig>Disabled</current_mig>
			<pending_mig>Disabled</pending_mig>
		</mig_mode>
		<mig_devices>
			None
		</mig_devices>
		<uuid>%(uuid)s</uuid>
		<pci>
			<pci_bus_id>0000%(upper)s</pci_bus_id>
			<pci_gpu_link_info>
				<pcie_gen>
					<max_link_gen>5</max_link_gen>
					<current_link_gen>5</current_link_gen>
				</pcie_gen>
				<link_widths>
					<max_link_width>16x</max_link_width>
					<current_link_width>%(width)dx</current_link_width>
				</link_widths>
			</pci_gpu_link_info>
		</pci>
		<fb_memory_usage>
			<total>81559 MiB</total>
		</fb_memory_usage>
	</gpu>"""
_LOG = """<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v13.dtd">
<nvidia_smi_log>
	<driver_version>%s</driver_version>
	<cuda_version>13.0</cuda_version>
	<attached_gpus>%d</attached_gpus>%s
</nvidia_smi_log>
"""


def uuid(gpu):
    """The UUID of a GPU."""
    return "GPU-%08d-0000-0000-0000-000000000000" % gpu


def write(folder, fault, addresses, rails, storage):
    """All of it, for the GPUs that are there."""
    gpus = [gpu for gpu in range(8) if not (fault == "gpu_lost" and gpu == 7)]
    flavour = "Kernel Module" if fault == "closed_module" else "Open Kernel Module for x86_64"
    sysfs.write(folder, "proc/driver/nvidia/version",
                "NVRM version: NVIDIA UNIX %s  %s  Release Build  (dvs-builder@host)" % (
                    "x86_64 " + flavour if fault == "closed_module" else flavour, _VERSION))
    for gpu in gpus:
        sysfs.write(folder, "proc/driver/nvidia/gpus/%s/information" % addresses[gpu], "\n".join((
            "Model: \t\t %s" % _NAME, "IRQ:   \t\t %d" % (200 + gpu), "GPU UUID: \t %s" % uuid(gpu),
            "Video BIOS: \t 96.00.89.00.01", "Bus Type: \t PCIe", "Bus Location: \t %s" % addresses[gpu])))
    sysfs.write(folder, "sys/module/nvidia/version", _VERSION)
    sysfs.write(folder, "proc/driver/nvidia/params", "EnablePCIERelaxedOrderingMode: 0\nGrdmaPciTopoCheckOverride: 0\n"
                "CoherentGPUMemoryMode: \"\"\nRegistryDwords: \"\"")
    for name, value in (("uvm_disable_hmm", "N"), ("uvm_ats_mode", 1)):
        sysfs.write(folder, "sys/module/nvidia_uvm/parameters/" + name, value)
    _packages(folder, "570.172.08" if fault == "fabric_mismatch" else _VERSION)
    if fault == "peermem":
        sysfs.write(folder, "sys/module/nvidia_peermem/version", _VERSION)
    if fault != "no_nvidia_smi":
        _recordings(folder, fault, addresses, gpus, rails, storage)


def _packages(folder, fabric_manager):
    """What dpkg says of the driver and its fabric manager, and the units of its daemons."""
    names = (("nvidia-driver-580-open", _VERSION + "-0ubuntu1"), ("nvidia-fabricmanager", fabric_manager + "-1"))
    sysfs.write(folder, "var/lib/dpkg/status", "\n".join(
        "Package: %s\nStatus: install ok installed\nVersion: %s\n" % each for each in names))
    for name in ("nvidia-persistenced", "nvidia-fabricmanager"):
        sysfs.write(folder, "usr/lib/systemd/system/%s.service" % name,
                    "[Service]\nExecStart=/usr/bin/%s\n\n[Install]\nWantedBy=multi-user.target" % name)


def _recordings(folder, fault, addresses, gpus, rails, storage):
    texts = [_GPU % {"upper": addresses[gpu].upper(), "name": _NAME, "uuid": uuid(gpu),
                     "width": 8 if fault == "link_x8" and gpu == 3 else 16} for gpu in gpus]
    place = pathlib.Path(folder, "gpuwright")
    place.mkdir()
    (place / "nvidia-smi.xml").write_text(_LOG % (_VERSION, len(gpus), "".join(texts)))
    nics = [nic for nic in sorted(rails + storage) if not (fault == "no_rail" and nic == rails[6])]
    (place / "nvidia-smi-topo.txt").write_text(_matrix(gpus, nics, rails))


def _matrix(gpus, nics, rails):
    """The matrix as nvidia-smi writes it to a terminal: tabs, and escape codes around its head."""
    names = ["GPU%d" % gpu for gpu in gpus]
    columns = names + ["NIC%d" % number for number in range(len(nics))]
    lines = ["\t\x1b[4m%s\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\x1b[0m" % "\t".join(columns)]
    for gpu in gpus:
        cells = [" X " if peer == gpu else "NV18" for peer in gpus] + [_kind(gpu, nic, rails) for nic in nics]
        cpus = "0-55,112-167" if gpu < 4 else "56-111,168-223"
        lines.append("GPU%d\t%s\t%s\t%d\t\tN/A" % (gpu, "\t".join(cells), cpus, gpu // 4))
    for number, nic in enumerate(nics):
        cells = [_kind(gpu, nic, rails) for gpu in gpus] + [" X " if peer == nic else "SYS" for peer in nics]
        lines.append("NIC%d\t%s" % (number, "\t".join(cells)))
    legend = ["", "Legend:", "", "  X    = Self", "  SYS  = Connection traversing PCIe as well as the SMP interconnect",
              "  NV#  = Connection traversing a bonded set of # NVLinks", "", "NIC Legend:", ""]
    return "\n".join(lines + legend + ["  NIC%d: %s" % pair for pair in enumerate(nics)]) + "\n"


def _kind(gpu, nic, rails):
    if nic in rails:
        rail = rails.index(nic)
        return "PIX" if rail == gpu else "PXB" if rail // 2 == gpu // 2 else "NODE" if rail // 4 == gpu // 4 else "SYS"
    return "NODE" if (nic == "mlx5_4") == (gpu < 4) else "SYS"
