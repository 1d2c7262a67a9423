# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sysctl.d file wins, beside what systemd itself says where it is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import sysctl_d

OURS = "/etc/sysctl.d/90-gpuwright-vm.conf"
SYSTEMD_SYSCTL = "/usr/lib/systemd/systemd-sysctl"


def put(root, path, text):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def link(root, path, target):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


@pytest.fixture
def root(tmp_path):
    put(tmp_path, "/etc/sysctl.d/50-site.conf", "vm.swappiness = 1\n")
    put(tmp_path, OURS, "vm.swappiness = 10\nvm.dirty_ratio=5\n")
    put(tmp_path, "/etc/sysctl.d/.hidden.conf", "vm.swappiness = 99\n")
    put(tmp_path, "/etc/sysctl.d/99-old.conf.rpmsave", "vm.swappiness = 98\n")
    put(tmp_path, "/run/sysctl.d/50-site.conf", "vm.swappiness = 97\n")
    put(tmp_path, "/run/sysctl.d/20-empty.conf", "")
    put(tmp_path, "/usr/lib/sysctl.d/20-empty.conf", "vm.dirty_ratio = 96\n")
    put(tmp_path, "/usr/lib/sysctl.d/99-vendor.conf", "vm.swappiness = 95\n")
    link(tmp_path, "/etc/sysctl.d/99-vendor.conf", "/dev/null")
    put(tmp_path, "/usr/local/lib/sysctl.d/60-local.conf", "vm.dirty_ratio = 30\n")
    link(tmp_path, "/lib", "usr/lib")
    return tmp_path


def read(root):
    return sysctl_d.assignments(Host(str(root)))


def winner(root, key, ignore=()):
    one = sysctl_d.last(read(root), key, ignore)
    return one and (one["value"], one["file"], one["line"])


def test_names_order_the_files_and_a_higher_folder_hides_the_same_name(root):
    assert [(one["file"], one["key"], one["value"]) for one in read(root)] == [
        ("/etc/sysctl.d/50-site.conf", "vm.swappiness", "1"),
        ("/usr/local/lib/sysctl.d/60-local.conf", "vm.dirty_ratio", "30"),
        (OURS, "vm.swappiness", "10"),
        (OURS, "vm.dirty_ratio", "5"),
    ]


def test_without_our_file_the_others_decide(root):
    assert winner(root, "vm.swappiness") == ("10", OURS, 1)
    assert winner(root, "vm.swappiness", ignore=(OURS,)) == ("1", "/etc/sysctl.d/50-site.conf", 1)
    assert winner(root, "vm.nr_hugepages") is None


def test_only_a_later_file_is_after_ours(root):
    assert sysctl_d.after(read(root), "vm.swappiness", OURS) is None
    put(root, "/usr/lib/sysctl.d/99-zz.conf", "vm.swappiness=60\nvm/dirty_ratio = 7\n-vm.panic_on_oom\n")
    found = read(root)
    assert sysctl_d.after(found, "vm.swappiness", OURS)["file"] == "/usr/lib/sysctl.d/99-zz.conf"
    assert sysctl_d.after(found, "vm.dirty_ratio", OURS)["value"] == "7"
    assert sysctl_d.after(found, "vm.panic_on_oom", OURS)["value"] is None


def test_linked_sysctl_conf_is_named_itself_and_sorts_as_its_link(root):
    put(root, "/etc/sysctl.conf", "# comment\n; comment\n\nvm.swappiness=40\n")
    link(root, "/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf")
    assert winner(root, "vm.swappiness") == ("40", "/etc/sysctl.conf", 4)
    assert sysctl_d.after(read(root), "vm.swappiness", OURS)["file"] == "/etc/sysctl.conf"
    assert not [one for one in read(root) if one.get("procps_only")]


def test_unlinked_sysctl_conf_counts_for_procps_only(root):
    put(root, "/etc/sysctl.conf", "vm.swappiness=40\n")
    assert winner(root, "vm.swappiness") == ("10", OURS, 1)
    assert [(one["key"], one["file"]) for one in read(root) if one.get("procps_only")] == [
        ("vm.swappiness", "/etc/sysctl.conf")]
    assert sysctl_d.after(read(root), "vm.swappiness", OURS) is None


def test_kernel_command_line_comes_before_every_file(root):
    put(root, "/proc/cmdline", 'ro sysctl.vm.swappiness=77 sysctl/kernel/panic=5 sysctl.kernel.core_pattern="|/x %p" '
                               "sysctl.kernel.empty= quiet -- sysctl.vm.overcommit_memory=1\n")
    assert [(one["key"], one["value"]) for one in read(root)][:3] == [
        ("vm.swappiness", "77"), ("kernel.panic", "5"), ("kernel.core_pattern", "|/x %p")]
    assert winner(root, "vm.swappiness")[0] == "10"
    assert winner(root, "kernel.panic") == ("5", "/proc/cmdline", 1)
    assert winner(root, "vm.overcommit_memory") is None


