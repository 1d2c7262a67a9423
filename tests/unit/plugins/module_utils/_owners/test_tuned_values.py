# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a profile sets on a node, and which of it beats a line in /etc/sysctl.d."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import tuned_values

CAPTURES = pathlib.Path(__file__).parents[4] / "captures" / "tuning"
ENABLED = ("sysfs", "/sys/kernel/mm/transparent_hugepage/enabled")
DEFRAG = ("sysfs", "/sys/kernel/mm/transparent_hugepage/defrag")


def put(root, path, text):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def read(root, text, main=""):
    put(root, "/usr/lib/tuned/p/tuned.conf", text)
    put(root, "/etc/tuned/tuned-main.conf", main)
    return tuned_values.values(Host(str(root)), "p")


def texts(root, text, main=""):
    return {target: one["value"] for target, one in read(root, text, main).items()}


def reapplied(root, text, main=""):
    return {target[1]: one["reapplied"] for target, one in read(root, text, main).items()}


def test_values_of_captured_profiles(tmp_path):
    for family in ("tuned", "nvidia-tuned"):
        shutil.copytree(CAPTURES / family, tmp_path / "usr/lib/tuned/profiles", dirs_exist_ok=True)
    host = Host(str(tmp_path))
    hpc = tuned_values.values(host, "hpc-compute")
    assert hpc[ENABLED]["value"] == "always"
    assert hpc[ENABLED]["file"] == "/usr/lib/tuned/profiles/hpc-compute/tuned.conf"
    assert hpc[("sysctl", "kernel.numa_balancing")]["value"] == "0"
    throughput = tuned_values.values(host, "throughput-performance")
    assert throughput[("sysctl", "vm.dirty_ratio")]["value"] == "40"
    assert throughput[("sysctl", "vm.swappiness")]["value"] == "10"
    assert ENABLED not in throughput  # its [vm.thunderx] is for another processor
    inference = tuned_values.values(host, "nvidia-h100-inference")
    assert inference[("sysctl", "vm.swappiness")]["value"] == "1"
    assert inference[("sysctl", "net.ipv4.conf.all.arp_ignore")]["file"].endswith("nvidia-base/tuned.conf")
    assert host.notes == []


GOVERNOR = ("sysfs", "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor")


@pytest.mark.parametrize("offered, value", [
    ("performance schedutil", "schedutil"), ("performance powersave", "powersave"), (None, "schedutil")])
def test_the_cpu_unit_sets_the_governor_that_is_offered_first(tmp_path, offered, value):
    if offered:
        put(tmp_path, "/sys/devices/system/cpu/cpufreq/policy0/scaling_available_governors", offered)
    found = texts(tmp_path, "[cpu]\npriority=10\ngovernor=schedutil|powersave\npm_qos_resume_latency_us=n/a\n")
    latency = ("sysfs", "/sys/devices/system/cpu/cpu*/power/pm_qos_resume_latency_us")
    assert found == {GOVERNOR: value, latency: "n/a"}
    assert tuned_values.rules(GOVERNOR, GOVERNOR)


def test_units_of_each_type(tmp_path):
    text = ("[sysctl]\nvm.swappiness=\"10\"\nnet.ipv4.conf.eth0/1.forwarding=1\n"
            "[mine]\ntype=sysctl\nvm.swappiness = 5\n[vm]\ntransparent_hugepages=always\n"
            "transparent_hugepage=never\ntransparent_hugepage.defrag=defer+madvise\ndirty_bytes=30%\ndirty_background_bytes=1000000\n"
            "[sysfs]\n/sys//kernel/mm/ksm/run=${f:exec:echo:1}\n/proc/sys/x=1\n[cpu]\ngovernor=performance\n")
    assert texts(tmp_path, text) == {
        ("sysctl", "vm.swappiness"): "5", ("sysctl", "net.ipv4.conf.eth0/1.forwarding"): "1", ENABLED: "always",
        DEFRAG: "defer+madvise", ("sysctl", "vm.dirty_ratio"): "30", ("sysctl", "vm.dirty_background_bytes"): "1000000",
        ("sysfs", "/sys/kernel/mm/ksm/run"): None, GOVERNOR: "performance"}


