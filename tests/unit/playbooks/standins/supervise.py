# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Appended to _supervise.py: who holds a command sees an hour pass at once when file GPUWRIGHT_TEST_LATER is there."""

from __future__ import annotations

import os as _os
import time as _time
import types as _types

time = _types.SimpleNamespace(
    monotonic=lambda: _time.monotonic() + 3600 * _os.path.exists(_os.environ["GPUWRIGHT_TEST_LATER"]),
    sleep=_time.sleep, time=_time.time)