@pytest.mark.parametrize("text, key", [
    ("net.ipv4.conf.eth0/100.forwarding", "net.ipv4.conf.eth0/100.forwarding"),
    ("net/ipv4/conf/eth0.100/forwarding", "net.ipv4.conf.eth0/100.forwarding"),
    ("/vm/swappiness", "vm.swappiness"),
    (" vm//swappiness/ ", "vm.swappiness"),
    ("single", "single"),
])
def test_keys_have_one_form(text, key):
    assert sysctl_d.normal_key(text) == key


def test_globs_as_systemd_252_was_seen_to_apply_them(tmp_path):
    put(tmp_path, "/etc/sysctl.d/10.conf", "\n".join([
        "net.ipv4.conf.*.rp_filter = 1", "net.*.conf.*.rp_filter = 2", "net.ipv4.conf.*.rp_filter = 1",
        "-net.ipv4.conf.all.rp_filter", "net.ipv4.conf.lo.rp_filter = 5", "net.ipv4.*.*.accept = 7",
        "net.*.rp_filter = 9"]))
    values = {name: (winner(tmp_path, "net.ipv4.conf.%s" % name) or [None])[0]
              for name in ("eth0.rp_filter", "lo.rp_filter", "all.rp_filter", "eth0.accept")}
    assert values == {"eth0.rp_filter": "2", "lo.rp_filter": "5", "all.rp_filter": None, "eth0.accept": "7"}


def test_a_glob_in_a_later_file_leaves_our_key_alone(root):
    put(root, "/etc/sysctl.d/99-glob.conf", "vm.* = 3\n")
    assert winner(root, "vm.swappiness") == ("10", OURS, 1)
    assert winner(root, "vm.swappiness", ignore=(OURS, "/etc/sysctl.d/50-site.conf"))[0] == "3"


ODD_LINES = """gpuwright.a = 1
-gpuwright/b/c.d = 2
  gpuwright.a   =  2
gpuwright.b/c.d = x = y
/gpuwright/lead = 1
gpuwright//double/ =
-gpuwright.not.set
nonsense
# gpuwright.comment = 1
;gpuwright.comment = 1
"""


def test_odd_lines(tmp_path):
    put(tmp_path, "/etc/sysctl.d/10.conf", ODD_LINES)
    keys = {one["key"] for one in read(tmp_path)}
    assert {key: sysctl_d.last(read(tmp_path), key)["value"] for key in keys} == {
        "gpuwright.a": "2", "gpuwright.b.c/d": "2", "gpuwright.b/c.d": "x = y", "gpuwright.lead": "1",
        "gpuwright.double": "", "gpuwright.not.set": None}


if shutil.which("systemd-analyze"):
    def test_same_files_as_systemd_analyze(root):
        said = subprocess.run(["systemd-analyze", "--root=%s" % root, "cat-config", "sysctl.d"],
                              stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
        shown = [line[len("# %s" % root):] for line in said.splitlines() if line.startswith("# %s/" % root)]
        assert shown and shown == sysctl_d.files(Host(str(root)), sysctl_d.FOLDERS)

if os.path.exists(SYSTEMD_SYSCTL):
    def test_same_values_as_systemd_sysctl_would_write(root):
        """The keys do not exist in any kernel, so systemd-sysctl says what it would write and changes nothing."""
        put(root, "/etc/sysctl.d/10-odd.conf", ODD_LINES)
        put(root, "/etc/sysctl.d/20-odd.conf", "gpuwright.a=3\ngpuwright/lead=1\n")
        names = ["10-odd.conf", "20-odd.conf"]
        said = subprocess.run([SYSTEMD_SYSCTL] + [str(root / "etc/sysctl.d" / name) for name in names],
                              stderr=subprocess.PIPE, check=False, universal_newlines=True,
                              env=dict(os.environ, SYSTEMD_LOG_LEVEL="debug", SYSTEMD_LOG_TARGET="console")).stderr
        written = re.findall(r"Setting '/proc/sys/(gpuwright\S*)' to '(.*)'", said)
        found = [one for one in read(root) if one["key"].startswith("gpuwright")]
        mine = {key: sysctl_d.last(found, key)["value"] for key in {one["key"] for one in found}}
        assert len(written) == 5
        assert {sysctl_d.normal_key(path): value for path, value in written} == {
            key: value for key, value in mine.items() if value is not None}
