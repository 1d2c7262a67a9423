# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what lies between a mount point and its drives."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import block

from tests.sysroots import block_node, plain_node
from tests.sysroots.block_node import mounted


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    """RAID over a partition of one drive and all of another; encryption on it; a volume that mixes drives."""
    root = block_node.build(tmp_path, mounted("254:1", "/a"), mounted("254:2", "/mixed"))
    block_node.partition(root, "nvme0n1", "nvme0n1p1", "259:4")
    block_node.array(root, parts=("nvme0n1p1", "nvme1n1"), level="raid1", chunk=0)
    block_node.mapping(root, "dm-1", "254:1", "crypt", "CRYPT-1", "md127")
    block_node.mapping(root, "dm-2", "254:2", "mixed", "LVM-1", "nvme1n1", "vda")
    return root


def test_a_device_rests_on_drives_at_any_depth(root):
    host = Host(str(root))
    assert block.members(host, "md127") == ["nvme0n1", "nvme1n1"]
    assert block.drives(host, "dm-1") == ["nvme0n1", "nvme1n1"]
    assert block.on_nvme(host, "dm-1") and not block.on_nvme(host, "dm-2") and not block.on_nvme(host, "vda")
    assert block.volumes(host) == {"dm-1": ["/a"]}


def test_an_array_and_a_mapping_are_told(root):
    host = Host(str(root))
    assert block.raid(host, "md127") == {
        "level": "raid1", "chunk_kb": 0, "members": ["nvme0n1", "nvme1n1"], "degraded": False}
    assert block.raid(host, "nvme0n1") is None
    assert (block.mapped(host, "dm-1"), block.mapped(host, "nvme0n1")) == ("crypt", None)


def test_partitions_are_no_disks_and_have_a_whole(root):
    host = Host(str(root))
    assert block.disks(host) == ["dm-1", "dm-2", "md127", "nvme0n1", "nvme1n1", "vda"]
    assert block.whole(host, "nvme0n1p1") == "nvme0n1"


def test_namespaces_are_in_the_order_of_their_numbers(tmp_path):
    root = block_node.build(tmp_path)
    block_node.drive(root, 10)
    block_node.drive(root, 2)
    assert block.namespaces(Host(str(root))) == ["nvme0n1", "nvme1n1", "nvme2n1", "nvme10n1"]


@pytest.mark.parametrize("line, point, kind", [
    ("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:3 - ext3 /dev/root rw,errors=continue", "/mnt2", "ext3"),
    ("40 22 0:40 / /a\\040b\\134c rw - nfs4 s:/x\\040y rw", "/a b\\c", "nfs4")])
def test_mounts_are_read_as_the_kernel_writes_them(tmp_path, line, point, kind):
    root = block_node.build(tmp_path)
    block_node.mount(root, line)
    mounts = block.mounts(Host(str(root)))
    assert list(mounts) == [point] and mounts[point]["type"] == kind


def test_what_is_mounted_last_counts(tmp_path):
    root = block_node.build(tmp_path, mounted("259:0", "/a"), mounted("259:1", "/a"))
    host = Host(str(root))
    assert block.top(host, block.mounts(host)["/a"]) == "nvme1n1"


def test_without_a_list_of_mounts_there_are_none(tmp_path):
    root = block_node.build(tmp_path)
    (root / "proc/self/mountinfo").unlink()
    host = Host(str(root))
    assert block.mounts(host) == {} and host.notes == []


@pytest.mark.parametrize("kind, network", [("nfs", True), ("nfs4", True), ("lustre", True), ("ceph", True),
                                           ("ext4", False), ("nfsd", False), ("xfs", False)])
def test_file_systems_of_other_machines_are_known(kind, network):
    assert block.is_network({"type": kind}) is network


def test_a_device_is_identified_by_what_stays(root):
    host = Host(str(root))
    plain_node.put(root, "/sys/class/block/vda/serial", 'my "disk" [1]')
    assert block.identity(host, "nvme0n1") == 'ATTR{wwid}=="eui.0000000000000000"'
    assert block.identity(host, "dm-1") == 'ATTR{dm/uuid}=="CRYPT-1"'
    assert block.identity(host, "md127") == 'KERNEL=="md127"'
    assert block.identity(host, "vda") == 'ATTR{serial}=="my??disk???1?"'
    assert block.named_by(host, 'ATTR{dm/uuid}=="CRYPT-1"') == "dm-1"
    assert block.named_by(host, 'ATTR{dm/uuid}=="CRYPT-2"') is None


def test_an_identity_that_two_devices_share_is_none(tmp_path):
    """Some drives come with the same number, or none but zeroes."""
    root = block_node.build(tmp_path)
    block_node.drive(root, 2, wwid="eui.0000000000000000")
    host = Host(str(root))
    assert block.identity(host, "nvme0n1") == 'KERNEL=="nvme0n1"'
    assert block.identity(host, "nvme1n1") == 'ATTR{wwid}=="eui.0000000000000001"'


def test_the_node_of_a_drive(tmp_path):
    root = block_node.build(tmp_path)
    block_node.drive(root, 2, numa_node=-1)
    host = Host(str(root))
    assert [block.numa_node(host, "nvme%dn1" % number) for number in (0, 1, 2)] == [0, 1, None]
    assert block.numa_node(host, "vda") is None
