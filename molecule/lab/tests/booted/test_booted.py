# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a reboot the node runner has run where something needs it, and nothing has failed."""

from __future__ import annotations

import pytest

# Its timer starts it again for some minutes after a boot, and while it runs it has no time of an end.
SHOW = ("while [ $(systemctl is-active gpuwright-boot.service) = activating ]; do sleep 1; done; systemctl show "
        "--property=LoadState,Result,ExecMainStatus,ExecMainExitTimestampMonotonic gpuwright-boot.service")
NEEDS_IT = {"molecule-inference": False, "molecule-training": True}


@pytest.fixture(scope="module")
def name(host):
    """The host's name."""
    return host.backend.get_hostname()


def test_the_runner_has_run_where_something_needs_it(host, name):
    shown = dict(line.split("=") for line in host.check_output(SHOW).splitlines())
    ended = int(shown.pop("ExecMainExitTimestampMonotonic"))
    assert (ended > 0) is NEEDS_IT[name]
    assert shown == {"LoadState": "loaded" if NEEDS_IT[name] else "not-found", "Result": "success",
                     "ExecMainStatus": "0"}


def test_no_unit_has_failed(host):
    assert host.check_output("systemctl list-units --failed --no-legend --plain") == ""
