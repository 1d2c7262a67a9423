# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind module_option: what the next load of a module brings, who else says so, and the initramfs."""

from __future__ import annotations

import functools
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import module_option
from ansible_collections.gpuwright.node.plugins.module_utils._row import module_option as row
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int, Word

from tests.sysroots import plain_node, service_node
from tests.sysroots.plain_node import put
from tests.sysroots.service_node import Services

WORDS = {"doc": "A row.", "source": "https://example.org/"}
ORDER, MODE, BBR = "nvidia/NVreg_EnablePCIERelaxedOrderingMode", "nvidia/NVreg_CoherentGPUMemoryMode", "tcp_bbr/x"
CATALOGUE = types.SimpleNamespace(
    ROWS=(row(ORDER, Int(0, 1), variable="o", **WORDS), row(MODE, Word("driver", "numa"), variable="m", **WORDS),
          row(BBR, Int(), variable="b", **WORDS), row("gone/x", Int(), variable="g", **WORDS)), OPTIONS=(), RULES=())
FILE = "/etc/modprobe.d/90-gpuwright-gpudirect.conf"
DRIVER = {"/sys/module/nvidia/initstate": "live", "/proc/driver/nvidia/params":
          'ResmanDebugLevel: 4294967295\nEnablePCIERelaxedOrderingMode: 0\nCoherentGPUMemoryMode: ""\nOther: 1'}


def build(folder, **files):
    return service_node.build(folder, **dict(DRIVER, **dict({"/etc/modprobe.d/site.conf": "# nothing"}, **files)))


def plan(host, values=None, **request):
    asked = dict({"origins": {}, "take_over": [], "allow": [], "options": {}}, **request)
    return _plan.build(host, "gpudirect", CATALOGUE, values or {ORDER: 1}, asked)


def apply(root, values=None, allow=(), **words):
    host = Services(str(root), read_only=False, **words)
    return _apply.apply(functools.partial(plan, host, values, allow=list(allow)), {"what": "test"}), host


def roll_back(root):
    host = Services(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))


def test_a_parameter_waits_for_the_next_load_and_goes_round(tmp_path):
    root = build(tmp_path)
    before = plain_node.snapshot(root)
    step = plan(Services(str(root))).steps[0]
    assert (step["status"], step["running"], step["reason"]) == ("drift", "0", "running 0, not persisted")
    made, host = apply(root, {ORDER: 1, MODE: "numa"})
    assert [(one.get("error"), one["after"]) for one in made.steps] == [(None, "1"), (None, "numa")]
    assert (root / FILE[1:]).read_text().endswith(
        "options nvidia NVreg_CoherentGPUMemoryMode=numa\noptions nvidia NVreg_EnablePCIERelaxedOrderingMode=1\n")
    assert host.asked == [] and plan(Services(str(root))).steps[0]["status"] == "pending_reboot"
    put(root, "/proc/driver/nvidia/params", "EnablePCIERelaxedOrderingMode: 1")
    assert plan(Services(str(root))).steps[0]["status"] == "ok"
    put(root, "/proc/driver/nvidia/params", DRIVER["/proc/driver/nvidia/params"])
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


@pytest.mark.parametrize("loaded, waits", [("1", True), ("0", False)])
def test_a_way_back_waits_for_a_boot_only_where_ours_runs(tmp_path, loaded, waits):
    root = build(tmp_path)
    apply(root)
    put(root, "/proc/driver/nvidia/params", "EnablePCIERelaxedOrderingMode: " + loaded)
    made = roll_back(root)
    assert made.errors == [] and made.result()["reboot_required"] is waits


@pytest.mark.parametrize("files, running", [
    ({"/sys/module/tcp_bbr/initstate": "live", "/sys/module/tcp_bbr/parameters/x": "7"}, "7"),
    ({}, ""), ({"/etc/modprobe.d/site.conf": "options tcp-bbr x=0x10"}, "16")])
def test_the_running_value_is_the_modules_own_and_without_it_the_next_loads(tmp_path, files, running):
    assert plan(Host(str(build(tmp_path, **files))), {BBR: 3}).steps[0]["running"] == running


def test_a_module_that_is_not_loaded_has_it_as_soon_as_it_is(tmp_path):
    root = build(tmp_path)
    apply(root, {BBR: 3})
    assert plan(Services(str(root)), {BBR: 3}).steps[0]["status"] == "ok"


