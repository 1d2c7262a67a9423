# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode and audit.yml write nothing on a node: no file, no kernel value, seen from below by strace."""

from __future__ import annotations

import json

import pytest
import trace_writes

TRACED = ["-e", "ansible_python_interpreter=" + trace_writes.WRAPPER]
PLANTED = "/etc/sysctl.d/99-planted.conf"

# The two modules for facts, and one for each role of an inference node.
MODULES = ["health_facts", *["settings"] * 9, "topology_facts"]

# By default a host of two cores is not divided, no NIC is set and no service is there to be given more: there would be
# nothing to keep from writing.
CPUS = {"housekeeping": "0-1", "workload": "2-3", "gpus": {}, "refused": None,
        "numa_nodes": {"0": {"housekeeping": "0-1", "workload": ""}, "1": {"housekeeping": "0-1", "workload": "2-3"}}}
RAIL, RDMA, SERVICES = ["rail0"], ["rxe0"], ["irqbalance.service"]
DATA_PATH = {
    "network_limit_services": SERVICES, "network_interfaces": ["eth0"], "network_touch_management": True,
    "network_mtu": 1400, "network_ring_rx": 128, "network_napi_defer_hard_irqs": 2, "network_gro_flush_timeout": 200000,
    "network_rails": RAIL, "rdma_roce_interfaces": RAIL, "rdma_roce_rdma_devices": RDMA,
    "rdma_roce_apply": True, "rdma_roce_services": SERVICES, "nvme_wbt_lat_usec": 0,
    "nccl_env_debug": "WARN"}
ASKED = [["-e", json.dumps({**DATA_PATH, "cpu_isolation_mode": mode, "cpu_isolation_partition": CPUS, **others})]
         for mode, others in (("partition", {}), ("boot", {"cpu_isolation_threads_pinned": True}))]
KINDS = {"sysctl", "irq", "unit_environment", "document", "udev_attribute", "unit_limit", "netdev", "rail_route",
         "rdma_cm", "pam_limit", "logind", "nccl_conf"}

# An RDMA device in software, on an interface that is no NIC; the connection manager's folder is there, and empty.
PLUG = """
set -e
modprobe -a rdma_rxe rdma_cm dummy
ip link add rail0 type dummy
ip address add 10.9.0.1/24 dev rail0
ip link set rail0 up
rdma link add rxe0 type rxe netdev rail0
udevadm settle
"""
UNPLUG = "set -e; rdma link delete rxe0; ip link delete rail0; udevadm settle"


@pytest.fixture(scope="module")
def soft_roce(node):
    """The host with such a device."""
    node.command("sh -s", input=PLUG)
    yield node
    node.command(UNPLUG)


@pytest.fixture
def traces(node):
    """Modules on the host run under strace; what they called, a text a module."""
    node.command("cat > %s; chmod 755 %s" % (trace_writes.WRAPPER, trace_writes.WRAPPER), input=trace_writes.SCRIPT)
    yield lambda: node.command(
        "cd %s; for trace in *; do cat $trace; echo; echo ==; done" % trace_writes.TRACES).split("==\n")[:-1]
    node.command("rm -rf %s %s" % (trace_writes.WRAPPER, trace_writes.TRACES))


def modules(texts):
    """Which of the collection's modules left a trace."""
    names = ("settings", "topology_facts", "health_facts", "rollback")
    return sorted(name for text in texts for name in names if "/AnsiballZ_%s.py" % name in text)


@pytest.mark.lab
@pytest.mark.parametrize(("playbook", "options"), [("site", ["--check", "--diff", *ASKED[0]]), ("audit", ASKED[1])])
def test_nothing_is_written_on_the_node(soft_roce, traces, playbook, options):
    answer = soft_roce.playbook(playbook, *options, *TRACED)
    drift = {step["kind"] for step in answer["settings"] if step["status"] == "drift"}
    assert drift > KINDS
    assert {"resource_control", "cpuset", "kernel_argument"} & drift
    found = traces()
    assert modules(found) == MODULES
    wrong = [call for text in found for call in trace_writes.writes(text)]
    assert wrong == [], "\n".join(wrong)


@pytest.mark.lab
def test_a_planted_write_is_seen(node, traces):
    node.task("ansible.builtin.command", "sysctl -w vm.swappiness=60", *TRACED)
    node.task("ansible.builtin.lineinfile", "path=%s line=vm.swappiness=60 create=true mode=0644" % PLANTED, *TRACED)
    node.command("rm " + PLANTED)
    found = [call for text in traces() for call in trace_writes.writes(text)]
    for verb, path in (("open", "/proc/sys/vm/swappiness"), ("rename", PLANTED)):
        assert any(call.startswith(verb) and path in call for call in found), "\n".join(found)
