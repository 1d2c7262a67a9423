# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind kernel_module: loaded now and at boot, unloaded again only where nobody uses it."""

from __future__ import annotations

import functools
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import kernel_module
from ansible_collections.gpuwright.node.plugins.module_utils._row import kernel_module as row
from ansible_collections.gpuwright.node.plugins.module_utils._values import Word

from tests.sysroots import plain_node, service_node
from tests.sysroots.plain_node import put
from tests.sysroots.service_node import MODULES, Services

NAMES = ("nvidia-peermem", "tcp_bbr", "nvme_core", "rdma_rxe")
CATALOGUE = types.SimpleNamespace(
    ROWS=tuple(row(name, Word("loaded"), variable=name, doc="A row.", source="https://example.org/") for name in NAMES),
    OPTIONS=(), RULES=())
FILE = "/etc/modules-load.d/90-gpuwright-gpudirect.conf"
PEERMEM = "/sys/module/nvidia_peermem"


def plan(host, *names):
    asked = {"origins": {}, "take_over": [], "allow": [], "options": {}}
    return _plan.build(host, "gpudirect", CATALOGUE, dict.fromkeys(names or ("nvidia-peermem",), "loaded"), asked)


def apply(root, *names, **words):
    host = Services(str(root), read_only=False, **words)
    return _apply.apply(functools.partial(plan, host, *names), {"what": "test"}), host.asked


def roll_back(root):
    host = Services(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host)), host.asked


def test_a_module_is_loaded_now_and_at_boot_and_unloaded_again(tmp_path):
    root = service_node.build(tmp_path)
    (root / "sys/module").mkdir(parents=True)
    before = plain_node.snapshot(root)
    step = plan(Services(str(root))).steps[0]
    assert (step["status"], step["running"]) == ("drift", "unloaded") and plain_node.snapshot(root) == before
    made, asked = apply(root)
    assert (made.steps[0].get("error"), made.steps[0]["after"]) == (None, "loaded")
    assert asked == ["modprobe nvidia-peermem"]
    assert (root / FILE[1:]).read_text().endswith("gpuwright.node.rollback.\nnvidia-peermem\n")
    assert plan(Services(str(root))).steps[0]["status"] == "ok" and apply(root)[1] == []
    made, asked = roll_back(root)
    assert (made.errors, asked) == ([], ["rmmod nvidia-peermem"])
    assert plain_node.snapshot(root) == before


def test_what_was_loaded_before_us_stays_after_us(tmp_path):
    root = service_node.build(tmp_path, **{PEERMEM + "/initstate": "live", PEERMEM + "/refcnt": "0"})
    assert apply(root)[1] == [] and (root / FILE[1:]).exists()
    made, asked = roll_back(root)
    assert (made.errors, asked) == ([], []) and not (root / FILE[1:]).exists()


@pytest.mark.parametrize("change", [{"/refcnt": "2"}, {"/refcnt": "1", "/holders/ib_core": ""}])
def test_a_module_that_is_in_use_is_not_unloaded_and_that_is_said(tmp_path, change):
    root = service_node.build(tmp_path)
    apply(root)
    for path, text in change.items():
        put(root, PEERMEM + path, text)
    made, asked = roll_back(root)
    assert (made.errors, asked) == ([], []) and "is in use" in made.steps[0]["reason"]
    assert not (root / FILE[1:]).exists() and (root / PEERMEM[1:]).exists()


def test_a_module_that_does_not_load_is_an_error_in_the_kernels_words_and_not_tried_at_boot(tmp_path):
    root = service_node.build(tmp_path)
    made, _asked = apply(root, rejected={"nvidia-peermem": "Invalid argument"})
    assert "could not insert 'nvidia-peermem': Invalid argument" in made.steps[0]["error"]
    assert not (root / FILE[1:]).exists()


def test_a_module_that_is_not_built_does_not_apply(tmp_path):
    step = plan(Services(str(service_node.build(tmp_path))), "rdma_rxe").steps[0]
    assert (step["status"], step["reason"]) == ("not_applicable", kernel_module.ABSENT)


def test_a_module_that_is_built_in_needs_nothing(tmp_path):
    step = plan(Services(str(service_node.build(tmp_path))), "nvme_core").steps[0]
    assert step["status"] == "ok" and "modules.builtin:1" in step["reason"]


@pytest.mark.parametrize("path, line, where", [
    ("/etc/modprobe.d/site.conf", "# why\nblacklist nvidia_peermem", "/etc/modprobe.d/site.conf:2"),
    ("/usr/lib/modprobe.d/vendor.conf", "install nvidia-peermem /bin/false", "/usr/lib/modprobe.d/vendor.conf:1"),
    ("/proc/cmdline", "ro module_blacklist=nouveau,nvidia_peermem quiet", "/proc/cmdline:1"),
    ("/proc/cmdline", "modprobe.blacklist=nvidia-peermem", "/proc/cmdline:1")])
def test_what_bars_a_module_is_named(tmp_path, path, line, where):
    step = plan(Services(str(service_node.build(tmp_path, **{path: line})))).steps[0]
    assert step["status"] == "conflict" and where in step["reason"]


@pytest.mark.parametrize("line", ["install nvidia-peermem /sbin/modprobe -i nvidia-peermem", "alias x nvidia_peermem",
                                  "#blacklist nvidia_peermem", "blacklist nvidia"])
def test_what_does_not_bar_it_is_no_conflict(tmp_path, line):
    root = service_node.build(tmp_path, **{"/etc/modprobe.d/site.conf": line})
    assert plan(Services(str(root))).steps[0]["status"] == "drift"


def test_a_file_that_loads_it_already_is_kept_and_ours_not_needed(tmp_path):
    root = service_node.build(tmp_path, **{"/usr/lib/modules-load.d/nvidia.conf": "nvidia_peermem"})
    made, asked = apply(root)
    assert "nvidia.conf:1 gives it already" in made.steps[0]["reason"] and asked == ["modprobe nvidia-peermem"]
    assert not (root / FILE[1:]).exists()
    assert plan(Services(str(root))).steps[0]["status"] == "ok"


def test_two_modules_share_our_file_and_one_goes_alone(tmp_path):
    root = service_node.build(tmp_path)
    apply(root, "nvidia-peermem", "tcp_bbr")
    _made, asked = apply(root, "tcp_bbr")
    assert asked == ["rmmod nvidia-peermem"] and (root / FILE[1:]).read_text().endswith("\ntcp_bbr\n")


def test_an_image_has_no_modules_to_load(tmp_path):
    root = service_node.build(tmp_path)
    host = Host(str(root), read_only=False)
    made = _apply.apply(functools.partial(plan, host), {"what": "test"})
    assert "is not the running system" in made.steps[0]["error"]


def test_another_kernels_modules_do_not_count(tmp_path):
    root = service_node.build(tmp_path, **{"/proc/sys/kernel/osrelease": "6.2.0"})
    assert MODULES not in (root / "proc/sys/kernel/osrelease").read_text()
    assert plan(Services(str(root))).steps[0]["status"] == "not_applicable"
