# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of conflicts and take-over on a stand-in host: the winner is named in check mode too, and gets it all back."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _conflicts, _result

from tests.sysroots import engine, plain_node
from tests.sysroots.engine import DEFAULTS, apply, plan, roll_back, statuses, steps

LOCAL = "/etc/sysctl.d/99-local.conf"
SWAPPINESS = {"vm.swappiness": 10}


def conflict(root, role, values, target, **request):
    """The step of a target that must be in conflict, and stay as it is when applied."""
    before = plain_node.snapshot(root)
    step = steps(plan(root, role, values, **request))[target]
    assert step["status"] == "conflict"
    assert steps(apply(root, role, values, **request))[target] == step
    assert plain_node.snapshot(root) == before
    return step


def test_a_later_sysctl_file_is_named_with_its_line_and_not_fought(tmp_path):
    root = plain_node.build(tmp_path, **{LOCAL: "# ours\nvm.swappiness = 5"})
    step = conflict(root, "vm", SWAPPINESS, "vm.swappiness")
    assert step["reason"] == "/etc/sysctl.d/99-local.conf:2 sets vm.swappiness = 5 and wins over ours"


@pytest.mark.parametrize("path", ["/etc/sysctl.d/10-early.conf", "/usr/lib/sysctl.d/50-default.conf"])
def test_an_earlier_file_does_not_win(tmp_path, path):
    root = plain_node.build(tmp_path, **{path: "vm.swappiness = 5"})
    assert statuses(plan(root, "vm", SWAPPINESS)) == {"vm.swappiness": "drift"}


def test_a_later_file_that_agrees_is_no_conflict(tmp_path):
    root = plain_node.build(tmp_path, **{LOCAL: "vm.swappiness=10"})
    assert statuses(plan(root, "vm", SWAPPINESS)) == {"vm.swappiness": "drift"}


def test_a_later_file_that_sets_the_twin_is_a_conflict(tmp_path):
    root = plain_node.build(tmp_path, **{LOCAL: "vm.dirty_bytes = 1073741824"})
    step = conflict(root, "vm", {"vm.dirty_ratio": 10}, "vm.dirty_ratio")
    assert "sets vm.dirty_bytes = 1073741824" in step["reason"]


def test_a_later_file_that_gives_more_of_a_raise_only_setting_is_no_conflict(tmp_path):
    root = plain_node.build(tmp_path, **{LOCAL: "vm.max_map_count = 2147483642"})
    assert "conflict" not in statuses(plan(root, "vm", {"vm.max_map_count": 1048576})).values()
    root = plain_node.build(tmp_path / "lower", **{LOCAL: "vm.max_map_count = 65530"})
    conflict(root, "vm", {"vm.max_map_count": 1048576}, "vm.max_map_count")


@pytest.mark.parametrize("owner", ["sysctl.d", LOCAL])
def test_a_sysctl_file_is_taken_over_without_touching_it(tmp_path, owner):
    root = plain_node.build(tmp_path, **{LOCAL: "vm.swappiness = 5"})
    before = plain_node.snapshot(root)
    made = apply(root, "vm", {"vm.swappiness": 10, "kernel.panic": 10}, take_over=[owner])
    assert steps(made)["vm.swappiness"]["file"] == "/etc/sysctl.d/zz-gpuwright-vm.conf"
    assert (root / LOCAL[1:]).read_text() == "vm.swappiness = 5\n"
    for take_over in ([owner], []):
        again = plan(root, "vm", {"vm.swappiness": 10, "kernel.panic": 10}, take_over=take_over)
        assert set(statuses(again).values()) == {"ok"}, "what was taken over stays so"
    roll_back(root)
    assert plain_node.snapshot(root) == before


def test_a_file_that_sorts_after_even_our_last_is_said_to(tmp_path):
    root = plain_node.build(tmp_path, **{"/etc/sysctl.d/zzz.conf": "vm.swappiness = 5"})
    step = conflict(root, "vm", SWAPPINESS, "vm.swappiness", take_over=["sysctl.d"])
    assert "rename it" in step["reason"]


def test_an_earlier_tmpfiles_line_wins_and_is_taken_over(tmp_path):
    path = plain_node.THP + "/enabled"
    root = plain_node.build(tmp_path, **{"/etc/tmpfiles.d/10-thp.conf": "w %s - - - - always" % path})
    before = plain_node.snapshot(root)
    step = conflict(root, "thp", {"transparent_hugepage/enabled": "madvise"}, "transparent_hugepage/enabled")
    assert step["reason"].startswith("/etc/tmpfiles.d/10-thp.conf:1 sets %s = always" % path)
    made = apply(root, "thp", DEFAULTS["thp"], take_over=["tmpfiles.d"])
    assert steps(made)["transparent_hugepage/enabled"]["file"] == "/etc/tmpfiles.d/00-gpuwright-thp.conf"
    assert set(statuses(plan(root, "thp", DEFAULTS["thp"])).values()) == {"ok"}
    roll_back(root)
    assert plain_node.snapshot(root) == before


