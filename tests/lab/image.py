# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the hosts' base image once and keeps it in the user's cache; a half-built one is never used."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import disk
import packages
import recipe
from console import LabError, as_root, run, say, step

BOOTSTRAP_LIMIT = 3600

# Turned into the shape in which a real host of this release leaves its installer; a later update-grub writes the same bytes.
SETTLE = "update-grub && systemctl mask -q systemd-random-seed.service && journalctl -q --rotate --vacuum-size=1K; : > /etc/machine-id"


def cache() -> Path:
    """The folder of all images and their logs, outside any checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "gpuwright" / "lab"


def folder() -> Path:
    """The folder of this recipe's image: base.raw, and key, the way in."""
    return cache() / recipe.digest()


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Holds a lock file; says so where another process has it."""
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that {what}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ready(first_boot: Callable[[Path, str], None]) -> Path:
    """The image's folder, built now if it is not there."""
    cache().mkdir(parents=True, exist_ok=True)
    with locked(cache() / "build.lock", "builds the image"):
        packages.install(cache() / "packages.log")
        if not folder().is_dir():
            build(first_boot)
    return folder()


def build(first_boot: Callable[[Path, str], None]) -> None:
    """Packages, disk and first boot in a folder of its own, which takes its real name at the very end."""
    for leftover in cache().glob("building-*"):
        run(as_root(["rm", "-rf", "--one-file-system", str(leftover)]), cache() / "packages.log", limit=600)
    work = Path(tempfile.mkdtemp(prefix="building-", dir=cache()))
    log, root = cache() / "build.log", work / "root"
    log.unlink(missing_ok=True)
    say(f"building the hosts' image once, 3 to 10 minutes (log: {log})")
    key = work / "key"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(key)], log, limit=60)
    with step("image 1/3, packages"):
        bootstrap(root, key.with_suffix(".pub").read_text(), work, log)
    with step("image 2/3, disk"):
        disk.prepare_grub(root, log)
        disk.build(root, work / "base.raw", log)
        shutil.copy(os.path.realpath(root / "vmlinuz"), work / "vmlinuz")
        run(as_root(["rm", "-rf", "--one-file-system", str(root)]), log, limit=600)
    with step("image 3/3, first boot"):
        first_boot(work, SETTLE)
    os.rename(work, folder())


def bootstrap(root: Path, public_key: str, work: Path, log: Path) -> None:
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
        *[f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.EXCLUDED], *[f"--aptopt={option}" for option in apt_options()],
        f'--essential-hook=cp -r --no-preserve=ownership "{early}/." "$1"',
        '--essential-hook=echo grub-pc grub-pc/install_devices_empty boolean true | chroot "$1" debconf-set-selections',
        f'--customize-hook=rm -f "$1"/etc/apt/sources.list.d/*; cp -r --no-preserve=ownership "{late}/." "$1"',
        f"--customize-hook={units}",
        this["VERSION_CODENAME"], str(root), *package_sources(),
    ]), log, limit=BOOTSTRAP_LIMIT)
    # Empty, not absent: a new identity at each host's first boot without the presets of a first boot.
    run(as_root(["sh", "-c", ': > "$1"/etc/machine-id; rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/resolv.conf', "sh", str(root)]),
        log, limit=60)


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
    found = [str(path) for path in places if path.suffix in (".list", ".sources") and code in path.read_text(errors="replace")]
    if not found:
        raise LabError(f"no package source of this machine names {code}")
    return found


def apt_options() -> list[str]:
    """How this machine reaches its package sources: proxies and the checks that are switched off."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout.splitlines()
    wanted = ("Acquire::http::", "Acquire::https::", "Acquire::Check-", "Acquire::ForceIPv4", "Acquire::Retries")
    return [line for line in dump if line.startswith(wanted) and '""' not in line]
