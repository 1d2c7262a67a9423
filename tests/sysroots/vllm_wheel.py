# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny stand-in of vLLM's wheel: the distribution `vllm` of any version, whose program says one."""

from __future__ import annotations

import zipfile

_PROGRAM = '''import sys


def main():
    """What `vllm --version` prints."""
    print("a warning of some library", file=sys.stderr)
    print(%r)
'''


def build(folder, version, says=None, python=">=3.9"):
    """Write the wheel into a folder, which then serves pip's --find-links; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    info = "vllm-%s.dist-info" % version
    files = {
        "vllm/__init__.py": _PROGRAM % (says or version),
        info + "/METADATA": "Metadata-Version: 2.1\nName: vllm\nVersion: %s\nRequires-Python: %s\n" % (version, python),
        info + "/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        info + "/entry_points.txt": "[console_scripts]\nvllm = vllm:main\n"}
    files[info + "/RECORD"] = "".join("%s,,\n" % name for name in list(files) + [info + "/RECORD"])
    with zipfile.ZipFile(folder / ("vllm-%s-py3-none-any.whl" % version), "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return folder