def test_a_later_tmpfiles_line_for_the_same_path_does_not_win(tmp_path):
    path = plain_node.THP + "/enabled"
    root = plain_node.build(tmp_path, **{"/etc/tmpfiles.d/99-thp.conf": "w %s - - - - always" % path})
    assert "conflict" not in statuses(plan(root, "thp", DEFAULTS["thp"])).values()


SMALL = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
LARGE = "/sys/devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages"
GLOBAL = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"


@pytest.mark.parametrize("path, text, small, large", [
    ("/proc/cmdline", "ro hugepages=16", "the kernel command line reserves 16 pages of 2048 kB", None),
    ("/proc/cmdline", "hugepagesz=1G hugepages=16", None, "the kernel command line reserves 16 pages of 1048576 kB"),
    ("/proc/cmdline", "default_hugepagesz=1G hugepages=0:4,1:4", None,
     "the kernel command line reserves 0:4,1:4 pages of 1048576 kB"),
    ("/proc/cmdline", "hugepagesz=2M hugepages=0", None, None),
    ("/etc/sysctl.d/10-pages.conf", "vm.nr_hugepages = 512",
     "/etc/sysctl.d/10-pages.conf sets vm.nr_hugepages = 512", None),
    ("/etc/tmpfiles.d/99-pages.conf", "w %s - - - - 512" % GLOBAL,
     "/etc/tmpfiles.d/99-pages.conf:1 writes 512 to " + GLOBAL, None),
])
def test_huge_pages_that_somebody_else_reserves_are_not_taken_away(tmp_path, path, text, small, large):
    root = plain_node.build(tmp_path, **{SMALL: "512", LARGE: "8", path: text})
    made = steps(plan(root, "vm", {"nr_hugepages": {}}))
    for target, words in (("node0/hugepages-2048kB", small), ("node0/hugepages-1048576kB", large)):
        assert made[target]["status"] == ("conflict" if words else "drift")
        assert made[target]["reason"] == (words + ": ask for the same with vm_hugepages, or set it to null" if words
                                          else "running %s, not persisted" % made[target]["running"])
    same = {"nr_hugepages": {2048: {0: 512}, 1048576: {0: 8}}}
    assert "conflict" not in statuses(plan(root, "vm", same)).values(), "what agrees is no conflict"


def test_huge_pages_of_tuned_are_not_taken_away(tmp_path):
    root = with_tuned(tmp_path)
    plain_node.put(root, SMALL, "512")
    plain_node.put(root, "/etc/tuned/mine/tuned.conf", "[sysctl]\nvm.nr_hugepages=1024")
    step = steps(plan(root, "vm", {"nr_hugepages": {}}))["node0/hugepages-2048kB"]
    assert step["status"] == "conflict" and step["reason"].startswith("tuned profile mine sets vm.nr_hugepages = 1024")


def with_tuned(folder, rebuild=True):
    """A host with an active profile that sets two of our knobs."""
    root = plain_node.build(folder) if rebuild else folder
    plain_node.put(root, "/etc/tuned/active_profile", "mine")
    plain_node.put(root, "/etc/tuned/profile_mode", "manual")
    plain_node.put(root, "/etc/tuned/mine/tuned.conf",
                   "[vm]\ntransparent_hugepages=always\n[sysctl]\nvm.swappiness=30")
    plain_node.put(root, "/run/tuned/tuned.pid", "77")
    plain_node.process(root, 77, "tuned")
    plain_node.put(root, "/proc/77/cmdline", "/usr/bin/python3\0-Es\0/usr/sbin/tuned\0-l\0-P")
    return root


def test_an_active_tuned_profile_is_named_with_its_value(tmp_path):
    root = with_tuned(tmp_path)
    made = steps(plan(root, "thp", DEFAULTS["thp"]))
    step = made["transparent_hugepage/enabled"]
    assert step["status"] == "conflict"
    assert step["reason"] == ("tuned profile mine sets /sys/kernel/mm/transparent_hugepage/enabled to always "
                              "(/etc/tuned/mine/tuned.conf)")
    assert statuses(plan(root, "vm", SWAPPINESS)) == {"vm.swappiness": "conflict"}
    assert made["transparent_hugepage/defrag"]["status"] == "drift"


