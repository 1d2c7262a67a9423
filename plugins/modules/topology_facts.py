#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module topology_facts: reads what a GPU node is made of, and how its parts hang together, into one fact."""

from __future__ import annotations

DOCUMENTATION = r"""
module: topology_facts
short_description: Read the topology of a GPU node
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Reads CPUs, NUMA nodes, GPUs, NICs, RDMA devices, NVMe drives and how close they are to one another, from the
    files of the kernel. What these lack (such as the NVLinks between GPUs) comes from C(nvidia-smi), if it answers
    in time.
  - Returns the fact C(topology), schema 1. Every role of this collection reads it and nothing else.
  - What is unknown is null, never a guess. What was inferred, or read from another place than usual, is named in
    C(sources); what could not be read, and why, in C(notes). A file that cannot be read never fails the module.
  - Sets of CPUs are strings in the form of the kernel (C(0-3,8)), never with a stride; the empty set is an empty
    string. Bytes are integers. Lists are sorted.
options:
  sysroot:
    description:
      - The folder below which C(/sys), C(/proc) and C(/etc) of the machine lie. Below another one than V(/) no
        command is started, so that a capture of any machine can be read anywhere.
      - There the output of C(nvidia-smi -q -x) may lie as C(gpuwright/nvidia-smi.xml), and that of C(nvidia-smi
        topo -m) as C(gpuwright/nvidia-smi-topo.txt). A folder with one of these and nothing else is enough to list
        its GPUs.
    type: path
    default: /
  gather:
    description:
      - The sections wanted. All of them by default.
      - Sections are C(system), C(cpu), C(numa_nodes), C(gpus), C(nics), C(rdma_devices), C(nvme), C(pci_paths),
        C(gpu_nics), C(kernel) and C(owners). Those that are not named are missing from the fact.
    type: list
    elements: str
  compute_nics:
    description:
      - The RDMA devices that serve GPUs, by name (C(mlx5_0)), interface or PCI address. Then no other one does.
      - By default those that are neither down nor used for storage or management, as far as the node shows it.
    type: list
    elements: str
  storage_nics:
    description: The RDMA devices that serve storage or management, named likewise. These never serve GPUs.
    type: list
    elements: str
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Returns a diff. Facts change nothing.
    support: none
notes:
  - Works without root. Some answers (ACS and ranges of PCI bridges, the environment of process 1) are for root alone;
    without it they are null, with a note.
"""

EXAMPLES = r"""
- name: What this node is
  gpuwright.node.topology_facts:

- name: Only CPUs and memory, which takes a few milliseconds
  gpuwright.node.topology_facts:
    gather: [cpu, numa_nodes]

- name: A node whose storage network is on two known ports
  gpuwright.node.topology_facts:
    storage_nics: [mlx5_2, mlx5_7]

- name: A capture of another machine
  gpuwright.node.topology_facts:
    sysroot: /srv/captures/dgx-17
  delegate_to: localhost
"""

