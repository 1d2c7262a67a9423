# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to a node that does not answer, for the tests of the playbooks."""

from __future__ import annotations

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: dead
short_description: a node that does not answer
author: gpuwright contributors (@gpuwright)
description: Fails as ssh does when nobody answers.
options: {}
"""


class Connection(ConnectionBase):
    transport = "gpuwright.standin.dead"
    has_pipelining = False

    def _connect(self):
        raise AnsibleConnectionFailure("no route to host")

    def exec_command(self, cmd, in_data=None, sudoable=True):
        raise AnsibleConnectionFailure("no route to host")

    def put_file(self, in_path, out_path):
        raise AnsibleConnectionFailure("no route to host")

    def fetch_file(self, in_path, out_path):
        raise AnsibleConnectionFailure("no route to host")

    def close(self):
        pass
