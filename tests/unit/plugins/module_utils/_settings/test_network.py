# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role network through the whole engine on a stand-in host: round trips, raise-only limits, rails, what is refused."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result
from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._runner import boot
from ansible_collections.gpuwright.node.plugins.module_utils._settings import network, network_links

from tests.sysroots import engine, network_node, plain_node
from tests.sysroots.engine import statuses, steps
from tests.sysroots.network_node import OPTIONS, VALUES

FILE = "/etc/sysctl.d/90-gpuwright-network.conf"
ABSENT_HERE = {"LimitNOFILE/slurmd.service"}
roll_back = functools.partial(engine.roll_back, kernel=network_node.Network)


def apply(root, values, **request):
    return engine.apply(root, "network", values, kernel=network_node.Network, **dict({"options": OPTIONS}, **request))


def planned(root, values, **request):
    return engine.plan(root, "network", values, kernel=network_node.Network, **dict({"options": OPTIONS}, **request))


def test_the_stand_in_asks_for_every_row_that_is_not_of_a_link():
    own = {row.name for row in network.ROWS} - {row.name for row in network_links.ROWS}
    assert own - set(VALUES) == {"fs.file-max"}


def test_every_row_goes_round(tmp_path):
    """Check, apply, audit, apply again, roll back: the steps agree and every byte comes back."""
    root = network_node.build(tmp_path)
    before = plain_node.snapshot(root)
    checked = _result.result(planned(root, VALUES))
    assert plain_node.snapshot(root) == before
    applied = apply(root, VALUES)
    assert _result.failures(applied) == []
    told = _result.result(applied)
    kept = [{key: value for key, value in step.items() if key not in ("changed", "after", "error")}
            for step in told["settings"]]
    assert kept == checked["settings"] and told["diff"] == checked["diff"]
    assert {step["status"] for step in checked["settings"]} == {"drift"}
    assert set(statuses(planned(root, VALUES)).values()) == {"ok"}
    settled = plain_node.snapshot(root)
    assert not apply(root, VALUES).due and plain_node.snapshot(root) == settled
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


def test_each_row_alone_goes_round(tmp_path):
    for number, (name, value) in enumerate(VALUES.items()):
        root = network_node.build(tmp_path / str(number))
        before = plain_node.snapshot(root)
        asked = {name: value}
        if name == "net.ipv4.tcp_congestion_control":
            asked["tcp_bbr"] = "loaded"
        if name == "LimitNOFILE":
            asked["fs.nr_open"] = 1048576
        assert _result.failures(apply(root, asked)) == [], name
        assert set(statuses(planned(root, asked)).values()) == {"ok"}, name
        assert roll_back(root).errors == [], name
        assert plain_node.snapshot(root) == before, name


def test_null_gives_a_rail_back_and_leaves_the_others(tmp_path):
    root = network_node.build(tmp_path)
    routes = {"rail/route": VALUES["rail/route"]}
    apply(root, routes)
    made = apply(root, {"rail/route": {"rail1": 52002}})
    assert _result.failures(made) == []
    assert {rule["src"] for rule in network_node.state(root)["rules"]} == {"10.0.0.2"}
    assert {route["dev"] for route in network_node.state(root)["routes"]} == {"rail1"}


def test_what_a_boot_takes_the_runner_puts_back_and_nothing_else(tmp_path):
    root = network_node.build(tmp_path)
    assert _result.failures(apply(root, VALUES)) == []
    settled = plain_node.snapshot(root)
    network_node.state(root, rules=[], routes=[])
    said = []
    assert boot.put_back(network_node.Network(str(root), read_only=False), said.append) == 0
    assert [line for line in said if "rail0/rail/route: table 52001 via 10.0.255.254 via fd00::fe, was" in line]
    assert set(network_node.state(root)["rules"][0]) == {"protocol", "table", "six", "priority", "src"}
    now = plain_node.snapshot(root)
    assert {path for path in now if now[path] != settled.get(path)} <= {network_node.STATE}
    assert not apply(root, VALUES).due


