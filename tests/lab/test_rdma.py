# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Soft-RoCE on a real kernel: GID tables as the topology shows them, and the ToS of RDMA-CM set, kept and given back.

PFC, trust, DSCP map and ETS have no NIC here: dcb says so itself, and the steps do.
"""

from __future__ import annotations

import json

import pytest

DEVICE, RAIL = "rxe0", "rail0"
TARGET = DEVICE + "/rdma_cm/default_roce_tos"
CM = "/sys/kernel/config/rdma_cm"
TOS = "%s/%s/ports/1/default_roce_tos" % (CM, DEVICE)
PORT = "/sys/class/infiniband/%s/ports/1" % DEVICE
PLUG = "rdma link add %s type rxe netdev %s; udevadm settle" % (DEVICE, RAIL)
ASKED = ["--tags", "rdma_roce", "-e", json.dumps({
    "rdma_roce_interfaces": [RAIL], "rdma_roce_rdma_devices": [DEVICE], "rdma_roce_apply": True})]


@pytest.fixture(scope="module")
def soft_roce(soft_roce_host):
    """The host with an interface of 9000 bytes and three addresses, on it an RDMA device; and how it is then."""
    soft_roce_host.command(
        "set -e; modprobe rdma_rxe; modprobe rdma_cm; ip link add %(rail)s mtu 9000 type dummy; "
        "ip address add 10.9.0.1/24 dev %(rail)s; ip address add fd00:9::1/64 nodad dev %(rail)s; "
        "ip link set %(rail)s up; %(plug)s" % {"rail": RAIL, "plug": PLUG})
    return soft_roce_host, soft_roce_host.snapshot()["files"]


def steps(answer):
    """Steps by target."""
    return {step["target"]: step for step in answer["settings"]}


@pytest.mark.lab
def test_a_real_gid_table_is_read_and_its_unused_entries_are_left_out(soft_roce, tmp_path):
    host, _files = soft_roce
    host.task("gpuwright.node.topology_facts", "", "--tree", str(tmp_path))
    topology = json.loads((tmp_path / host.name).read_text())["ansible_facts"]["topology"]
    device = next(device for device in topology["rdma_devices"] if device["name"] == DEVICE)
    port = device["ports"][0]
    assert (port["link_layer"], port["state"], port["netdev"], port["active_mtu"]) == ("Ethernet", "ACTIVE", RAIL, 4096)
    assert {(gid["type"], gid["netdev"]) for gid in port["gids"]} == {("RoCE v2", RAIL)}
    by_gid = {gid["gid"]: gid["index"] for gid in port["gids"]}
    assert port["roce_v2_gid"] == {"ipv4": by_gid["0000:0000:0000:0000:0000:ffff:0a09:0001"],
                                   "ipv6": by_gid["fd00:0009:0000:0000:0000:0000:0000:0001"]}
    unused = max(by_gid.values()) + 1
    said = host.command("cat %(port)s/gids/%(index)d; cat %(port)s/gid_attrs/types/%(index)d "
                        "%(port)s/gid_attrs/ndevs/%(index)d 2>&1; true" % {"port": PORT, "index": unused})
    assert said.count("Invalid argument") == 2 and said.startswith("0000:0000:0000:0000:0000:0000:0000:0000")


@pytest.mark.lab
def test_the_tos_of_rdma_cm_is_set_kept_over_a_reload_and_given_back(soft_roce):
    host, files = soft_roce
    assert host.command("ls %s" % CM) == ""
    made = steps(host.playbook("site", *ASKED))
    assert (made[TARGET]["status"], made[TARGET]["running"]) == ("drift", "0")
    assert host.command("cat %s" % TOS) == "106\n"
    assert "Numerical result out of range" in host.command("(echo 256 > %s) 2>&1; true" % TOS)
    for name in ("dcb/prio-pfc", "dcb/trust"):  # The real dcb, and a driver without data center bridging.
        assert made["%s/%s" % (RAIL, name)]["status"] == "not_applicable"
        assert "iproute2" in made["%s/%s" % (RAIL, name)]["reason"]
    assert steps(host.playbook("audit", *ASKED))[TARGET]["status"] == "ok"

    host.command("set -e; rdma link delete %s; %s" % (DEVICE, PLUG))
    assert host.command("cat %s" % TOS) == "0\n"
    said = host.command("/usr/local/lib/gpuwright/gpuwright.pyz boot")
    assert "%s: 106, was 0" % TARGET in said and host.command("cat %s" % TOS) == "106\n"

    host.playbook("rollback")
    assert host.command("ls %s; mkdir %s/%s; cat %s; rmdir %s/%s" % (CM, CM, DEVICE, TOS, CM, DEVICE)) == "0\n"
    assert host.snapshot()["files"] == files
