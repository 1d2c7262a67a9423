# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The presets of role vllm_service: what each says to vLLM.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

PRESETS = {"balanced": {}, "latency": {}, "throughput": {}}