def test_a_rail_without_an_address_at_boot_waits_for_one(tmp_path):
    root = network_node.build(tmp_path)
    apply(root, {"rail/route": VALUES["rail/route"]})
    network_node.state(root, rules=[], routes=[], addresses=dict(network_node.RAILS, rail1=[]))
    host = network_node.Network(str(root), read_only=False)
    assert boot.put_back(host, [].append) == 0
    assert {rule["src"] for rule in network_node.state(root)["rules"]} == {"10.0.0.1", "fd00::1"}


def test_a_rail_that_came_up_after_the_apply_is_given_back_with_the_others(tmp_path):
    root = network_node.build(tmp_path)
    before = plain_node.snapshot(root)
    network_node.state(root, addresses=dict(network_node.RAILS, rail1=[]))
    made = apply(root, {"rail/route": VALUES["rail/route"]})
    assert statuses(made) == {"rail0/rail/route": "drift", "rail1/rail/route": "not_applicable"}
    assert "not up or has no address yet" in steps(made)["rail1/rail/route"]["reason"]
    network_node.state(root, addresses=network_node.RAILS)
    journal = root / "var/lib/gpuwright/journal.json"
    for times in (1, 2):
        assert boot.put_back(network_node.Network(str(root), read_only=False), [].append) == 0
        assert journal.read_text().count('"target": "rail1/rail/route"') == 1, times
    assert {rule["src"] for rule in network_node.state(root)["rules"]} == {"10.0.0.1", "10.0.0.2", "fd00::1"}
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


@pytest.mark.parametrize("together", [True, False])
def test_the_module_goes_after_what_uses_it(tmp_path, together):
    class Counting(network_node.Network):
        def write_value(self, path, text):
            super().write_value(path, text)
            if path.endswith("tcp_congestion_control"):
                self.write_file("/sys/module/tcp_bbr/refcnt", b"1\n" if text == "bbr" else b"0\n")
    root = network_node.build(tmp_path)
    values = {"tcp_bbr": "loaded", "net.ipv4.tcp_congestion_control": "bbr"}
    engine.apply(root, "network", values, options=OPTIONS, kernel=Counting)
    if together:
        assert engine.roll_back(root, kernel=Counting).errors == []
    else:
        engine.apply(root, "network", {}, options=OPTIONS, kernel=Counting)
    assert not (root / "sys/module/tcp_bbr").exists()


def test_rules_of_others_are_a_conflict_that_names_them_or_enough(tmp_path):
    root = network_node.build(tmp_path)
    theirs = {"priority": 32765, "src": "10.0.0.2", "table": "1088", "six": False}
    network_node.state(root, rules=[theirs])
    step = steps(planned(root, {"rail/route": {"rail1": 52002}}))["rail1/rail/route"]
    assert step["status"] == "conflict" and "priority 32765" in step["reason"]
    network_node.state(root, routes=[{"dst": "10.0.0.0/16", "dev": "rail1", "table": "1088", "six": False}])
    made = apply(root, {"rail/route": {"rail1": 52002}})
    assert _result.failures(made) == [] and network_node.state(root)["rules"] == [theirs]
    network_node.state(root, rules=[])
    step = steps(planned(root, {"rail/route": {"rail0": 1088}}))["rail0/rail/route"]
    assert step["status"] == "conflict" and "choose another network_rail_table_base" in step["reason"]


# ---- limits are never lowered ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, path, high, asked", [
    ("fs.file-max", "fs/file-max", "9223372036854775807", 2097152),
    ("fs.nr_open", "fs/nr_open", "1073741816", 1048576),
    ("net.core.somaxconn", "net/core/somaxconn", "65535", 4096),
    ("net.core.rmem_max", "net/core/rmem_max", "134217728", 67108864),
    ("net.ipv4.tcp_max_syn_backlog", "net/ipv4/tcp_max_syn_backlog", "16384", 4096)])
def test_what_is_higher_is_kept(tmp_path, name, path, high, asked):
    root = network_node.build(tmp_path, **{"/proc/sys/" + path: high})
    made = apply(root, {name: asked})
    assert _result.failures(made) == []
    assert (root / "proc/sys" / path).read_text().strip() == high
    assert high in steps(made)[name]["reason"]


