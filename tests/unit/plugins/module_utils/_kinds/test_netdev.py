# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind netdev on a stand-in host: round trips of every row, what a .link file of ours holds, who stands in its way."""

from __future__ import annotations

import errno

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result
from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun
from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import netdev
from ansible_collections.gpuwright.node.plugins.module_utils._settings import network_links

from tests.sysroots import engine, link_node, plain_node
from tests.sysroots.engine import statuses, steps
from tests.sysroots.link_node import COPIED, GROUPS, NET, Links

ROLE = "network"
RAILS = {"network_interfaces": ["eth1", "eth2"]}
VALUES = {"link/mtu": 9000, "ring/rx": 8192, "ring/tx": 4096, "channels/combined": 16, "coalesce/adaptive-rx": 0,
          "coalesce/adaptive-tx": 1, "coalesce/rx-usecs": 3, "coalesce/tx-usecs": 0, "coalesce/rx-frames": 64,
          "coalesce/tx-frames": 16}
OURS = "/etc/systemd/network/00-gpuwright-network-%s.link"


def plan(root, values=None, options=None, **request):
    return engine.plan(root, ROLE, VALUES if values is None else values, options=options or RAILS, kernel=Links,
                       catalogue=network_links, **request)


def apply(root, values=None, options=None, kernel=Links, **request):
    return engine.apply(root, ROLE, VALUES if values is None else values, options=options or RAILS, kernel=kernel,
                        catalogue=network_links, **request)


def ours(root, name="eth1"):
    return (root / (OURS % name)[1:]).read_text()


def reasons(made):
    return {target: step["reason"] for target, step in steps(made).items() if step["status"] == "conflict"}


def without_desired(found):
    return {path: what for path, what in found.items() if "/desired" not in path}


def test_every_row_goes_round(tmp_path):
    assert {row.name for row in network_links.ROWS} - set(VALUES) == {"channels/rx", "channels/tx"}  # See below.
    root = link_node.build(tmp_path)
    before = plain_node.snapshot(root)
    checked = _result.result(plan(root))
    assert plain_node.snapshot(root) == before
    applied = apply(root)
    assert _result.failures(applied) == []
    assert {name for name, status in statuses(applied).items() if status != "drift"} == set()
    assert _result.result(applied)["diff"] == checked["diff"]
    assert set(statuses(plan(root)).values()) == {"ok"}
    settled = plain_node.snapshot(root)
    again = apply(root)
    assert not again.due and again.host.asked == [] and plain_node.snapshot(root) == settled
    assert engine.roll_back(root, kernel=Links).errors == []
    assert plain_node.snapshot(root) == before


def test_channels_of_one_way_go_round_where_a_driver_has_them(tmp_path):
    root = link_node.build(tmp_path, groups={"channels": {"rx": (4, 16), "tx": (4, 16)}})
    before = plain_node.snapshot(root)
    apply(root, {"channels/rx": 8, "channels/tx": 2})
    assert "RxChannels=8\nTxChannels=2\n" in ours(root)
    assert set(statuses(plan(root, {"channels/rx": 8, "channels/tx": 2})).values()) == {"ok"}
    engine.roll_back(root, kernel=Links)
    assert plain_node.snapshot(root) == before


def test_our_file_copies_the_winner_and_adds_our_lines(tmp_path):
    root = link_node.build(tmp_path)
    apply(root)
    lines = [line for line in ours(root).splitlines() if not line.startswith("#")]
    assert "\n".join(lines) == (
        "[Match]\nPath=pci-0000:02:00.0\nPermanentMACAddress=0c:42:a1:00:00:01\n\n[Link]\n" + COPIED + "\n\n[Link]\n"
        "CombinedChannels=16\nUseAdaptiveRxCoalesce=no\nUseAdaptiveTxCoalesce=yes\nRxMaxCoalescedFrames=64\n"
        "RxCoalesceSec=3us\nTxMaxCoalescedFrames=16\nTxCoalesceSec=0us\nMTUBytes=9000\nRxBufferSize=8192\n"
        "TxBufferSize=4096")
    assert not (root / (OURS % "eth0")[1:]).exists()


