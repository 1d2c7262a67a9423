# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the order of systemd's own configuration files."""

from __future__ import annotations

import shutil
import subprocess

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import systemd_conf

from tests.sysroots import plain_node

FILES = {
    "/etc/systemd/logind.conf": "[Login]\nRemoveIPC=no\n#RemoveIPC=yes",
    "/usr/lib/systemd/logind.conf": "[Login]\nRemoveIPC=yes",
    "/usr/lib/systemd/logind.conf.d/90-vendor.conf": "[Login]\nRemoveIPC = yes",
    "/etc/systemd/logind.conf.d/20-site.conf": "[Login]\nRemoveIPC=no\nKillUserProcesses=yes",
    "/run/systemd/logind.conf.d/30-run.conf": "[Login]\nRemoveIPC=maybe",
    "/etc/systemd/logind.conf.d/30-run.conf": "[Login]\n; hides the one of /run",
}


def test_drop_ins_of_all_folders_come_after_the_one_main_file(tmp_path):
    found = systemd_conf.assignments(Host(str(plain_node.build(tmp_path, **FILES))), "logind.conf", ("RemoveIPC",))
    assert [(item["file"], item["line"], item["value"], item["name"]) for item in found] == [
        ("/etc/systemd/logind.conf", 2, "no", ""),
        ("/etc/systemd/logind.conf.d/20-site.conf", 2, "no", "20-site.conf"),
        ("/usr/lib/systemd/logind.conf.d/90-vendor.conf", 2, "yes", "90-vendor.conf")]


if shutil.which("systemd-analyze"):
    def test_systemd_itself_reads_them_in_that_order(tmp_path):
        root = plain_node.build(tmp_path, **FILES)
        said = subprocess.run(["systemd-analyze", "--root=%s" % root, "cat-config", "systemd/logind.conf"],
                              capture_output=True, text=True, check=True).stdout
        order = [line[len("# ") + len(str(root)):] for line in said.splitlines() if line.startswith("# " + str(root))]
        ours = [item["file"] for item in
                systemd_conf.assignments(Host(str(root)), "logind.conf", ("RemoveIPC",))]
        assert [path for path in order if path in ours] == ours
        assert "/usr/lib/systemd/logind.conf" not in order
