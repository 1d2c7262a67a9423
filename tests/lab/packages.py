# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs what this machine lacks for the lab, with its own package manager."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from console import LabError, NoLab, as_root, run, step
from recipe import KERNEL, TOOLS, release

APT_LIMIT = 1800


def missing() -> list[str]:
    """The packages that are not installed here."""
    return [package for package, path in TOOLS.items() if not Path(path).exists()]


def install(log: Path) -> None:
    """Makes every tool of the lab present; raises NoLab where that is impossible."""
    lacking = missing()
    if os.geteuid() != 0 and shutil.which("sudo") is None:
        raise NoLab("the virtual hosts need root (or sudo) on this machine")
    if release().get("ID") not in KERNEL or shutil.which("apt-get") is None:
        raise NoLab(f"the virtual hosts are built from Debian packages, and this machine has {release().get('ID')}")
    if not lacking:
        return
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing {' '.join(lacking)}"):
        run(as_root(["apt-get", "-q", "update"]), log, limit=APT_LIMIT, env=quiet)
        try:
            run(
                as_root(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "--no-install-recommends",
                         "-o", "DPkg::Lock::Timeout=600", "install", *lacking]), log, limit=APT_LIMIT,
            )
        except LabError as error:
            if "Unable to locate package" in str(error):
                raise NoLab(f"no package source of this machine has {' '.join(lacking)}") from error
            raise