def test_drop_ins_and_other_sections_of_the_winner_are_copied_too(tmp_path):
    theirs = "[Match]\nMACAddress=0c:42:a1:00:00:01\n[Link]\nName=eth1\nMTUBytes=1500\n[SR-IOV]\nVirtualFunction=0\n" \
             "[SR-IOV]\nVirtualFunction=1"
    root = link_node.build(tmp_path, **{"/etc/systemd/network/10-a.link": theirs,
                                        "/run/systemd/network/10-a.link.d/z.conf": "[Link]\nMTUBytes=4200"})
    apply(root, {"ring/rx": 512})
    text = ours(root)
    assert "[Link]\nName=eth1\nMTUBytes=1500\n[SR-IOV]\nVirtualFunction=0\n[SR-IOV]\nVirtualFunction=1\n" \
           "[Link]\nMTUBytes=4200\n\n" in text
    assert text.endswith("[Link]\nRxBufferSize=512\n")
    assert netdev.parse(text) == {"eth1/ring/rx": "512"}


def test_our_file_is_written_anew_when_the_winner_has_changed(tmp_path):
    root = link_node.build(tmp_path)
    apply(root, {"ring/rx": 512})
    plain_node.put(root, link_node.DEFAULT + ".d/local.conf", "[Link]\nAlternativeName=fabric")
    made = apply(root, {"ring/rx": 512})
    assert steps(made)["eth1/ring/rx"]["changed"]
    assert made.host.asked == []
    assert "AlternativeName=fabric" in ours(root)


def test_a_name_given_by_the_kernels_own_name_outlives_a_boot_with_ours_and_an_apply(tmp_path):
    theirs = "/run/systemd/network/10-netplan-fabric.link"
    root = link_node.build(tmp_path, **{theirs: "[Match]\nOriginalName=enp2s0\n[Link]\nName=eth1\n"})
    entry = root / "run/udev/data/n3"
    entry.write_text(entry.read_text().replace(link_node.DEFAULT, theirs))
    first = apply(root, {"ring/rx": {"eth1": 512}}) and ours(root)
    entry.write_text(entry.read_text().replace(theirs, OURS % "eth1"))
    assert not apply(root, {"ring/rx": {"eth1": 512}}).due and ours(root) == first
    engine.roll_back(root, kernel=Links)
    assert "can only be told after the next boot" in reasons(apply(root, {"ring/rx": {"eth1": 512}}))["eth1/ring/rx"]


def test_what_belongs_together_is_one_call_of_ethtool_and_what_is_right_is_none(tmp_path):
    root = link_node.build(tmp_path)
    made = apply(root, {"ring/rx": {"eth1": 2048}, "ring/tx": {"eth1": 2048, "eth2": 1024}})
    assert made.host.asked == ["ethtool -G eth1 rx 2048 tx 2048"]
    assert ours(root, "eth2").endswith("TxBufferSize=1024\n")


def test_more_than_the_hardware_has_is_all_that_it_has(tmp_path):
    root = link_node.build(tmp_path)
    made = apply(root, {"ring/rx": 16384})
    assert steps(made)["eth1/ring/rx"]["after"] == "8192"
    assert [one["message"] for one in made.findings] == [
        "eth%d/ring/rx: 16384 is asked for, and its hardware has 8192: it gets that" % number for number in (1, 2)]
    assert statuses(plan(root, {"ring/rx": 16384})) == {"eth1/ring/rx": "ok", "eth2/ring/rx": "ok"}


def test_what_a_driver_does_not_have_does_not_apply(tmp_path):
    root = link_node.build(tmp_path, groups={"ring": GROUPS["ring"]})
    made = apply(root, dict(VALUES, **{"channels/rx": 4}))
    assert _result.failures(made) == []
    assert {target for target, status in statuses(made).items() if status == "drift"} == {
        "eth%d/%s" % (number, row) for number in (1, 2) for row in ("link/mtu", "ring/rx", "ring/tx")}


def test_a_missing_interface_is_bad_input_with_the_nearest_name(tmp_path):
    with pytest.raises(BadInput, match="network_interfaces: there is no ethh1 here; did you mean eth1"):
        plan(link_node.build(tmp_path), options={"network_interfaces": ["ethh1"]})


def test_a_missing_ethtool_is_said_with_its_package(tmp_path):
    class Without(Links):
        def run(self, argv, seconds=10, changes=True):
            raise CommandNotRun("%s: No such file or directory" % argv[0])
    made = apply(link_node.build(tmp_path), kernel=Without)
    assert steps(made)["eth1/link/mtu"]["changed"]
    assert steps(made)["eth1/ring/rx"]["reason"].endswith(
        "ethtool: No such file or directory; it comes with the package ethtool")


def test_an_mtu_that_the_driver_refuses_is_not_kept_in_the_file(tmp_path):
    root = link_node.build(tmp_path)
    made = apply(root, {"link/mtu": 20000, "ring/rx": 512})
    assert "eth1 takes no MTU of 20000" in steps(made)["eth1/link/mtu"]["error"]
    assert "MTUBytes" not in ours(root) and "RxBufferSize=512" in ours(root)


