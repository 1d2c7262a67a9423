# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the stand-in of vllm into a folder, as an environment of the real one has it: bin/vllm."""

from __future__ import annotations

import json
import pathlib

TOOL = pathlib.Path(__file__).with_name("engine_tool.py")


def install(folder, **world):
    """Returns the program's path; `world` is what engine_tool.py reads in standin.json."""
    program = pathlib.Path(folder) / "bin" / "vllm"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("#!/usr/bin/python3\n" + TOOL.read_text())
    program.chmod(0o755)
    (program.parent / "standin.json").write_text(json.dumps(world))
    return program