def test_thp_that_tuned_leaves_alone(tmp_path):
    text = "[vm]\ntransparent_hugepages=sometimes\ntransparent_hugepage.defrag=never\n"
    assert texts(tmp_path, text) == {DEFRAG: "never"}
    put(tmp_path, "/proc/cmdline", "ro transparent_hugepage=madvise\n")
    assert texts(tmp_path, text.replace("sometimes", "always")) == {DEFRAG: "never"}


@pytest.mark.parametrize("main, again", [
    ("", True), ("reapply_sysctl = 1\n", True), ("reapply_sysctl = True\n", True), ("reapply_sysctl = 0\n", False),
    ("reapply_sysctl = off\n", False), ("reapply_sysctl_exclude = net.*, vm.swap*\n", False)])
def test_sysctl_d_is_applied_again(tmp_path, main, again):
    assert reapplied(tmp_path, "[sysctl]\nvm.swappiness=1\n", main) == {"vm.swappiness": again}


def test_what_comes_after_the_last_sysctl_unit_stays(tmp_path):
    text = "[vm]\ndirty_bytes=1000000\n[sysctl]\nvm.swappiness=1\n[late]\ntype=vm\ndirty_background_bytes=1000\n"
    assert reapplied(tmp_path, text) == {
        "vm.dirty_bytes": True, "vm.swappiness": True, "vm.dirty_background_bytes": False}
    assert reapplied(tmp_path, "[vm]\ndirty_bytes=1000000\n") == {"vm.dirty_bytes": False}


def test_modifiers(tmp_path):
    found = read(tmp_path, "[sysctl]\na=>2048\nb=< 5\n[sysfs]\n/sys/x=>1\n")
    assert [(one["modifier"], one["value"]) for one in found.values()] == [(">", "2048"), ("<", "5"), ("", ">1")]


def test_post_loaded_profile_comes_last(tmp_path):
    put(tmp_path, "/usr/lib/tuned/late/tuned.conf", "[sysctl]\nvm.swappiness=9\n")
    put(tmp_path, "/etc/tuned/post_loaded_profile", "late\n")
    assert texts(tmp_path, "[sysctl]\nvm.swappiness=1\n") == {("sysctl", "vm.swappiness"): "9"}


def test_a_broken_profile_sets_nothing_and_is_a_note(tmp_path):
    host = Host(str(tmp_path))
    assert tuned_values.values(host, "absent") == {}
    assert "absent" in host.notes[0]


@pytest.mark.parametrize("named, target, answer", [
    (ENABLED, ENABLED, True), (ENABLED, DEFRAG, False),
    (("sysfs", "/sys/block/*/queue/nr_requests"), ("sysfs", "/sys/block/sda/queue/nr_requests"), True),
    (("sysfs", "/sys/*/nr_requests"), ("sysfs", "/sys/block/sda/queue/nr_requests"), False),
    (("sysctl", "vm.dirty_bytes"), ("sysctl", "vm.dirty_ratio"), True),
    (("sysctl", "vm.dirty_bytes"), ("sysctl", "vm.dirty_background_ratio"), False)])
def test_which_target_rules_which(named, target, answer):
    assert tuned_values.rules(named, target) is answer


@pytest.mark.parametrize("text, modifier, value, answer", [
    ("4096  87380 1", "", "4096\t87380 1", False), ("10", "", "1", True), ("4096", ">", "2048", False),
    ("1024", ">", "2048", True), ("10", "<", "5", True), ("3", "<", "5", False), ("1", "", None, True)])
def test_when_a_value_differs(text, modifier, value, answer):
    target = ("sysctl", "x")
    assert tuned_values.differs(target, text, target, {"value": value, "modifier": modifier}) is answer
