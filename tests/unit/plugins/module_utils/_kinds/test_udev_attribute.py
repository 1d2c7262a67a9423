# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the kind: which places rows have, volumes and mounts, network interfaces, and udev told of changes."""

from __future__ import annotations

import subprocess
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result
from ansible_collections.gpuwright.node.plugins.module_utils._device_values import PerDevice
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import udev_attribute
from ansible_collections.gpuwright.node.plugins.module_utils._row import block_queue, net_attribute
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int

from tests.sysroots import block_node, engine, plain_node
from tests.sysroots.block_node import Queues, mounted
from tests.sysroots.engine import statuses, steps

WORDS = {"doc": "A row.", "source": "https://example.org/"}
FLUSH = net_attribute("net/gro_flush_timeout", PerDevice(Int(0)), variable="network_flush",
                      devices="network_interfaces", **WORDS)
POLL = block_queue("queue/io_poll", PerDevice(Int(0, 1)), variable="nvme_poll", devices="nvme_devices", **WORDS)
NETWORK = types.SimpleNamespace(ROWS=(FLUSH,), RULES=(), OPTIONS=({"name": "network_interfaces", "type": "list"},))
POLLING = types.SimpleNamespace(ROWS=(POLL,), RULES=(), OPTIONS=({"name": "nvme_devices", "type": "list"},))
AHEAD = {row.name: row for row in ROLES["nvme"].ROWS}["queue/read_ahead_kb"]
RULES = "etc/udev/rules.d/90-gpuwright-nvme.rules"


def read_ahead(root, value, volumes=None, kernel=Queues, role="nvme", **request):
    return engine.apply(root, role, {"queue/read_ahead_kb": value}, kernel=kernel,
                        options={"nvme_volumes": volumes}, **request)


def ahead(root, device):
    return (root / "sys/class/block" / device / "queue/read_ahead_kb").read_text().strip()


@pytest.mark.parametrize("uuid, match", [
    ("a:b:c:d", 'ENV{MD_UUID}=="a:b:c:d"'), (None, 'KERNEL=="md127"')])
def test_read_ahead_goes_to_the_array_and_not_to_its_members(tmp_path, uuid, match):
    root = block_node.build(tmp_path, mounted("9:127", "/models"))
    block_node.array(root, uuid=uuid)
    made = read_ahead(root, 4096)
    assert statuses(made) == {"md127/queue/read_ahead_kb": "drift"} and _result.failures(made) == []
    assert [ahead(root, name) for name in ("md127", "nvme0n1", "nvme1n1")] == ["4096", "128", "128"]
    assert 'ACTION=="add|change", SUBSYSTEM=="block", %s, ATTR{queue/read_ahead_kb}="4096"\n' % match in (
        root / RULES).read_text()


def test_partitions_encryption_and_arrays_are_resolved_to_their_top(tmp_path):
    root = block_node.build(tmp_path, mounted("254:0", "/a"), mounted("259:5", "/b"), mounted("254:0", "/c"))
    block_node.partition(root, "nvme0n1", "nvme0n1p1", "259:4")
    block_node.partition(root, "nvme1n1", "nvme1n1p2", "259:5")
    block_node.array(root, parts=("nvme0n1p1",))
    block_node.mapping(root, "dm-0", "254:0", "crypt", "CRYPT-LUKS2-0a-crypt", "md127")
    made = read_ahead(root, {"/a": 1024, "/c": 2048, "/b": 512})
    assert {target: step["desired"] for target, step in steps(made).items()} == {
        "dm-0/queue/read_ahead_kb": "2048", "nvme1n1/queue/read_ahead_kb": "512"}
    text = (root / RULES).read_text()
    assert 'ATTR{dm/uuid}=="CRYPT-LUKS2-0a-crypt", ATTR{queue/read_ahead_kb}="2048"' in text
    assert 'ATTR{wwid}=="eui.0000000000000001", ATTR{queue/read_ahead_kb}="512"' in text


def test_volumes_on_other_disks_are_set_only_where_they_are_named(tmp_path):
    root = block_node.build(tmp_path, mounted("259:0", "/models"))
    assert list(statuses(read_ahead(root, 4096))) == ["nvme0n1/queue/read_ahead_kb"]
    assert list(statuses(read_ahead(root, 4096, ["/"]))) == ["vda/queue/read_ahead_kb", "nvme0n1/queue/read_ahead_kb"]
    assert (ahead(root, "vda"), ahead(root, "nvme0n1")) == ("4096", "128")


