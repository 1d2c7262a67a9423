# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the hosts' base image once and keeps it in the user's cache; a half-built one is never used."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import disk
import packages
import recipe
import rootfs
from console import as_root, run, say, step


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


def tools() -> None:
    """Installs what the lab needs on this machine."""
    cache().mkdir(parents=True, exist_ok=True)
    with locked(cache() / "packages.lock", "installs packages"):
        packages.install(cache() / "packages.log")


def ready(first_boot: Callable[[Path, str], None]) -> Path:
    """The image's folder, built now if it is not there."""
    tools()
    with locked(cache() / "build.lock", "builds the image"):
        if not folder().is_dir():
            build(first_boot)
    return folder()


def build(first_boot: Callable[[Path, str], None]) -> None:
    """Packages, disk and first boot in a folder of its own, which takes its real name at the very end."""
    log, final = cache() / "build.log", folder()
    log.unlink(missing_ok=True)
    remove(list(cache().glob("building-*")), log)
    work = Path(tempfile.mkdtemp(prefix="building-", dir=cache()))
    root, key = work / "root", work / "key"
    say(f"building the hosts' image once, 3 to 10 minutes (log: {log})")
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(key)], log, limit=60)
    with step("image 1/3, packages"):
        rootfs.build(root, key.with_suffix(".pub").read_text(), work, log)
    with step("image 2/3, disk"):
        disk.prepare_grub(root, log)
        disk.build(root, work / "base.raw", log)
        shutil.copy(os.path.realpath(root / "vmlinuz"), work / "vmlinuz")
        remove([root, work / "early", work / "late"], log)
    with step("image 3/3, first boot"):
        first_boot(work, recipe.SETTLE)
    os.rename(work, final)


def remove(folders: list[Path], log: Path) -> None:
    """Removes folders whose files belong to root; what a killed build left mounted below them goes first."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in reversed([place for place in mounted if any(place.startswith(f"{top}/") for top in folders)]):
        run(as_root(["umount", place]), log, limit=60)
    run(as_root(["rm", "-rf", "--one-file-system", *map(str, folders)]), log, limit=600)
