# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An active tuned: conflicts, taking over and giving back, with a tuned-adm that only changes its two files."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import tuned, tuned_values

SWAPPINESS = ("sysctl", "vm.swappiness")
ENABLED = ("sysfs", "/sys/kernel/mm/transparent_hugepage/enabled")
FILE = "/etc/tuned/gpuwright/tuned.conf"
BASE = "[sysctl]\nvm.swappiness=10\nvm.dirty_ratio=40\nnet.core.somaxconn=>2048\n[vm]\ntransparent_hugepages=always\n"


class Node(Host):
    """A made-up node whose tuned-adm does to its files what the real one does."""

    def __init__(self, root):
        super().__init__(str(root), read_only=False)
        self.started = []
        self.broken = False

    def run(self, argv, seconds=10, changes=True):
        self._may_change("running")
        self.started.append(argv[1:])
        if self.broken:
            raise CommandNotRun("tuned-adm: no answer after %d s" % seconds)
        auto = argv[1] == "auto_profile"
        self.write_file(tuned.ACTIVE_FILE, b"balanced\n" if auto else (" ".join(argv[2:]) + "\n").encode())
        self.write_file(tuned.MODE_FILE, b"auto\n" if auto else b"manual\n")
        return 0, "", ""


def put(root, path, text):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def tree(root):
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}


@pytest.fixture
def root(tmp_path):
    put(tmp_path, "/proc/812/cmdline", "/usr/bin/python3\0-Es\0/usr/sbin/tuned\0-l\0-P\0")
    put(tmp_path, "/run/tuned/tuned.pid", "812")
    put(tmp_path, tuned.ACTIVE_FILE, "base\n")
    put(tmp_path, tuned.MODE_FILE, "manual\n")
    put(tmp_path, "/etc/tuned/tuned-main.conf", "reapply_sysctl = 0\n")
    put(tmp_path, "/usr/lib/tuned/base/tuned.conf", BASE)
    put(tmp_path, "/usr/lib/python3/dist-packages/tuned/version.py",
        "TUNED_VERSION_MAJOR = 2\nTUNED_VERSION_MINOR = 20\n")
    return tmp_path


def running(root, mode):
    put(root, tuned.MODE_FILE, mode)
    return tuned.active(Host(str(root)))


def test_active(root):
    assert running(root, "auto\n") == {"profile": "base", "mode": "auto", "running": True}
    assert running(root, "")["mode"] == "manual"
    put(root, tuned.ACTIVE_FILE, " a  b \n")
    assert running(root, "")["profile"] == "a b"
    put(root, tuned.ACTIVE_FILE, "\n")
    assert running(root, "") is None


@pytest.mark.parametrize("cmdline, answer", [
    ("/usr/sbin/tuned\0-l\0", True), ("python3\0/usr/sbin/tuned\0-d\0", True), ("vi\0/etc/tuned\0", False),
    ("/usr/sbin/tuned-adm\0", False), ("", False)])
def test_a_stopped_tuned_owns_nothing(root, cmdline, answer):
    put(root, "/proc/812/cmdline", cmdline)
    assert (running(root, "manual") is not None) is answer


def test_a_tuned_without_its_pid_file_is_found(root):
    (root / "run/tuned/tuned.pid").unlink()
    assert running(root, "manual")["profile"] == "base"


def test_conflicts(root):
    wanted = {SWAPPINESS: "1", ("sysctl", "vm.dirty_ratio"): "40", ("sysctl", "vm.dirty_bytes"): "1000000",
              ENABLED: "madvise", ("sysctl", "net.core.somaxconn"): "4096", ("sysctl", "vm.panic_on_oom"): "0"}
    found = tuned.conflicting(Host(str(root)), wanted)
    assert set(found) == {SWAPPINESS, ("sysctl", "vm.dirty_bytes"), ENABLED}
    assert found[ENABLED] == {"value": "always", "file": "/usr/lib/tuned/base/tuned.conf", "profile": "base",
                              "sets": ENABLED, "reapplied": False}
    assert found[("sysctl", "vm.dirty_bytes")]["sets"] == ("sysctl", "vm.dirty_ratio")