@pytest.mark.parametrize("name, path, value", [("fs.file-max", "fs/file-max", "9223372036854775807"),
                                               ("fs.nr_open", "fs/nr_open", "1073741816")])
def test_no_line_of_ours_lowers_at_boot_what_systemd_raises(tmp_path, name, path, value):
    root = network_node.build(tmp_path, **{"/proc/sys/" + path: value})
    made = planned(root, {name: 1048576})
    assert steps(made)[name]["status"] == "ok" and not made.changing
    assert made.wanted_files[FILE] is None


@pytest.mark.parametrize("running, kept", [
    ("4096\t131072\t6291456", "4096 131072 67108864"), ("4096\t87380\t134217728", "4096 131072 134217728"),
    ("8192\t262144\t134217728", "8192 262144 134217728")])
def test_each_of_three_is_raised_for_itself(tmp_path, running, kept):
    root = network_node.build(tmp_path, **{"/proc/sys/net/ipv4/tcp_rmem": running})
    assert _result.failures(apply(root, {"net.ipv4.tcp_rmem": "4096 131072 67108864"})) == []
    assert (root / "proc/sys/net/ipv4/tcp_rmem").read_text().split() == kept.split()
    assert not planned(root, {"net.ipv4.tcp_rmem": "4096 131072 67108864"}).due


def test_a_line_of_three_undercuts_none_that_another_file_gives(tmp_path):
    root = network_node.build(tmp_path, **{
        "/etc/sysctl.d/50-theirs.conf": "net.ipv4.tcp_rmem = 4096 87380 134217728",
        "/proc/sys/net/ipv4/tcp_rmem": "4096\t87380\t134217728"})
    made = apply(root, {"net.ipv4.tcp_rmem": "4096 131072 67108864"})
    assert _result.failures(made) == []
    assert "net.ipv4.tcp_rmem = 4096 131072 134217728\n" in (root / FILE[1:]).read_text()
    assert not planned(root, {"net.ipv4.tcp_rmem": "4096 131072 67108864"}).due
    plain_node.put(root, "/etc/sysctl.d/50-theirs.conf", "net.ipv4.tcp_rmem = 4096 131072 134217728")
    apply(root, {"net.ipv4.tcp_rmem": "4096 131072 67108864"})
    assert not (root / FILE[1:]).exists()


def test_a_later_file_with_a_lower_triple_is_a_conflict(tmp_path):
    root = network_node.build(tmp_path, **{"/etc/sysctl.d/99-guide.conf": "net.ipv4.tcp_rmem = 4096 87380 134217728"})
    step = steps(planned(root, {"net.ipv4.tcp_rmem": "4096 131072 67108864"}))["net.ipv4.tcp_rmem"]
    assert step["status"] == "conflict" and "/etc/sysctl.d/99-guide.conf:1" in step["reason"]


def test_a_service_that_has_more_keeps_it(tmp_path):
    root = network_node.build(tmp_path, **{"/usr/lib/systemd/system/slurmd.service":
                                           "[Service]\nExecStart=/x\nLimitNOFILE=infinity"})
    found = statuses(planned(root, {"LimitNOFILE": 1048576, "fs.nr_open": 1048576}))
    assert found["slurmd.service/LimitNOFILE"] == "ok" and found["docker.service/LimitNOFILE"] == "drift"


# ---- what this kernel has not ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, value, words", [
    ("net.core.default_qdisc", "cake", "this kernel has no module sch_cake"),
    ("net.ipv4.tcp_congestion_control", "dctcp", "this kernel offers reno, cubic, and has no module tcp_dctcp")])
def test_what_the_kernel_does_not_offer_does_not_apply(tmp_path, name, value, words):
    made = planned(network_node.build(tmp_path), {name: value})
    assert (steps(made)[name]["status"], steps(made)[name]["reason"]) == ("not_applicable", words)
    assert _result.failures(made) == [] and not made.due