RETURN = r"""
ansible_facts:
  description: The fact C(topology).
  returned: always
  type: dict
  contains:
    topology:
      description: What the node is made of, schema 1.
      returned: always
      type: dict
      contains:
        schema:
          description: The number of this schema.
          returned: always
          type: int
          sample: 1
        system:
          description:
            - The machine as a whole.
            - Keys are C(hostname), C(architecture), C(kernel), C(vendor), C(product), C(virtualization) (V(none),
              V(kvm) and so on, as systemd-detect-virt says) and C(boot_cmdline).
          returned: if gathered
          type: dict
        cpu:
          description:
            - C(vendor) and C(model).
            - C(possible), C(present), C(online), C(offline), C(isolated) and C(nohz_full) are sets of CPUs, null
              where the kernel has no such file. Of C(offline), CPUs that are not present are left out.
            - C(threads_per_core) is the largest of any core.
            - C(packages) are C(id) and C(cpus); C(cores) are C(cpus) (online SMT siblings), C(package) and
              C(numa_node), one entry a physical core; C(caches) are C(level), C(size) and C(cpus) of the last level
              that each CPU has.
          returned: if gathered
          type: dict
        numa_nodes:
          description:
            - C(id), C(cpus) (online ones only), C(memory), C(distances) by node, C(kind) and C(hugepages) by page
              size in kB with C(total) and C(free).
            - C(kind) is V(cpu), V(memory) (no CPUs, such as CXL or HBM) or V(gpu) (memory of a GPU, as on Grace).
            - Empty for a kernel without NUMA.
          returned: if gathered
          type: list
          elements: dict
          sample:
            - id: 0
              cpus: 0-31,64-95
              memory: 540163227648
              distances: {"0": 10, "1": 21}
              kind: cpu
              hugepages: {"2048": {"total": 0, "free": 0}}
        gpus:
          description:
            - NVIDIA and AMD GPUs, in the order of their PCI addresses (C(CUDA_DEVICE_ORDER=PCI_BUS_ID)).
            - Keys are C(index), C(pci_address), C(vendor), C(name), C(uuid), C(memory), C(driver), C(numa_node),
              C(cpus), C(link) (C(speed), C(width), C(max_speed), C(max_width)), C(links) to other GPUs by index
              (such as V(NV18)), C(mig), C(persistence) and C(addressing_mode).
          returned: if gathered
          type: list
          elements: dict
        nics:
          description:
            - Ethernet and IPoIB interfaces with a device behind them.
            - Keys are C(name), C(pci_address), C(driver), C(numa_node), C(cpus), C(mtu), C(speed), C(operstate),
              C(address), C(rdma_device), C(addresses), C(ring) and C(channels).
            - C(addresses) are the lasting IP addresses with their prefix, null where they cannot be told; in a capture
              from a recorded C(ip -j address) (C(gpuwright/ip-address.json)).
          returned: if gathered
          type: list
          elements: dict
        rdma_devices:
          description:
            - C(name), C(pci_address), C(numa_node), C(cpus), C(firmware), C(board_id), C(link) and C(ports).
            - A link has C(speed), C(width), C(max_speed) and C(max_width), as the kernel says them; null for a device
              that is not on PCI.
            - A port has C(port), C(link_layer), C(state), C(phys_state), C(rate) in Gb/s, C(netdev), C(active_mtu),
              C(gids) (C(index), C(gid), C(type), C(netdev)) and C(roce_v2_gid) (the index for C(ipv4) and C(ipv6),
              or null).
          returned: if gathered
          type: list
          elements: dict
        nvme:
          description:
            - C(name), C(pci_address), C(model), C(numa_node), C(cpus) and C(namespaces).
            - A namespace has C(name), C(size) and C(queue) (C(scheduler), C(max_sectors_kb), C(max_hw_sectors_kb),
              C(read_ahead_kb), C(nr_requests), C(rotational)).
          returned: if gathered
          type: list
          elements: dict
        pci_paths:
          description:
            - How close every GPU (C(gpu), its index) is to every RDMA device and NVMe drive (C(device)).
            - C(kind) is V(PIX) (one PCIe bridge at most), V(PXB) (several bridges, no host bridge), V(PHB) (one
              host bridge), V(NODE) (host bridges of one NUMA node) or V(SYS) (across nodes); C(path) is the way.
          returned: if gathered
          type: list
          elements: dict
        gpu_nics:
          description:
            - For each GPU, by index, the RDMA devices at its best distance that serve GPUs. Of several behind cascaded
              switches, those that share the most of these with it.
          returned: if gathered
          type: dict
          sample: {"0": ["mlx5_0"], "1": ["mlx5_1"]}
        kernel:
          description:
            - What the running kernel and the firmware offer.
            - Keys are C(hugepage_sizes) in kB, C(thp), C(nohz_full_built), C(iommu) (V(off), V(passthrough),
              V(translated)), C(acs), C(gpudirect), C(hmm), C(ats), C(congestion_controls) and C(io_uring_disabled).
          returned: if gathered
          type: dict
        owners:
          description:
            - Other tools that own host settings here.
            - C(tuned) is the active profile, or null where tuned does not run; C(kubelet), C(nodewright),
              C(irqbalance) and C(lldpad) are booleans.
          returned: if gathered
          type: dict
        sources:
          description: Where an answer came from when it was inferred or did not come from the obvious file.
          returned: always
          type: dict
          sample: {"cpu.online": "/proc/cpuinfo"}
        notes:
          description: What could not be read, and why; what was left out, and why.
          returned: always
          type: list
          elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import node
from ansible_collections.gpuwright.node.plugins.module_utils._values import nearest


def main():
    """Check what was asked, read, answer."""
    names = {"type": "list", "elements": "str"}
    module = AnsibleModule(
        argument_spec={"sysroot": {"type": "path", "default": "/"},
                       "gather": names, "compute_nics": names, "storage_nics": names},
        supports_check_mode=True,
    )
    asked = module.params
    for name in asked["gather"] or ():
        if name not in node.SECTIONS:
            module.fail_json(msg="gather: %r is no section of the topology; %s" % (name, nearest(name, node.SECTIONS)))
    host = Host(asked["sysroot"])
    if not host.is_folder("/"):
        module.fail_json(msg="sysroot: %s is not a folder on this machine" % asked["sysroot"])
    try:
        topology = node.read_topology(host, asked["gather"], asked["compute_nics"], asked["storage_nics"])
    except node.UnknownNic as error:
        module.fail_json(msg="compute_nics, storage_nics: %s" % error)
    module.exit_json(changed=False, ansible_facts={"topology": topology})


if __name__ == "__main__":
    main()
