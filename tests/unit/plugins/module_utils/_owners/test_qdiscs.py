# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which queueing disciplines run on devices."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import qdiscs

from tests.sysroots import sysfs


class Asked(Host):
    """A host whose tc says this."""

    runs_commands = True
    answer = (0, "[]", "")

    def run(self, argv, seconds=10, changes=True):
        assert (argv, changes) == (["tc", "-j", "qdisc", "show"], False)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def running(root, answer):
    for name in ("eth0", "eth1"):
        sysfs.write(root, "sys/class/net/%s/device/vendor" % name, "0x15b3")
    host = Asked(str(root))
    host.answer = answer
    return qdiscs.running(host)


def test_the_leaves_of_hardware_queues_count_and_virtual_interfaces_do_not(tmp_path):
    assert running(tmp_path, (0, json.dumps([
        {"kind": "mq", "dev": "eth0", "root": True}, {"kind": "fq", "dev": "eth0", "parent": ":1"},
        {"kind": "fq_codel", "dev": "eth0", "parent": ":2"}, {"kind": "clsact", "dev": "eth0", "parent": "ffff:fff1"},
        {"kind": "pfifo_fast", "dev": "eth1", "root": True}, {"kind": "noqueue", "dev": "lo", "root": True},
        {"kind": "fq_codel", "dev": "docker0", "root": True}]), "")) == {"eth0": {"fq", "fq_codel"},
                                                                        "eth1": {"pfifo_fast"}}


@pytest.mark.parametrize("answer", [(1, "[]", "no"), (0, "", ""), (0, "{", ""), CommandNotRun("tc: not found"),
                                    FileNotFoundError(2, "No such file")])
def test_a_tc_that_does_not_answer_knows_of_none(tmp_path, answer):
    assert running(tmp_path, answer) == {}


def test_a_capture_has_no_tc(tmp_path):
    assert qdiscs.running(Host(str(tmp_path))) == {}
