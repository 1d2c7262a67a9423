# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rule on the copies of .link files that an initramfs holds."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._settings import network_links

from tests.sysroots import engine, link_node, plain_node
from tests.sysroots.link_node import Links

HOOK = "/usr/share/initramfs-tools/hooks/udev"
ASK = {"kernel": Links, "catalogue": network_links, "options": {"network_interfaces": ["eth1"]}}


@pytest.mark.parametrize("text, rules", [
    ("find -L /etc/systemd/network -name '*.link'", ["initramfs"]), ("copy_exec /bin/udevadm", [])])
def test_said_while_our_file_changes_and_where_it_is_so(tmp_path, text, rules):
    root = link_node.build(tmp_path, **{HOOK: text})
    made = engine.apply(root, "network", {"ring/rx": 512, "ring/tx": 512}, **ASK)
    assert [one["rule"] for one in made.findings] == rules
    assert all("update-initramfs -u" in one["message"] and one["severity"] == "I" for one in made.findings)
    plain_node.put(root, "/proc/ethtool/eth1/ring", '{"rx": [256, 8192], "tx": [512, 8192]}')
    made = engine.plan(root, "network", {"ring/rx": 512, "ring/tx": 512}, **ASK)
    assert engine.statuses(made)["eth1/ring/rx"] == "drift" and made.findings == []


def test_dracut_is_made_anew_by_its_own_command(tmp_path):
    path = "/usr/lib/dracut/modules.d/01systemd-networkd/module-setup.sh"
    root = link_node.build(tmp_path, **{path: 'inst_multiple "$systemdnetworkconfdir/systemd/network/*"'})
    assert "(dracut -f)" in engine.plan(root, "network", {"ring/rx": 512}, **ASK).findings[0]["message"]
