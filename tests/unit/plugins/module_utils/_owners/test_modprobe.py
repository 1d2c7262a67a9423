# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what modprobe.d, modules-load.d, the kernel command line and the lists of a kernel say of modules."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import modprobe

from tests.sysroots import plain_node, service_node

ODD = """# c
options nvidia NVreg_A=1 \\
  NVreg_B="x y"
options nvidia NVreg_A=2
blacklist foo-bar
install baz-q /bin/false
install used /sbin/modprobe -i used
  options mlx5-core probe_vf=N flag
# a comment goes on \\
options snd x=1
"""


def host_with(folder, **files):
    return Host(str(plain_node.build(folder, **files)))


def test_options_are_read_as_modprobe_reads_them(tmp_path):
    host = host_with(tmp_path, **{"/etc/modprobe.d/b.conf": ODD,
                                  "/usr/lib/modprobe.d/a.conf": "options nvidia NVreg_A=9",
                                  "/run/modprobe.d/b.conf": "options nvidia NVreg_A=7"})
    assert [(item["key"], item["value"], item["file"], item["line"]) for item in modprobe.options(host)] == [
        ("nvidia/NVreg_A", "9", "/usr/lib/modprobe.d/a.conf", 1), ("nvidia/NVreg_A", "1", "/etc/modprobe.d/b.conf", 2),
        ("nvidia/NVreg_B", "x y", "/etc/modprobe.d/b.conf", 2), ("nvidia/NVreg_A", "2", "/etc/modprobe.d/b.conf", 4),
        ("mlx5_core/probe_vf", "N", "/etc/modprobe.d/b.conf", 8), ("mlx5_core/flag", "1", "/etc/modprobe.d/b.conf", 8)]


def test_the_kernel_command_line_comes_last(tmp_path):
    host = host_with(tmp_path, **{"/etc/modprobe.d/b.conf": "options nvme poll_queues=1",
                                  "/proc/cmdline": "ro nvme.poll-queues=4 quiet mlx5_core.flag -- x.y=1"})
    assert [(item["key"], item["value"], item["file"]) for item in modprobe.options(host)] == [
        ("nvme/poll_queues", "1", "/etc/modprobe.d/b.conf"), ("nvme/poll_queues", "4", "/proc/cmdline"),
        ("mlx5_core/flag", "1", "/proc/cmdline")]


def test_what_bars_modules(tmp_path):
    host = host_with(tmp_path, **{"/etc/modprobe.d/b.conf": ODD, "/proc/cmdline": "module_blacklist=a,b-c"})
    assert [(item["directive"], item["module"]) for item in modprobe.barred(host)] == [
        ("blacklist", "foo_bar"), ("install", "baz_q"), ("module_blacklist", "a"), ("module_blacklist", "b_c")]


def test_what_is_loaded_at_boot(tmp_path):
    host = host_with(tmp_path, **{"/usr/lib/modules-load.d/a.conf": "# c\n; c\n\n nvidia-peermem \nib_umad"})
    assert [(item["module"], item["line"]) for item in modprobe.loads(host)] == [("nvidia_peermem", 4), ("ib_umad", 5)]


@pytest.mark.parametrize("module, built, loaded", [
    ("nvidia-peermem", True, False), ("nvidia_peermem", True, False), ("nvidia", True, True), ("tcp_bbr", True, False),
    ("nvme_core", False, True), ("tcp-cubic", False, True), ("rdma_rxe", False, False), ("printk", False, True)])
def test_a_module_is_built_loaded_or_a_part_of_the_kernel(tmp_path, module, built, loaded):
    root = service_node.build(tmp_path, **{"/sys/module/nvidia/initstate": "live", "/sys/module/printk/uevent": "",
                                           "/sys/module/tcp_bbr/initstate": "coming"})
    host = Host(str(root))
    assert (modprobe.is_built(host, module), modprobe.is_loaded(host, module)) == (built, loaded)


@pytest.mark.parametrize("files, words", [
    ({"refcnt": "0"}, ""), ({"refcnt": "2"}, "in use 2 times"), ({"initstate": "live"}, ""),
    ({"refcnt": "1", "holders/ib_core": ""}, "in use 1 times, by ib_core")])
def test_who_uses_a_module(tmp_path, files, words):
    host = host_with(tmp_path, **{"/sys/module/a_b/" + name: text for name, text in files.items()})
    assert modprobe.uses(host, "a-b") == words


if shutil.which("modprobe"):
    def test_modprobe_itself_reads_the_same(tmp_path):
        root = plain_node.build(tmp_path, **{"/etc/modprobe.d/b.conf": ODD, "/etc/modprobe.d/a.conf": "blacklist a-b"})
        said = subprocess.run(["modprobe", "--showconfig", "--config", str(root / "etc/modprobe.d")],
                              capture_output=True, text=True, check=False).stdout
        for directive in ("options", "blacklist"):
            mine = modprobe.directives(Host(str(root)), (directive,))
            found = [(item["module"], item["value"].split()) for item in mine]
            listed = [(module, rest.split()) for module, rest in
                      re.findall(r"^%s (\S+)(.*)$" % directive, said, re.M)]
            assert found and listed[:len(found)] == found  # What this machine's command line says comes last.
