# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that boots its own GRUB, made from a folder without partition devices, mounts or grub-install."""

from __future__ import annotations

import struct
from pathlib import Path

from console import as_root, run
from recipe import KERNEL_ARGUMENTS, ROOT_UUID

SECTOR = 512
CORE_SECTOR, ROOT_SECTOR = 2048, 4096
DISK_BYTES = 4 << 30
BACKUP_TABLE_BYTES = 1 << 20
MKE2FS_LIMIT = 1800

# Where the package has GRUB's parts.
PARTS = "usr/lib/grub/i386-pc"

# Where GRUB's own grub-setup writes: the core's sector in boot.img, the block list in the core's first sector.
BOOT_CODE_BYTES = 440
BOOT_CORE_SECTOR_AT = 0x5C
CORE_BLOCKLIST_AT = 0x1F4

# A fixed list, for mke2fs turns on features from one release to the next that GRUB cannot read.
EXT4_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,"
    "sparse_super,large_file,huge_file,dir_nlink,extra_isize"
)

FIRST_GRUB_CFG = f"""search --no-floppy --fs-uuid --set=root {ROOT_UUID}
linux /vmlinuz root=UUID={ROOT_UUID} ro {KERNEL_ARGUMENTS}
initrd /initrd.img
boot
"""


def prepare_grub(root: Path, log: Path) -> None:
    """GRUB's modules, core image and first menu in the folder that becomes the root file system."""
    grub = root / "boot/grub"
    modules = grub / "i386-pc"
    run(as_root(["mkdir", "-p", str(modules)]), log, limit=60)
    run(as_root(["sh", "-c", 'cp "$1"/*.mod "$1"/*.lst "$2"', "sh", str(root / PARTS), str(modules)]), log, limit=120)
    run(as_root(["chroot", str(root), "grub-mkimage", "-O", "i386-pc", "-p", "(hd0,gpt2)/boot/grub",
                 "-o", "/boot/grub/i386-pc/core.img", "biosdisk", "part_gpt", "ext2"]), log, limit=120)
    run(as_root(["sh", "-c", 'printf %s "$1" > "$2"', "sh", FIRST_GRUB_CFG, str(grub / "grub.cfg")]), log, limit=60)


def build(root: Path, disk: Path, log: Path) -> None:
    """The whole disk: partition table, root file system, boot sectors."""
    with disk.open("wb") as out:
        out.truncate(DISK_BYTES)
    run(["/sbin/sgdisk", "-a", "1", "-n", f"1:{CORE_SECTOR}:{ROOT_SECTOR - 1}", "-t", "1:ef02",
         "-n", f"2:{ROOT_SECTOR}:0", "-t", "2:8300", str(disk)], log, limit=120)
    size = (DISK_BYTES - ROOT_SECTOR * SECTOR - BACKUP_TABLE_BYTES) // 1024
    place = f"offset={ROOT_SECTOR * SECTOR},lazy_itable_init=0,lazy_journal_init=0"
    run(as_root(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-O", EXT4_FEATURES, "-U", ROOT_UUID, "-L", "lab",
                 "-d", str(root), "-E", place, str(disk), f"{size}k"]), log, limit=MKE2FS_LIMIT)
    embed(disk, (root / PARTS / "boot.img").read_bytes(), (root / "boot/grub/i386-pc/core.img").read_bytes())


def embed(disk: Path, boot: bytes, core: bytes) -> None:
    """What grub-setup does: the boot sector knows the core's sector, the core knows where the rest of it lies."""
    sectors = -(-len(core) // SECTOR)
    if sectors > ROOT_SECTOR - CORE_SECTOR:
        raise ValueError(f"GRUB's core image has {sectors} sectors, more than its partition")
    first = bytearray(boot[:BOOT_CODE_BYTES])
    struct.pack_into("<Q", first, BOOT_CORE_SECTOR_AT, CORE_SECTOR)
    rest = bytearray(core)
    struct.pack_into("<QH", rest, CORE_BLOCKLIST_AT, CORE_SECTOR + 1, sectors - 1)
    with disk.open("r+b") as out:
        out.write(first)
        out.seek(CORE_SECTOR * SECTOR)
        out.write(rest)
