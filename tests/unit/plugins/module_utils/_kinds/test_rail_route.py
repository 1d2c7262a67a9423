# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind rail_route on the real kernel, each test in a network of its own: made, mended, taken away, others' left."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import rail_route
from ansible_collections.gpuwright.node.plugins.module_utils._owners import policy_routing

from tests.sysroots.namespace import command, inside, rails, routing

TARGET, PATH = "r0/rail/route", "/sys/class/net/r0"
BOTH = {"r0": ["10.0.0.1/24", "fd00::1/64"], "r1": ["10.0.0.2/24"]}


class Row:
    name = "rail/route"
    devices = "network_rails"


def on_rails(test):
    """Run a test with a live host whose two rails share a subnet."""
    def run():
        rails(**BOTH)
        test(Host("/", read_only=False))

    def outside():
        inside(run)
    outside.__name__, outside.__doc__ = test.__name__, test.__doc__
    return pytest.mark.netns(outside)


def read(host, target=TARGET):
    return rail_route.read(host, target, PATH)


def write(host, text, target=TARGET):
    rail_route.write(host, target, PATH, text)


def rival(host, device, text):
    found = rail_route.rival(rail_route.others(host), None, device + "/rail/route", PATH, None, text)
    return found and found["words"]


@on_rails
def test_what_comes_from_a_rail_leaves_by_it(host):
    before = command("ip", "route", "get", "10.0.0.77", "from", "10.0.0.2")
    for device, table in (("r0", "52001"), ("r1", "52002")):
        write(host, "table " + table, device + "/rail/route")
    assert "dev r0" in before
    assert "dev r0 table 52001" in command("ip", "route", "get", "10.0.0.77", "from", "10.0.0.1")
    assert "dev r1 table 52002" in command("ip", "route", "get", "10.0.0.77", "from", "10.0.0.2")
    assert "dev r0 table 52001" in command("ip", "-6", "route", "get", "fd00::77", "from", "fd00::1")


@on_rails
def test_made_changed_and_taken_away_to_the_last_route(host):
    before = routing()
    assert read(host) == ""
    for text in ("table 52001 via 10.0.0.254 via fd00::fe", "table 52001 via 10.0.0.254", "table 52001", "table 52009"):
        write(host, text)
        assert read(host) == text
        settled = routing()
        write(host, text)
        assert routing() == settled
    write(host, "")
    assert read(host) == "" and routing() == before


@on_rails
def test_what_a_link_flap_takes_is_seen_and_put_back(host):
    write(host, "table 52001 via 10.0.0.254")
    command("ip", "link", "set", "r0", "down")
    command("ip", "link", "set", "r0", "up")
    assert read(host).startswith("table 52001, ") and "no route to 10.0.0.0/24" in read(host)
    assert not rail_route.satisfied(read(host), "table 52001 via 10.0.0.254")
    write(host, "table 52001 via 10.0.0.254")
    assert "no route to 10.0.0.0/24" not in read(host)


@on_rails
def test_an_address_that_comes_or_goes_is_followed(host):
    write(host, "table 52001")
    command("ip", "address", "add", "10.7.0.3/24", "dev", "r0")
    assert read(host) == "table 52001, no rule from 10.7.0.3, no route to 10.7.0.0/24"
    write(host, "table 52001")
    assert read(host) == "table 52001"
    command("ip", "address", "del", "10.7.0.3/24", "dev", "r0")
    assert read(host) == "table 52001, an old rule from 10.7.0.3, an old route to 10.7.0.0/24"
    write(host, "table 52001")
    assert read(host) == "table 52001" and "10.7.0.3" not in command("ip", "rule")


@on_rails
def test_rules_and_tables_of_others_stay_as_they_are(host):
    for words in ("rule add from 10.9.9.9 table 77", "rule add from 10.0.0.0/24 table 78 priority 500",
                  "rule add fwmark 7 from 10.0.0.1 table 79", "route add 10.5.0.0/16 dev r0 table 77"):
        command("ip", *words.split())
    before = routing()
    write(host, "table 52001")
    assert set(before) < set(routing())
    write(host, "")
    assert routing() == before


@on_rails
def test_a_table_that_somebody_uses_is_not_taken(host):
    command("ip", "route", "add", "10.5.0.0/16", "dev", "r0", "table", "52001")
    assert rival(host, "r0", "table 52001") == (
        "table 52001 has a route to 10.5.0.0/16 that is not of this rail: choose another network_rail_table_base")
    write(host, "table 52002", "r1/rail/route")
    assert "table 52002" in rival(host, "r0", "table 52002")
    assert rival(host, "r1", "table 52002") is rival(host, "r0", "table 52003") is None