def test_an_owner_that_nobody_knows_is_an_error_before_any_write(tmp_path):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    with pytest.raises(_conflicts.UnknownOwner, match="'tunned' .*did you mean tuned"):
        apply(root, "vm", SWAPPINESS, take_over=["tunned"])
    assert plain_node.snapshot(root) == before


class Tuned(plain_node.Kernel):
    """A host on which tuned runs; its tuned-adm only notes the profile that it is given."""

    runs_commands = True

    def run(self, argv, seconds=10, changes=True):
        """tuned-adm profile NAME."""
        assert argv[:2] == ["tuned-adm", "profile"]
        self.write_file("/etc/tuned/active_profile", (" ".join(argv[2:]) + "\n").encode())
        return 0, "", ""


def test_tuned_is_taken_over_and_gets_all_of_it_back(tmp_path, monkeypatch):
    root = with_tuned(tmp_path)
    before = plain_node.snapshot(root)
    monkeypatch.setattr(engine, "Kernel", Tuned)
    made = plan(root, "thp", DEFAULTS["thp"], take_over=["tuned"])
    assert statuses(made)["transparent_hugepage/enabled"] == "drift"
    assert steps(made)["transparent_hugepage/enabled"]["reason"].startswith("taken over: tuned profile mine sets")
    assert plain_node.snapshot(root) == before
    apply(root, "thp", DEFAULTS["thp"], take_over=["tuned"])
    apply(root, "vm", SWAPPINESS, take_over=["tuned"])
    assert (root / "etc/tuned/active_profile").read_text() == "gpuwright\n"
    assert set(statuses(plan(root, "thp", DEFAULTS["thp"])).values()) == {"ok"}
    assert set(statuses(plan(root, "vm", SWAPPINESS)).values()) == {"ok"}
    roll_back(root)
    assert plain_node.snapshot(root) == before


def test_tuned_gets_it_back_once_nothing_of_it_is_managed(tmp_path, monkeypatch):
    root = with_tuned(tmp_path)
    before = plain_node.snapshot(root)
    monkeypatch.setattr(engine, "Kernel", Tuned)
    apply(root, "vm", SWAPPINESS, take_over=["tuned"])
    apply(root, "vm", {"vm.swappiness": None}, take_over=["tuned"])
    assert plain_node.snapshot(root) == before


def test_what_cannot_be_taken_over_stays_a_conflict_and_says_why(tmp_path, monkeypatch):
    root = with_tuned(tmp_path)
    plain_node.put(root, "/etc/tuned/post_loaded_profile", "late")
    plain_node.put(root, "/etc/tuned/late/tuned.conf", "[sysctl]\nvm.swappiness=40")
    monkeypatch.setattr(engine, "Kernel", Tuned)
    step = conflict(root, "vm", SWAPPINESS, "vm.swappiness", take_over=["tuned"])
    assert "cannot be taken over: tuned's post-loaded profile late" in step["reason"]


def test_a_takeover_is_due_even_where_value_and_line_are_right(tmp_path, monkeypatch):
    root = plain_node.build(tmp_path)
    apply(root, "vm", SWAPPINESS)
    with_tuned(tmp_path, rebuild=False)
    monkeypatch.setattr(engine, "Kernel", Tuned)
    assert statuses(plan(root, "vm", SWAPPINESS)) == {"vm.swappiness": "conflict"}
    apply(root, "vm", SWAPPINESS, take_over=["tuned"])
    assert (root / "etc/tuned/active_profile").read_text() == "gpuwright\n"
    assert statuses(plan(root, "vm", SWAPPINESS)) == {"vm.swappiness": "ok"}


def test_a_twin_that_was_taken_over_is_not_handed_back_at_once(tmp_path, monkeypatch):
    root = plain_node.build(tmp_path)
    apply(root, "vm", {"vm.dirty_ratio": 10})
    with_tuned(tmp_path, rebuild=False)
    plain_node.put(root, "/etc/tuned/mine/tuned.conf", "[sysctl]\nvm.dirty_ratio=40")
    monkeypatch.setattr(engine, "Kernel", Tuned)
    apply(root, "vm", {"vm.dirty_bytes": 1 << 30}, take_over=["tuned"])
    assert (root / "etc/tuned/active_profile").read_text() == "gpuwright\n"
    assert statuses(plan(root, "vm", {"vm.dirty_bytes": 1 << 30})) == {"vm.dirty_bytes": "ok"}


