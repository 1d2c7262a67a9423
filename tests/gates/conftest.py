# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates are whole tools that must be content, one test each, with a log in report/test/."""

from __future__ import annotations

import pathlib
import sys

from tests.gates import libnccl

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SECOND = CHECKOUT / ".cache" / "venv-3.13" / "bin" / "python"
HERE = "%d.%d" % sys.version_info[:2]


def pytest_configure(config):
    """Leave out what this machine has no Python for, and say so."""
    if HERE != "3.11":
        config.left_out.append("unit tests with ansible-core 2.19: there is no Python 3.11 here")
    elif not SECOND.exists():
        config.left_out.append("unit tests again with ansible-core 2.21: there is no Python 3.13 here")


def pytest_ignore_collect(collection_path):
    """The second run of the unit tests needs a second Python."""
    if collection_path.name == "test_second_python.py" and (HERE != "3.11" or not SECOND.exists()):
        return True
    return None


def pytest_collection_modifyitems(config, items):
    """NCCL's own reading of its files needs NCCL, which is downloaded once, 200 MB, and tested where it can be had."""
    asked = [item for item in items if item.path.name == "test_libnccl.py"]
    if not asked:
        return
    if not libnccl.place().exists():
        config.get_terminal_writer().line("%s is downloaded to %s ..." % (libnccl.PACKAGE, libnccl.place().parent))
    try:
        libnccl.library()
        libnccl.check_namespace()
    except libnccl.NotHere as error:
        config.left_out.append("NCCL's own reading of nccl.conf: %s" % error)
        items[:] = [item for item in items if item not in asked]