def nfs(tmp_path, point="/models", number="0:52"):
    root = block_node.build(tmp_path, mounted(number, point.replace(" ", "\\040"), "nfs4", "server:/export"))
    plain_node.put(root, "/sys/class/bdi/%s/read_ahead_kb" % number, "128")
    return root


def test_a_mount_of_another_machines_files_has_read_ahead_of_its_own(tmp_path):
    root = nfs(tmp_path)
    before = plain_node.snapshot(root)
    assert statuses(read_ahead(root, 4096, ["/models"])) == {"/models/queue/read_ahead_kb": "drift"}
    assert (root / "sys/class/bdi/0:52/read_ahead_kb").read_text().strip() == "4096"
    assert not read_ahead(root, 4096, ["/models"]).due
    assert engine.roll_back(root, kernel=Queues).errors == [] and plain_node.snapshot(root) == before


def test_a_network_mount_gets_it_back_under_the_number_that_it_has_then(tmp_path):
    root = nfs(tmp_path)
    read_ahead(root, 4096, ["/models"])
    block_node.mount(root, mounted("0:77", "/models", "nfs4", "server:/export"))
    plain_node.put(root, "/sys/class/bdi/0:77/read_ahead_kb", "4096")
    assert engine.roll_back(root, kernel=Queues).errors == []
    assert (root / "sys/class/bdi/0:77/read_ahead_kb").read_text().strip() == "128"


@pytest.mark.parametrize("point", ["/models", "/my models"])
def test_the_rule_for_a_mount_waits_until_it_is_there_and_then_writes(tmp_path, point):
    """The program of the rule, with what udev puts in place of %k, %p and $$, run by a real shell."""
    root = nfs(tmp_path, point)
    read_ahead(root, 4096, [point])
    (rule,) = [line for line in (root / RULES).read_text().splitlines() if "bdi" in line]
    program = rule.partition("RUN+=\"/bin/sh -c '")[2].removesuffix("'\"")
    (tmp_path / "out").mkdir()
    for old, new in (("$$", "$"), ("%k", "0:52"), ("/sys%p", str(tmp_path / "out")),
                     ("/proc/1/mountinfo", str(root / "proc/self/mountinfo")), ("sleep 1", "exit 1")):
        assert old in program
        program = program.replace(old, new)
    subprocess.run(["sh", "-c", program], check=True)
    assert (tmp_path / "out/read_ahead_kb").read_text() == "4096\n"
    block_node.mount(root, block_node.ROOT_FS)
    assert subprocess.run(["sh", "-c", program], check=False).returncode == 1


def test_a_file_system_without_read_ahead_of_its_own_is_told_so(tmp_path):
    root = block_node.build(tmp_path, mounted("0:40", "/pool", "zfs", "pool"))
    made = read_ahead(root, 4096, ["/pool"])
    assert statuses(made) == {"/pool/queue/read_ahead_kb": "not_applicable"} and _result.failures(made) == []


def test_a_device_with_a_slash_in_its_name_is_a_bang_in_sysfs_and_a_slash_to_udev(tmp_path):
    root = block_node.build(tmp_path)
    block_node.device(root, "cciss!c0d0", "pci0000:00/block/cciss!c0d0", "104:0", block_node.VIRTUAL)
    options = {"nvme_devices": ["cciss!c0d0"], "nvme_volumes": None}
    made = engine.apply(root, "nvme", {"queue/scheduler": "none"}, kernel=Queues, options=options)
    assert statuses(made) == {"cciss!c0d0/queue/scheduler": "drift"} and _result.failures(made) == []
    assert 'KERNEL=="cciss/c0d0", ATTR{queue/scheduler}="none"' in (root / RULES).read_text()
    assert not engine.apply(root, "nvme", {"queue/scheduler": "none"}, kernel=Queues, options=options).due


def test_hidden_paths_of_a_multipath_drive_are_left_alone(tmp_path):
    root = block_node.build(tmp_path)
    block_node.device(root, "nvme0c1n2", "pci0000:40/0000:41:00.0/nvme/nvme0/nvme0c1n2", "259:8", block_node.DRIVE,
                      hidden="1")
    made = engine.plan(root, "nvme", {"queue/nomerges": 1}, kernel=Queues, options={"nvme_devices": None})
    assert list(statuses(made)) == ["nvme0n1/queue/nomerges", "nvme1n1/queue/nomerges"]
    assert "nvme0c1n2" not in udev_attribute.devices(made.host)


def test_what_the_kernel_ignores_is_an_error(tmp_path):
    """Such is io_poll: only a parameter of the driver sets it."""
    root = block_node.build(tmp_path)
    block_node.drive(root, 5, io_poll="0")
    made = engine.apply(root, "nvme", {"queue/io_poll": 1}, catalogue=POLLING, kernel=Queues,
                        options={"nvme_devices": ["nvme5n1"]})
    assert steps(made)["nvme5n1/queue/io_poll"]["error"].endswith("wrote 1, the kernel keeps 0")