def test_a_setting_that_a_driver_shows_but_does_not_take_is_said_and_not_kept(tmp_path):
    class Stubborn(Links):
        def run(self, argv, seconds=10, changes=True):
            if argv[1] == "-C":
                return 1, "", "netlink error: Operation not supported\n"
            return super().run(argv, seconds, changes)
    root = link_node.build(tmp_path)
    made = apply(root, {"coalesce/rx-usecs": 1}, kernel=Stubborn)
    assert "the driver of eth1 does not let it be set" in steps(made)["eth1/coalesce/rx-usecs"]["error"]
    assert not (root / (OURS % "eth1")[1:]).exists()


def test_a_manager_that_says_otherwise_is_a_conflict_and_one_that_agrees_is_none(tmp_path):
    profile = "[connection]\nid=r\ninterface-name=eth%d\n[ethernet]\nmtu=%d"
    root = link_node.build(tmp_path, **{
        "/etc/NetworkManager/system-connections/a.nmconnection": profile % (1, 1500),
        "/etc/NetworkManager/system-connections/b.nmconnection": profile % (2, 9000)})
    made = apply(root, {"link/mtu": 9000})
    assert reasons(made) == {"eth1/link/mtu": "/etc/NetworkManager/system-connections/a.nmconnection:5 sets mtu = 1500 "
                             "for eth1: change it there"}
    assert statuses(made)["eth2/link/mtu"] == "drift"


def test_one_that_agrees_does_not_hide_another_that_does_not(tmp_path):
    root = link_node.build(tmp_path, **{
        "/etc/sysconfig/network-scripts/ifcfg-eth1": "MTU=9000",
        "/etc/network/interfaces": "iface eth1 inet static\n  mtu 1500"})
    assert "/etc/network/interfaces:2 sets mtu = 1500" in reasons(plan(root, {"link/mtu": 9000}))["eth1/link/mtu"]


def test_a_row_that_is_null_loses_its_line_though_a_job_keeps_its_value(tmp_path):
    root = link_node.build(tmp_path)
    apply(root, {"ring/rx": 512})
    plain_node.process(root, 700, "python3", "/dev/nvidia0")
    made = apply(root, {})
    assert set(statuses(made).values()) == {"refused"} and made.host.asked == []
    assert not (root / (OURS % "eth1")[1:]).exists()


def test_a_row_that_is_null_gives_back_its_value_and_its_line_and_leaves_the_others(tmp_path):
    root = link_node.build(tmp_path)
    apply(root, {"ring/rx": 512, "link/mtu": 9000})
    made = apply(root, {"link/mtu": 9000})
    assert made.host.asked == ["ethtool -G eth1 rx 1024", "ethtool -G eth2 rx 1024"]
    assert netdev.parse(ours(root)) == {"eth1/link/mtu": "9000"}


def test_while_a_job_runs_no_link_is_touched(tmp_path):
    root = link_node.build(tmp_path)
    apply(root, {"ring/rx": 512})
    plain_node.process(root, 700, "python3", "/dev/nvidia0")
    made = apply(root, {"ring/rx": 1024})
    assert set(statuses(made).values()) == {"refused"} and made.host.asked == []
    assert netdev.parse(ours(root)) == {"eth1/ring/rx": "512"}


def test_an_interface_that_is_gone_keeps_nobody_from_rolling_back(tmp_path):
    root = link_node.build(tmp_path)
    apply(root, {"ring/rx": 512})
    (root / NET[1:] / "eth1").rename(root / "elsewhere")
    assert engine.roll_back(root, kernel=Links).errors == []
    assert not (root / (OURS % "eth1")[1:]).exists()
    with pytest.raises(FileNotFoundError):
        netdev.read(Links(str(root)), "eth1/ring/rx", NET + "/eth1")


def test_a_busy_device_is_an_error_in_ethtools_words(tmp_path):
    class Busy(Links):
        def run(self, argv, seconds=10, changes=True):
            if argv[1] == "-L":
                return 1, "", "netlink error: Device or resource busy\n"
            return super().run(argv, seconds, changes)
    host = Busy(str(link_node.build(tmp_path)), read_only=False)
    with pytest.raises(OSError, match="Device or resource busy") as caught:
        netdev.write(host, "eth1/channels/combined", NET + "/eth1", "4")
    assert caught.value.errno == errno.EBUSY
