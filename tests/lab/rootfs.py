# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The root file system of a host, from the package sources that this machine itself uses."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import recipe
from console import LabError, as_root, run

LIMIT = 3600

# An empty machine-id, not none: a new identity at each host's first boot without the presets of a first boot.
AFTERWARDS = ': > "$1"/etc/machine-id; rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/resolv.conf'


def build(root: Path, public_key: str, work: Path, log: Path) -> None:
    """The root file system, from the package sources and with the proxy that this machine itself uses."""
    early, late = work / "early", work / "late"
    lay_out(early, recipe.EARLY_FILES)
    lay_out(late, {**recipe.FILES, "root/.ssh/authorized_keys": public_key})
    os.chmod(late / "root", 0o700)
    os.chmod(late / "root/.ssh", 0o700)
    this = recipe.release()
    units = "; ".join(
        f'systemctl --root "$1" {verb} -q {" ".join(names)}'
        for verb, names in (("mask", recipe.MASKED), ("disable", recipe.DISABLED), ("enable", recipe.ENABLED))
    )
    run(as_root([
        "mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", "--skip=check/empty",
        f"--include={','.join([*recipe.PACKAGES, recipe.KERNEL[this['ID']]])}",
        *[f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.EXCLUDED],
        *[f"--aptopt={option}" for option in apt_options()],
        f'--essential-hook=cp -r --no-preserve=ownership "{early}/." "$1"',
        '--essential-hook=echo grub-pc grub-pc/install_devices_empty boolean true | chroot "$1" debconf-set-selections',
        f'--customize-hook=rm -f "$1"/etc/apt/sources.list.d/*; cp -r --no-preserve=ownership "{late}/." "$1"',
        f"--customize-hook={units}",
        this["VERSION_CODENAME"], str(root), *package_sources(),
    ]), log, limit=LIMIT)
    run(as_root(["sh", "-c", AFTERWARDS, "sh", str(root)]), log, limit=60)


def lay_out(top: Path, files: dict[str, str]) -> None:
    """A folder with these files in it."""
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def package_sources() -> list[str]:
    """The files in which this machine's own package sources of its distribution stand."""
    places = sorted(Path("/etc/apt").glob("sources.list*/*")) + sorted(Path("/etc/apt").glob("sources.list"))
    code = recipe.release()["VERSION_CODENAME"]
    known = [path for path in places if path.suffix in (".list", ".sources")]
    found = [str(path) for path in known if code in path.read_text(errors="replace")]
    if not found:
        raise LabError(f"no package source of this machine names {code}")
    return found


def apt_options() -> list[str]:
    """How this machine reaches its package sources: proxies and the checks that are switched off."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout.splitlines()
    wanted = ("Acquire::http::", "Acquire::https::", "Acquire::Check-", "Acquire::ForceIPv4", "Acquire::Retries")
    return [line for line in dump if line.startswith(wanted) and '""' not in line]