@pytest.mark.parametrize("name, value", [("net.core.default_qdisc", "cake"),
                                         ("net.ipv4.tcp_congestion_control", "dctcp")])
def test_a_kernel_that_lists_no_modules_is_tried_and_its_enoent_is_no_line_of_ours(tmp_path, name, value):
    root = network_node.build(tmp_path)
    for place in (root / "lib/modules/6.1.0-test").iterdir():
        place.write_text("")
    made = apply(root, {name: value})
    assert _result.failures(made) and "this kernel has no %s" % value in steps(made)[name]["error"]
    assert not (root / FILE[1:]).exists()


def test_without_rails_their_settings_do_not_apply(tmp_path):
    made = planned(network_node.build(tmp_path), dict(VALUES, **{"rail/route": {}}),
                   options=dict(OPTIONS, network_rails=[]))
    found = [step for step in made.steps if "{device}" in step["name"] or step["name"] == "rail/route"]
    assert len(found) == 4 and {step["status"] for step in found} == {"not_applicable"}
    assert {step["reason"] for step in found} == {"no interfaces of this node share a subnet: network_rails is empty"}


def test_a_row_of_interfaces_is_persisted_by_the_name_of_each(tmp_path):
    root = network_node.build(tmp_path, **{"/proc/sys/net/ipv4/conf/rail0.100/rp_filter": "1",
                                           "/sys/class/net/rail0.100/mtu": "9000"})
    values = {"net.ipv4.conf.{device}.rp_filter": {"rail0.100": 2, "rail1": 2}}
    options = dict(OPTIONS, network_rails=["rail0.100", "rail1"])
    assert _result.failures(apply(root, values, options=options)) == []
    assert "net.ipv4.conf.rail0/100.rp_filter = 2\nnet.ipv4.conf.rail1.rp_filter = 2\n" in (root / FILE[1:]).read_text()
    assert (root / "proc/sys/net/ipv4/conf/rail0.100/rp_filter").read_text() == "2\n"
    assert not planned(root, values, options=options).due
    plain_node.put(root, "/etc/sysctl.d/95-theirs.conf", "net/ipv4/conf/rail0.100/rp_filter = 1")
    step = steps(planned(root, values, options=options))["net.ipv4.conf.rail0/100.rp_filter"]
    assert step["status"] == "conflict" and "95-theirs.conf:1" in step["reason"]


# ---- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values, options, words", [
    ({"net.ipv4.conf.{device}.arp_ignore": 1}, {"network_rails": ["rail8"]},
     "network_rails: there is no rail8 here; did you mean rail"),
    ({"rail/route": {"rail0": 7}}, {}, "network_rail_routes.*: rail0: 7 is not an integer from 1000"),
    ({"rail/route": {"storage0": 52000}}, {}, "storage0 is none of its devices here"),
    ({"net.ipv4.tcp_rmem": "4096 87380"}, {}, "network_tcp_rmem.*: '4096 87380' is not three sizes"),
    ({"net.ipv4.tcp_wmem": "1024 16384 65536"}, {}, "1024 is not an integer from 4096"),
    ({"fs.nr_open": 5}, {}, "network_nr_open.*: 5 is not an integer from 64"),
    ({"net.core.somaxconn": -1}, {}, "-1 is not an integer from 0"),
    ({"net.core.rmem_max": 1000}, {}, "1000 is not an integer from 4608"),
    ({"net/gro_flush_timeout": 1 << 31}, {}, "2147483648 is not an integer from 0 to 2147483647"),
    ({"net.core.default_qdisc": "fq_code"}, {}, "did you mean fq_codel"),
    ({"net.ipv4.tcp_congestion_control": "bbr"}, {"network_workload": "infer"}, "network_workload: 'infer'")])
def test_bad_input_fails_before_anything_is_written(tmp_path, values, options, words):
    root = network_node.build(tmp_path)
    before = plain_node.snapshot(root)
    with pytest.raises(BadInput, match=words):
        apply(root, values, options=dict(OPTIONS, **options))
    assert plain_node.snapshot(root) == before