def test_a_key_that_tuned_leaves_to_sysctl_d_in_the_end_has_two_owners_all_the_same(root):
    put(root, "/etc/tuned/tuned-main.conf", "reapply_sysctl = 1\n")
    found = tuned.conflicting(Host(str(root)), {SWAPPINESS: "1", ENABLED: "madvise"})
    assert {target: one["reapplied"] for target, one in found.items()} == {SWAPPINESS: True, ENABLED: False}


def test_no_conflict_without_tuned(root):
    put(root, "/proc/812/cmdline", "")
    assert tuned.conflicting(Host(str(root)), {ENABLED: "madvise"}) == {}


@pytest.mark.parametrize("drop", [True, False])
def test_taking_over_leaves_out_exactly_our_keys(root, drop):
    if not drop:
        (root / "usr/lib/python3/dist-packages/tuned/version.py").unlink()
    node = Node(root)
    before = tuned.values(node, "base")
    entry = tuned.plan_take_over(Host(str(root)), [SWAPPINESS, ENABLED])
    assert ("drop=vm.swappiness" in entry["text"]) is drop
    assert tuned.apply_take_over(node, json.loads(json.dumps(entry))) is True
    assert node.started == [["profile", "gpuwright"]]
    after = tuned.values(node, "gpuwright")
    assert set(before) - set(after) == {SWAPPINESS, ENABLED}
    assert all((one["value"], one["modifier"]) == (before[target]["value"], before[target]["modifier"])
               for target, one in after.items())
    assert tuned.conflicting(node, {SWAPPINESS: "1", ENABLED: "madvise"}) == {}
    assert tuned.apply_take_over(node, entry) is False
    assert len(node.started) == 1


@pytest.mark.parametrize("mode, back", [("manual\n", ["profile", "base"]), ("auto\n", ["auto_profile"])])
def test_giving_back_leaves_nothing(root, mode, back):
    put(root, tuned.MODE_FILE, mode)
    if mode == "auto\n":
        put(root, tuned.ACTIVE_FILE, "balanced\n")
        put(root, "/usr/lib/tuned/balanced/tuned.conf", BASE)
    before = tree(root)
    node = Node(root)
    entry = tuned.plan_take_over(node, [SWAPPINESS])
    tuned.apply_take_over(node, entry)
    assert tuned.give_back(node, entry) is True
    assert node.started[-1] == back
    assert tree(root) == before
    assert tuned.give_back(node, entry) is False
    assert len(node.started) == 2


def test_a_second_take_over_keeps_the_first(root):
    put(root, tuned.MODE_FILE, "auto\n")
    node = Node(root)
    tuned.apply_take_over(node, tuned.plan_take_over(node, [SWAPPINESS]))
    entry = tuned.plan_take_over(node, [ENABLED])
    assert (entry["profile"], entry["mode"], entry["keys"]) == ("base", "auto", [list(SWAPPINESS), list(ENABLED)])
    assert tuned.apply_take_over(node, entry) is True
    assert set(tuned.values(node, "gpuwright")) & {SWAPPINESS, ENABLED} == set()


def test_killed_between_file_and_switch(root):
    before = tree(root)
    node = Node(root)
    node.broken = True
    entry = tuned.plan_take_over(node, [SWAPPINESS])
    with pytest.raises(tuned.TakeOverFailed, match="no answer"):
        tuned.apply_take_over(node, entry)
    node.broken = False
    again = tuned.plan_take_over(node, [SWAPPINESS])
    assert again == entry
    assert tuned.give_back(node, entry) is True
    assert tree(root) == before
    assert node.started == [["profile", "gpuwright"]]
    tuned.apply_take_over(node, again)
    assert tuned.active(node)["profile"] == "gpuwright"


def test_giving_back_does_not_start_a_stopped_tuned(root):
    node = Node(root)
    entry = tuned.plan_take_over(node, [SWAPPINESS])
    tuned.apply_take_over(node, entry)
    put(root, "/proc/812/cmdline", "")
    assert tuned.give_back(node, entry) is True
    assert len(node.started) == 1
    assert (root / "etc/tuned/active_profile").read_text() == "base\n"


