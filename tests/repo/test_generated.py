# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/generate.py writes is current."""

from __future__ import annotations

import importlib.util


def test_generated_files_are_current(checkout):
    spec = importlib.util.spec_from_file_location("generate", checkout / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    texts = generate.generated()
    assert texts
    assert [name for name, text in texts.items() if (checkout / name).read_text() != text] == [], "run `make docs`"