def test_a_module_that_does_not_show_it_is_said_to(tmp_path):
    host = Host(str(build(tmp_path, **{"/sys/module/tcp_bbr/initstate": "live"})))
    plan(host, {BBR: 3})
    assert "tcp_bbr/x: the module does not show what it was loaded with" in host.notes
    unloaded = Host(str(build(tmp_path / "unloaded")))
    plan(unloaded, {BBR: 3})
    assert unloaded.notes == []


@pytest.mark.parametrize("path, line, where", [
    ("/etc/modprobe.d/zz.conf", "options nvidia NVreg_EnablePCIERelaxedOrderingMode=0", "/etc/modprobe.d/zz.conf:1"),
    ("/lib/modprobe.d/nvidia.conf", "options nvidia a=1 NVreg_EnablePCIERelaxedOrderingMode=0", "nvidia.conf:1"),
    ("/proc/cmdline", "ro nvidia.NVreg_EnablePCIERelaxedOrderingMode=0", "/proc/cmdline:1")])
def test_what_comes_after_ours_is_named(tmp_path, path, line, where):
    step = plan(Services(str(build(tmp_path, **{path: line})))).steps[0]
    assert step["status"] == "conflict" and where in step["reason"]


def test_what_comes_before_ours_or_says_the_same_is_no_conflict(tmp_path):
    root = build(tmp_path, **{"/etc/modprobe.d/10.conf": "options nvidia NVreg_EnablePCIERelaxedOrderingMode=0",
                              "/proc/cmdline": "nvidia.NVreg_EnablePCIERelaxedOrderingMode=1"})
    assert plan(Services(str(root))).steps[0]["status"] == "drift"


def test_others_that_say_so_by_then_are_named_on_the_way_back(tmp_path):
    root = build(tmp_path)
    apply(root)
    put(root, "/etc/modprobe.d/10.conf", "options nvidia NVreg_EnablePCIERelaxedOrderingMode=1")
    made = roll_back(root)
    assert made.errors == [] and "/etc/modprobe.d/10.conf:1 gives" in made.steps[0]["reason"]


@pytest.mark.parametrize("name, files", [
    ("gone/x", {}), (ORDER, {"/proc/driver/nvidia/params": "Other: 1"}),
    (ORDER, {"/sys/module/nvidia/initstate": None, "/proc/sys/kernel/osrelease": "6.2.0"})])
def test_without_the_module_or_the_parameter_it_does_not_apply(tmp_path, name, files):
    step = plan(Services(str(build(tmp_path, **files))), {name: 1}).steps[0]
    assert (step["status"], step["reason"]) == ("not_applicable", module_option.ABSENT)


DEBIAN = {"/usr/sbin/update-initramfs": "", "/boot/initrd.img-6.1.0-test": ""}
LIST, MAKE = "lsinitramfs /boot/initrd.img-6.1.0-test", "update-initramfs -u -k all"


@pytest.mark.parametrize("name, asked", [(ORDER, [LIST]), (BBR, [LIST, MAKE])])
def test_an_initramfs_that_holds_the_module_is_made_anew(tmp_path, name, asked):
    root = build(tmp_path, **DEBIAN)
    _made, host = apply(root, {name: 1})
    assert host.asked == asked and apply(root, {name: 1})[1].asked == []
    assert bool([note for note in host.notes if "holds tcp_bbr and was made anew" in note]) is (MAKE in asked)


def test_an_initramfs_that_cannot_be_made_is_an_error(tmp_path):
    made, _host = apply(build(tmp_path, **DEBIAN), {BBR: 1}, fails=(MAKE,))
    assert MAKE + ": Failed" in made.steps[0]["error"]


def test_with_dracut_it_is_refused_until_it_is_allowed(tmp_path):
    root = build(tmp_path, **{"/usr/bin/dracut": ""})
    made, host = apply(root, {BBR: 1})
    assert made.steps[0]["status"] == "refused" and "dracut was not tried" in made.steps[0]["unverified"]
    assert host.asked == [] and not (root / FILE[1:]).exists()
    made, host = apply(root, {BBR: 1}, allow=("unverified",))
    assert host.asked == ["lsinitrd --kver 6.1.0-test", "dracut --force --regenerate-all"]


def test_a_value_with_a_space_keeps_it():
    text = module_option.compose("", [("snd/model", "", "a b")])
    assert text == 'options snd model="a b"\n' and module_option.parse(text) == {"snd/model": "a b"}