def test_another_profile_chosen_meanwhile_stays(root):
    node = Node(root)
    entry = tuned.plan_take_over(node, [SWAPPINESS])
    tuned.apply_take_over(node, entry)
    put(root, tuned.ACTIVE_FILE, "powersave\n")
    assert tuned.give_back(node, entry) is True
    assert tuned.active(node)["profile"] == "powersave"
    assert not (root / "etc/tuned/gpuwright").exists()


def test_a_switch_that_does_not_happen_is_an_error(root):
    node = Node(root)
    node.run = lambda argv, seconds=10, changes=True: (0, "", "")
    with pytest.raises(tuned.TakeOverFailed, match="tuned-adm profile gpuwright"):
        tuned.apply_take_over(node, tuned.plan_take_over(node, [SWAPPINESS]))


def test_a_post_loaded_profile_cannot_be_left_out(root):
    put(root, "/usr/lib/tuned/late/tuned.conf", "[sysctl]\nvm.swappiness=9\n")
    put(root, tuned_values.POST_LOADED_FILE, "late\n")
    entry = tuned.plan_take_over(Host(str(root)), [SWAPPINESS])
    node = Node(root)
    with pytest.raises(tuned.TakeOverFailed, match="post-loaded profile late"):
        tuned.apply_take_over(node, entry)
    assert node.started == [] and not (root / "etc/tuned/gpuwright").exists()


def test_a_glob_goes_and_the_others_it_stands_for_stay(root):
    for name in ("sda", "sdb", "sdc"):
        put(root, "/sys/block/%s/queue/nr_requests" % name, "64")
    put(root, "/usr/lib/tuned/base/tuned.conf", "[sysfs]\n/sys/block/*/queue/nr_requests=256\n")
    node = Node(root)
    key = ("sysfs", "/sys/block/sdb/queue/nr_requests")
    tuned.apply_take_over(node, tuned.plan_take_over(node, [key]))
    assert {target[1]: one["value"] for target, one in tuned.values(node, "gpuwright").items()} == {
        "/sys/block/sda/queue/nr_requests": "256", "/sys/block/sdc/queue/nr_requests": "256"}
    assert "[sysfs]" in (root / FILE.lstrip("/")).read_text()


def test_units_keep_what_tuned_would_reset(root):
    put(root, "/usr/lib/tuned/base/tuned.conf", "[mine]\ntype=sysctl\ndevices=a,b\nvm.swappiness=10\nkernel.x=1\n"
                                               "[off]\ntype=sysctl\nenabled=0\nvm.swappiness=3\nkernel.y=1\n")
    node = Node(root)
    tuned.apply_take_over(node, tuned.plan_take_over(node, [SWAPPINESS]))
    assert {target[1] for target in tuned.values(node, "gpuwright")} == {"kernel.x"}
    assert "devices=a,b" in (root / FILE.lstrip("/")).read_text()


GOVERNOR = ("sysfs", "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor")


@pytest.mark.parametrize("text, left", [
    ("[cpu]\ngovernor=powersave\nenergy_perf_bias=normal\n", "[cpu]\ntype=cpu\ndevices=*\nenabled=1\ndrop=governor"),
    ("[sysfs]\n%s=powersave\n" % GOVERNOR[1], "[sysfs]\ntype=sysfs\ndevices=*\nenabled=1\ndrop=" + GOVERNOR[1])])
def test_a_setting_of_many_files_is_taken_over_whole(root, text, left):
    for number in (0, 1):
        put(root, "/sys/devices/system/cpu/cpufreq/policy%d/scaling_governor" % number, "powersave")
    put(root, "/usr/lib/tuned/base/tuned.conf", text)
    node = Node(root)
    (found,) = tuned.conflicting(node, {GOVERNOR: "performance"}).values()
    assert (found["value"], found["sets"]) == ("powersave", GOVERNOR)
    entry = tuned.plan_take_over(node, [GOVERNOR])
    assert entry["refused"] == "" and entry["text"].rstrip().endswith(left)
