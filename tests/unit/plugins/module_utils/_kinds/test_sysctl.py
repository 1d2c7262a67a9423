# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind sysctl: keys of interfaces, names that a kernel does not know, and what systemd gives before any file."""

from __future__ import annotations

import errno
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import sysctl
from ansible_collections.gpuwright.node.plugins.module_utils._row import sysctl as row_of
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int

from tests.sysroots.namespace import inside, rails
from tests.sysroots.network_node import Network, build

CONF = "/proc/sys/net/ipv4/conf/"
ROW = row_of("net.ipv4.conf.{device}.rp_filter", Int(0, 2), variable="x", devices="rails", source="https://x", doc="X.")


def test_a_row_of_interfaces_has_a_place_for_each_that_is_here(tmp_path):
    root = build(tmp_path, **{CONF + "rail0.100/rp_filter": "0"})
    host = Network(str(root))
    assert sysctl.places(host, ROW, {"rails": ["rail1", "rail9", "rail0.100"]}) == [
        ("net.ipv4.conf.rail1.rp_filter", CONF + "rail1/rp_filter", {"device": "rail1"}),
        ("net.ipv4.conf.rail0/100.rp_filter", CONF + "rail0.100/rp_filter", {"device": "rail0.100"})]
    assert sysctl.places(host, ROW, {"rails": None}) == sysctl.places(host, ROW, {}) == []
    assert set(sysctl.devices(host)) == {"rail0", "rail1", "storage0"}


@pytest.mark.parametrize("key", ["net.ipv4.conf.rail0/100.rp_filter", "net/ipv4/conf/rail0.100/rp_filter"])
def test_both_spellings_of_others_are_the_same_key(tmp_path, key):
    root = build(tmp_path, **{"/etc/sysctl.d/95-theirs.conf": key + " = 1"})
    found = sysctl.rival(sysctl.others(Network(str(root))), ROW, "net.ipv4.conf.rail0/100.rp_filter", "",
                         sysctl.file("network", ""), "2")
    assert (found["file"], found["value"]) == ("/etc/sysctl.d/95-theirs.conf", "1")


def test_what_we_write_we_read_with_the_dot_in_the_name(tmp_path):
    text = sysctl.compose("# head\n", [("net.ipv4.conf.rail0/100.rp_filter", "", "2")])
    assert sysctl.parse(text) == {"net.ipv4.conf.rail0/100.rp_filter": "2"}


@pytest.mark.parametrize("name, value", [("net/core/default_qdisc", "cake"),
                                         ("net/ipv4/tcp_congestion_control", "dctcp")])
def test_a_name_that_the_kernel_does_not_know_is_a_value_that_it_refuses(tmp_path, name, value):
    host = Network(str(build(tmp_path)), read_only=False)
    with pytest.raises(OSError, match="this kernel has no %s, and no module of it to load" % value) as caught:
        sysctl.write(host, name.replace("/", "."), "/proc/sys/" + name, value)
    assert caught.value.errno == errno.EINVAL


def test_a_key_that_is_gone_is_gone(tmp_path):
    with pytest.raises(FileNotFoundError):
        sysctl.write(Network(str(build(tmp_path)), read_only=False), "net.no", "/proc/sys/net/no", "1")


@pytest.mark.parametrize("booted, value, given", [(True, "1073741816", "1073741816"), (True, "1048576", None),
                                                  (False, "1073741816", None)])
def test_what_systemd_raised_counts_as_given(tmp_path, booted, value, given):
    root = build(tmp_path, **{"/proc/sys/fs/nr_open": value})
    if not booted:
        (root / "run/systemd/system").rmdir()
    found = sysctl.before_us(sysctl.others(Network(str(root))), "fs.nr_open", sysctl.file("network", ""))
    assert found == given


def test_a_file_after_systemd_counts_before_it(tmp_path):
    root = build(tmp_path, **{"/proc/sys/fs/nr_open": "1073741816",
                              "/etc/sysctl.d/50-theirs.conf": "fs.nr_open = 2000000"})
    assert sysctl.before_us(sysctl.others(Network(str(root))), "fs.nr_open", sysctl.file("network", "")) == "2000000"


# ---- the real kernel, in a network of its own -------------------------------------------------------------------


def refused(path, value):
    """(errno, words) of a write to this machine's kernel."""
    try:
        sysctl.write(Host("/", read_only=False), "", path, value)
    except OSError as error:
        return error.errno, error.strerror
    return None


@pytest.mark.netns
def test_a_kernel_without_the_algorithm_says_so_and_keeps_what_it_has():
    path = "/proc/sys/net/ipv4/tcp_congestion_control"

    def ask():
        before = Host("/").read(path)
        return refused(path, "nosuch"), before == Host("/").read(path)
    assert inside(ask) == ((errno.EINVAL, "this kernel has no nosuch, and no module of it to load"), True)


@pytest.mark.netns
@pytest.mark.parametrize("path, value, number", [
    ("/proc/sys/net/core/somaxconn", "-1", errno.EINVAL), ("/proc/sys/net/core/somaxconn", "many", errno.EINVAL),
    ("/sys/class/net/r0/napi_defer_hard_irqs", "2147483648", errno.ERANGE),
    ("/sys/class/net/lo/threaded", "1", errno.EOPNOTSUPP)])
def test_what_the_kernel_refuses_keeps_its_own_number(path, value, number):
    def ask():
        rails(r0=[])
        return refused(path, value)[0]
    assert inside(ask) == number


@pytest.mark.netns
def test_the_key_of_an_interface_with_a_dot_in_its_name():
    def ask():
        rails(**{"r0.5": []})
        host = Host("/", read_only=False)
        (target, path, _fields), = sysctl.places(host, ROW, {"rails": ["r0.5"]})
        sysctl.write(host, target, path, "2")
        return target, sysctl.read(host, target, path), "r0.5" in sysctl.devices(host)
    assert inside(ask) == ("net.ipv4.conf.r0/5.rp_filter", "2", True)


def test_twins_are_still_one_original():
    twin = types.SimpleNamespace(twin="vm.dirty_bytes")
    assert sysctl.identity(twin, "vm.dirty_ratio", "") == "sysctl:vm.dirty_bytes+vm.dirty_ratio"