@on_rails
def test_rules_of_others_that_serve_a_rail_are_enough(host):
    command("ip", "rule", "add", "from", "10.0.0.2", "table", "88")
    assert "a rule of somebody else's (priority 32765) sends what comes from 10.0.0.2 to table 88" in rival(
        host, "r1", "table 52002")
    command("ip", "route", "add", "10.0.0.0/24", "dev", "r1", "table", "88")
    before = routing()
    assert rival(host, "r1", "table 52002") is rival(host, "r0", "table 52001") is None
    assert rail_route.satisfied(read(host, "r1/rail/route"), "table 52002")
    command("ip", "rule", "add", "from", "10.0.0.1", "table", "89")
    command("ip", "route", "add", "default", "dev", "r0", "table", "89")
    assert read(host) == "rules of others for some of its addresses"
    write(host, "table 52001")
    assert "52001" in command("ip", "-6", "rule") and "52001" not in command("ip", "rule")
    assert read(host) == "table 52001"
    write(host, "rules of others for some of its addresses")
    assert "52001" not in command("ip", "-6", "rule") and set(before) < set(routing())


@on_rails
def test_a_gateway_elsewhere_is_an_error_before_anything_changes(host):
    before = routing()
    for gateway in ("10.7.0.1", "fd99::1"):
        with pytest.raises(OSError, match="gateway %s is in none of its subnets: 10.0.0.0/24, fd00::/64" % gateway):
            write(host, "table 52001 via " + gateway)
    assert routing() == before


@on_rails
def test_only_an_interface_that_is_up_and_has_an_address_has_something_to_route(host):
    options = {"network_rails": ["r0", "r1", "r0-far", "r9"]}

    def told():
        return {target: path for target, path, _fields in rail_route.places(host, Row, options)}
    assert told() == {TARGET: PATH, "r1/rail/route": "/sys/class/net/r1", "r0-far/rail/route": None}
    command("ip", "link", "set", "r1", "down")
    assert told() == {TARGET: PATH, "r1/rail/route": None, "r0-far/rail/route": None}
    assert set(rail_route.devices(host)) >= {"r0", "r1", "lo"} and rail_route.places(host, Row, {}) == []


@on_rails
def test_an_interface_that_is_gone_is_gone(host):
    command("ip", "link", "del", "r0")
    with pytest.raises(FileNotFoundError, match="no such interface any more"):
        read(host)


@on_rails
def test_what_ip_says_against_it_is_the_error(host):
    with pytest.raises(OSError, match="ip route add 10.5.0.0/16 .*: Cannot find device"):
        rail_route._ip(host, "10.5.0.0/16", ["route", "add", "10.5.0.0/16", "dev", "r9", "table", "5"])


class Mute(Host):
    """A host without ip(8)."""

    def run(self, argv, seconds=10, changes=True):
        raise CommandNotRun("ip: No such file or directory")


def test_without_ip_it_is_nowhere_and_says_why(tmp_path):
    host = Mute("/")
    nowhere = [("lo/rail/route", None, {"device": "lo"})]
    assert rail_route.places(host, Row, {"network_rails": ["lo"]}) == nowhere and rail_route.others(host) == []
    assert host.notes == ["rail/route: ip: No such file or directory"]
    assert rail_route.places(Host(str(tmp_path)), Row, {"network_rails": ["lo"]}) == []


class Broken(Host):
    """A host whose ip(8) answers as it is told to."""

    answer = (0, "", "")

    def run(self, argv, seconds=10, changes=True):
        return self.answer


@pytest.mark.parametrize("answer, words", [((0, "{", ""), "ip -N -j -4 rule show: Expecting"),
                                           ((255, "", "Object \"rule\" is unknown\n"), "Object \"rule\" is unknown"),
                                           ((1, "", ""), "ended with 1")])
def test_an_answer_that_is_none_is_an_error_in_words(answer, words):
    host = Broken("/")
    host.answer = answer
    with pytest.raises(OSError, match=words):
        policy_routing.Node(host)


@pytest.mark.parametrize("running, desired, met", [
    ("table 7", "table 7", True), ("table 7, no rule from 10.0.0.1", "table 7", False), ("", "table 7", False),
    ("rules of others", "table 7", True), ("rules of others for some of its addresses", "table 7", False),
    ("", "", True), ("table 7", "", False), ("rules of others", "", True),
    ("", "rules of others", True), ("table 7", "rules of others", False), ("tables 7 and 8", "table 7", False),
    ("table 7", "table 7, no rule from 10.0.0.1", True)])
def test_what_is_as_good_as_what_is_asked_for(running, desired, met):
    assert rail_route.satisfied(running, desired) is met


def test_nothing_of_it_is_in_a_file():
    assert rail_route.files("network") == [] and rail_route.file("network", TARGET) is None
    assert rail_route.VOLATILE and rail_route.identity(None, TARGET, PATH) == "rail_route:" + TARGET
