#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module health_facts: reads what of a GPU node changes by the hour, and says what is wrong with it, into one fact."""

from __future__ import annotations

DOCUMENTATION = r"""
module: health_facts
short_description: Read the health of a GPU node
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Reads Xid and PCIe errors since boot, ECC and row remapping, throttling, clocks, temperature and power of GPUs,
    NVLink and fabric state, RDMA ports and their error counters, PCIe links now against the most they can do, and
    NVMe drives.
  - Returns the fact C(health), schema 1. Meant for gates, such as before a change, before and after a reboot, and
    around a benchmark.
  - What is unknown is null, never a guess. What could not be read is named in C(unreadable) with the reason, such
    as a C(nvidia-smi) that does not answer in time. That never fails the module. GPUs of a vendor that are not here
    are no error.
options:
  sysroot:
    description:
      - The folder below which C(/sys), C(/proc) and C(/var) of the machine lie. Below another one than V(/) no
        command is started, so that a capture of any machine can be read anywhere.
      - There the output of C(nvidia-smi -q -x) may lie as C(gpuwright/nvidia-smi.xml), that of C(nvidia-smi nvlink
        -s) as C(gpuwright/nvidia-smi-nvlink.txt), and the kernel's log, in any form of C(journalctl -k) or
        C(dmesg), as C(gpuwright/kernel.log).
    type: path
    default: /
  gather:
    description:
      - The sections wanted. All of them by default.
      - Sections are C(kernel_log), C(gpus), C(rdma_devices), C(nics), C(pcie), C(nvme) and C(services). Those that
        are not named are missing from the fact, and the verdict says nothing of them.
    type: list
    elements: str
  before:
    description:
      - The fact C(health) of the same node from before something was done. The task fails, and names what, if the node
        is worse now.
    type: dict
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Returns a diff. Facts change nothing.
    support: none
notes:
  - Without root the kernel's log may be out of reach, and then is C(unreadable). The rest is for everybody.
"""

EXAMPLES = r"""
- name: How this node is
  gpuwright.node.health_facts:

- name: No job on a node that is broken
  ansible.builtin.assert:
    that: ansible_facts.health.verdict | selectattr('severity', 'eq', 'E') | length == 0
    fail_msg: "{{ ansible_facts.health.verdict | map(attribute='message') | join('; ') }}"

- name: Only the GPUs and the kernel's log
  gpuwright.node.health_facts:
    gather: [gpus, kernel_log]

- name: A capture of another machine
  gpuwright.node.health_facts:
    sysroot: /srv/captures/dgx-17
  delegate_to: localhost
"""

RETURN = r"""
ansible_facts:
  description: The fact C(health).
  returned: always
  type: dict
  contains:
    health:
      description: What changes by the hour, schema 1.
      returned: always
      type: dict
      contains:
        schema:
          description: The number of this schema.
          returned: always
          type: int
          sample: 1
        boot_id:
          description: The kernel's name of this boot. Counters and the log of two boots do not compare.
          returned: always
          type: str
        kernel_log:
          description:
            - What the kernel's log since boot says of broken hardware. C(source) is where it was read, null where
              there was none; then the lists are null.
            - C(xids) have C(pci_address), C(code), C(name), C(severity), C(message), C(count) and C(last), one
              entry a GPU and code. The severity is from NVIDIA's public catalogue, V(fatal) (the GPU needs a reset
              or more), V(application) (a program must be restarted), V(workflow) (NVIDIA prescribes an
              investigation), V(info), or V(unknown).
            - C(sxids) are those of NVSwitches. C(aer) are PCIe errors by device and severity (V(corrected),
              V(nonfatal), V(fatal)). C(events) have C(kind), C(device) and C(severity), such as V(gpu_off_bus),
              V(gpu_init_failed), V(gpu_reset), V(ras_uncorrected), V(machine_check), V(nvme_reset), V(nvme_lost)
              and V(pcie_containment).
          returned: if gathered
          type: dict
        gpus:
          description:
            - NVIDIA and AMD GPUs, in the order of their PCI addresses.
            - Keys are C(pci_address), C(vendor), C(driver), C(name), C(uuid), C(in_driver) (whether the driver
              lists it; null where it belongs to a virtual machine), C(performance_state), C(persistence), C(mig),
              C(recovery_action), C(ecc) (C(volatile) since the driver was loaded, C(aggregate) for ever),
              C(remapped_rows), C(retired_pages), C(throttle_reasons) that are active, C(throttle_microseconds),
              C(clocks) in MHz, C(temperature) in degrees Celsius with the limits that the GPU reports, C(power) in
              watts with its limits, C(utilization) in percent, C(link), C(replays) of the PCIe link, C(fabric),
              C(nvlink) and C(processes) that compute (C(pid), C(name), C(memory)).
          returned: if gathered
          type: list
          elements: dict
        rdma_devices:
          description:
            - C(name), C(pci_address) and C(ports). A port has C(port), C(link_layer), C(state), C(phys_state),
              C(rate) in Gb/s and C(errors), the counters of errors that are not zero.
          returned: if gathered
          type: list
          elements: dict
        nics:
          description:
            - C(name), C(pci_address), C(operstate), C(speed), C(carrier_changes) and C(errors) that are not zero.
          returned: if gathered
          type: list
          elements: dict
        pcie:
          description:
            - C(links) of GPUs, NICs and NVMe drives, with C(pci_address), C(kind), C(speed), C(width),
              C(max_speed), C(max_width), and C(expected_speed) and C(expected_width), to which the slot may limit
              them.
            - C(aer) of all devices that counted an error, with C(correctable), C(nonfatal), C(fatal) and C(errors).
          returned: if gathered
          type: dict
        nvme:
          description: C(name), C(pci_address), C(serial), C(model), C(firmware) and C(state) (V(live) is good).
          returned: if gathered
          type: list
          elements: dict
        services:
          description:
            - C(nvidia-persistenced), C(nvidia-fabricmanager) and C(nvidia-imex), each with C(unit), the state of
              its systemd unit, null where there is none, and C(process), whether such a process runs, in a
              container or not.
          returned: if gathered
          type: dict
        unreadable:
          description: The reason for each section of which something could not be read.
          returned: always
          type: dict
          sample: {"gpus": "nvidia-smi: no answer after 10 s"}
        verdict:
          description:
            - What is wrong, the worst first, each with C(severity), C(device), C(what) and C(message).
            - V(E) is what no job should run on, V(W) is for somebody to look at, V(I) is good to know.
          returned: always
          type: list
          elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpuwright.node.plugins.module_utils._health import node, verdict
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._values import nearest


def main():
    """Check what was asked, read, answer."""
    module = AnsibleModule(
        argument_spec={"sysroot": {"type": "path", "default": "/"}, "gather": {"type": "list", "elements": "str"},
                       "before": {"type": "dict"}},
        supports_check_mode=True,
    )
    asked = module.params
    for name in asked["gather"] or ():
        if name not in node.SECTIONS:
            module.fail_json(msg="gather: %r is no section of the health; %s" % (name, nearest(name, node.SECTIONS)))
    host = Host(asked["sysroot"])
    if not host.is_folder("/"):
        module.fail_json(msg="sysroot: %s is not a folder on this machine" % asked["sysroot"])
    health = node.read_health(host, asked["gather"])
    worse = verdict.worse(asked["before"], health) if asked["before"] else []
    if worse:
        module.fail_json(msg="worse than before: %s" % "; ".join(worse), health=health)
    module.exit_json(changed=False, ansible_facts={"health": health})


if __name__ == "__main__":
    main()