def test_tuned_gets_back_what_one_role_lets_go_and_the_rest_with_the_last(tmp_path, monkeypatch):
    root = with_tuned(tmp_path)
    before = plain_node.snapshot(root)
    monkeypatch.setattr(engine, "Kernel", Tuned)
    apply(root, "vm", SWAPPINESS, take_over=["tuned"])
    apply(root, "thp", DEFAULTS["thp"], take_over=["tuned"])
    profile = root / "etc/tuned/gpuwright/tuned.conf"
    assert "vm.swappiness" in profile.read_text()
    assert roll_back(root, roles=["vm"]).errors == []
    assert json.loads((root / "var/lib/gpuwright/journal.json").read_text())["owners"]["tuned"]["keys"] == [
        ["sysfs", plain_node.THP + "/enabled"]]
    assert roll_back(root, roles=["thp"]).errors == []
    assert plain_node.snapshot(root) == before


def test_tuned_that_cannot_be_given_back_is_named_and_tried_again(tmp_path, monkeypatch):
    root = with_tuned(tmp_path)
    before = plain_node.snapshot(root)
    monkeypatch.setattr(engine, "Kernel", Tuned)
    apply(root, "vm", SWAPPINESS, take_over=["tuned"])
    working = Tuned.run
    monkeypatch.setattr(Tuned, "run", lambda *_words, **_options: (1, "", "no D-Bus"))
    made = apply(root, "vm", {"vm.swappiness": None})
    assert [said.split(":")[0] for said in _result.failures(made)] == ["giving back to tuned failed"]
    monkeypatch.setattr(Tuned, "run", working)
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


def test_a_twin_that_systemd_writes_later_is_a_conflict(tmp_path):
    """Our key keeps the place of an earlier file that gives it the same value; systemd-sysctl 252 was seen to do so."""
    root = plain_node.build(tmp_path, **{"/etc/sysctl.d/10-guide.conf": "vm.dirty_ratio = 10",
                                         "/etc/sysctl.d/50-storage.conf": "vm.dirty_bytes = 1073741824"})
    step = conflict(root, "vm", {"vm.dirty_ratio": 10}, "vm.dirty_ratio")
    assert step["reason"].startswith("/etc/sysctl.d/50-storage.conf:1 sets vm.dirty_bytes = 1073741824")
    assert statuses(plan(root, "vm", {"vm.dirty_ratio": 11})) == {"vm.dirty_ratio": "drift"}


def test_a_file_that_was_not_handed_over_is_not_overridden_with_one_that_was(tmp_path):
    root = plain_node.build(tmp_path, **{"/etc/sysctl.d/98-a.conf": "vm.swappiness = 5", LOCAL: "vm.swappiness = 6"})
    step = conflict(root, "vm", SWAPPINESS, "vm.swappiness", take_over=[LOCAL])
    assert "98-a.conf" in step["reason"]
    both = plan(root, "vm", SWAPPINESS, take_over=[LOCAL, "/etc/sysctl.d/98-a.conf"])
    assert statuses(both) == {"vm.swappiness": "drift"}


def test_a_file_can_be_named_by_the_link_that_leads_to_it(tmp_path):
    root = plain_node.build(tmp_path, **{"/etc/sysctl.conf": "vm.swappiness = 5"})
    (root / "etc/sysctl.d/99-sysctl.conf").symlink_to("../sysctl.conf")
    assert conflict(root, "vm", SWAPPINESS, "vm.swappiness")["reason"].startswith("/etc/sysctl.conf:1 sets")
    for name in ("/etc/sysctl.conf", "/etc/sysctl.d/99-sysctl.conf"):
        assert statuses(plan(root, "vm", SWAPPINESS, take_over=[name])) == {"vm.swappiness": "drift"}


def test_a_file_to_take_over_that_is_not_there_is_noted(tmp_path):
    made = plan(plain_node.build(tmp_path), "vm", SWAPPINESS, take_over=["/etc/sysctl.d/99-lokal.conf"])
    assert made.host.notes == ["gpuwright_take_over: there is no /etc/sysctl.d/99-lokal.conf here"]


def test_tuned_that_gives_enough_of_a_raise_only_setting_is_no_conflict(tmp_path):
    root = with_tuned(tmp_path)
    plain_node.put(root, "/proc/sys/vm/max_map_count", "2097152")
    for value, status in (("1048576", "drift"), ("65530", "conflict")):
        plain_node.put(root, "/etc/tuned/mine/tuned.conf", "[sysctl]\nvm.max_map_count=" + value)
        assert statuses(plan(root, "vm", {"vm.max_map_count": 1048576})) == {"vm.max_map_count": status}