def test_interfaces_are_named_in_a_file_of_their_role(tmp_path):
    root = block_node.build(tmp_path)
    for name in ("eth0", "eth1"):
        plain_node.put(root, "/sys/class/net/%s/gro_flush_timeout" % name, "0")
    before = plain_node.snapshot(root)
    asked = {"catalogue": NETWORK, "kernel": Queues, "options": {"network_interfaces": ["eth0"]}}
    made = engine.apply(root, "network", {"net/gro_flush_timeout": 20000}, **asked)
    assert statuses(made) == {"eth0/net/gro_flush_timeout": "drift"} and _result.failures(made) == []
    text = (root / "etc/udev/rules.d/90-gpuwright-network.rules").read_text()
    assert 'ACTION=="add|move", SUBSYSTEM=="net", KERNEL=="eth0", ATTR{gro_flush_timeout}="20000"\n' in text
    assert not engine.apply(root, "network", {"net/gro_flush_timeout": 20000}, **asked).due
    assert engine.roll_back(root, kernel=Queues).errors == [] and plain_node.snapshot(root) == before


@pytest.mark.parametrize("name, text, status", [
    ("99-disks.rules", 'SUBSYSTEM=="block", KERNEL=="nvme*", ATTR{queue/nomerges}="2"', "conflict"),
    ("99-disks.rules", 'SUBSYSTEM=="block", KERNEL=="nvme*", ATTR{queue/nomerges}="1"', "drift"),
    ("60-disks.rules", 'SUBSYSTEM=="block", KERNEL=="nvme*", ATTR{queue/nomerges}="2"', "drift"),
    ("60-disks.rules", 'SUBSYSTEM=="block", KERNEL=="nvme*", RUN+="/bin/sh -c \'echo 2 > /sys%p/queue/nomerges\'"',
     "conflict")])
def test_another_rule_that_wins_is_named(tmp_path, name, text, status):
    root = block_node.build(tmp_path)
    plain_node.put(root, "/usr/lib/udev/rules.d/" + name, "# Theirs.\n" + text)
    made = engine.plan(root, "nvme", {"queue/nomerges": 1}, kernel=Queues)
    step = steps(made)["nvme0n1/queue/nomerges"]
    assert step["status"] == status
    assert (status == "conflict") == step["reason"].startswith("/usr/lib/udev/rules.d/%s:2 sets " % name)


@pytest.mark.parametrize("owner", ["udev", "/etc/udev/rules.d/99-disks.rules"])
def test_a_file_that_is_handed_over_is_sorted_past(tmp_path, owner):
    root = block_node.build(tmp_path)
    theirs = "/etc/udev/rules.d/99-disks.rules"
    plain_node.put(root, theirs, 'SUBSYSTEM=="block", ATTR{queue/nomerges}="2"')
    before = plain_node.snapshot(root)
    for _time in range(2):
        made = engine.apply(root, "nvme", {"queue/nomerges": 1}, kernel=Queues, take_over=[owner])
        assert _result.failures(made) == []
    assert not made.due
    assert 'ATTR{queue/nomerges}="1"' in (root / "etc/udev/rules.d/zz-gpuwright-nvme.rules").read_text()
    assert not (root / RULES).exists()
    assert engine.roll_back(root, kernel=Queues).errors == [] and plain_node.snapshot(root) == before


def test_a_program_cannot_be_sorted_past(tmp_path):
    root = block_node.build(tmp_path)
    plain_node.put(root, "/etc/udev/rules.d/60-disks.rules", 'RUN+="/bin/x queue/nomerges"')
    made = engine.plan(root, "nvme", {"queue/nomerges": 1}, kernel=Queues, take_over=["udev"])
    assert set(statuses(made).values()) == {"conflict"}


@pytest.mark.parametrize("answer, errors", [((0, "", ""), []), ((1, "", "no\n"), ["udevadm control --reload: no"])])
def test_udev_is_told_where_it_runs(tmp_path, answer, errors):
    root = block_node.build(tmp_path)
    plain_node.put(root, "/run/udev/control", "")
    asked = []

    class Told(Queues):
        runs_commands = True

        def run(self, argv, seconds=10, changes=True):
            asked.append(argv)
            return answer
    made = engine.apply(root, "nvme", {"queue/nomerges": 1}, kernel=Told)
    assert asked == [["udevadm", "control", "--reload"]]
    assert [words.partition(": ")[2] for words in made.errors] == errors
