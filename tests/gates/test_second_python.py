# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit tests of what Ansible runs, again on Python 3.13 with the newer ansible-core.

What knows nothing of Ansible (module_utils by itself) is not run twice: ansible-test sanity compiles and imports it on
every Python there is.
"""

from __future__ import annotations

import os


def test_unit_tests_pass_on_the_newer_ansible(show):
    workers = str(min(os.cpu_count() or 1, 8))
    show("unit-3.13", [".cache/venv-3.13/bin/python", "-m", "pytest", "-n", workers, "--dist", "worksteal",
                       "tests/unit", "--ignore=tests/unit/plugins/module_utils"], STAGES_FROM="")
