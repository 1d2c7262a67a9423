# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's main() in this process, as Ansible would on the node, and returns what it prints."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args


@pytest.fixture(name="run_module")
def fixture_run_module(capfd):
    """run_module(module, check_mode=False, **options) -> the result as a dict."""

    def run(module, check_mode=False, **options):
        with patch_module_args(dict(options, _ansible_check_mode=check_mode, _ansible_diff=True)):
            with pytest.raises(SystemExit):
                module.main()
        return json.loads(capfd.readouterr().out)
    return run
