# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the image of a virtual host: packages, files, units; its hash names the cached image."""

from __future__ import annotations

import hashlib
from pathlib import Path

# What this machine needs to build the image and to run hosts: package, and a file that shows it is installed.
TOOLS = {
    "qemu-system-x86": "/usr/bin/qemu-system-x86_64",
    "qemu-utils": "/usr/bin/qemu-img",
    "mmdebstrap": "/usr/bin/mmdebstrap",
    "e2fsprogs": "/sbin/mke2fs",
    "gdisk": "/sbin/sgdisk",
    "openssh-client": "/usr/bin/ssh",
}

KERNEL = {"debian": "linux-image-amd64", "ubuntu": "linux-image-generic"}

PACKAGES = [
    "systemd", "systemd-sysv", "dbus", "udev", "openssh-server", "python3", "grub-pc", "initramfs-tools", "zstd",
    "iproute2", "rdma-core", "ibverbs-utils", "numactl", "kmod", "procps", "pciutils", "ethtool", "nvme-cli",
    "irqbalance", "tuned", "strace", "e2fsprogs",
]

# Left out of the image: nothing here reads them, and they are half of its size.
EXCLUDED = [
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*",
    "/lib/modules/*/kernel/sound/*", "/lib/modules/*/kernel/drivers/media/*", "/lib/modules/*/kernel/drivers/gpu/*",
    "/lib/modules/*/kernel/drivers/net/wireless/*", "/lib/modules/*/kernel/drivers/staging/*",
]

# Things that a test host does not need, or that change files and values behind a test's back.
MASKED = [
    "apt-daily.timer", "apt-daily-upgrade.timer", "man-db.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "logrotate.timer", "systemd-networkd-wait-online.service",
    "systemd-pstore.service", "systemd-timesyncd.service", "getty@tty1.service", "serial-getty@ttyS0.service",
    "systemd-tmpfiles-clean.timer",
]
DISABLED = ["tuned.service"]
ENABLED = ["systemd-networkd.service", "ssh.service", "irqbalance.service"]

ROOT_UUID = "6b1c8a52-6f0e-4f0b-9d0a-3d0d4c8d7a11"
KERNEL_ARGUMENTS = "console=ttyS0 net.ifnames=0"

FILES = {
    "etc/fstab": f"UUID={ROOT_UUID} / ext4 errors=remount-ro,noatime 0 0\n",
    "etc/hostname": "lab\n",
    "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "etc/systemd/network/10-lab.network": (
        "[Match]\nName=eth0\n\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nDNS=10.0.2.3\nLinkLocalAddressing=no\n"
    ),
    "etc/ssh/sshd_config.d/lab.conf": "PermitRootLogin prohibit-password\nUseDNS no\nPrintMotd no\n",
    "etc/default/grub.d/10-lab.cfg": (
        f'GRUB_TIMEOUT=0\nGRUB_DISABLE_OS_PROBER=true\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX="{KERNEL_ARGUMENTS}"\n'
    ),
    "etc/apt/sources.list": "# The lab's hosts install nothing: what they need is in the image.\n",
}

# Written before the packages come, so that the first initramfs is already the small one.
EARLY_FILES = {
    "etc/initramfs-tools/conf.d/lab": "MODULES=list\nFSTYPE=ext4\nRESUME=none\nCOMPRESS=zstd\nCOMPRESSLEVEL=3\n",
    "usr/share/initramfs-tools/modules.d/lab": "virtio_pci\nvirtio_blk\next4\ncrc32c_generic\n",
}

# The shape in which an installer leaves a real host: a later update-grub writes the same bytes. The identity goes.
SETTLE = "update-grub && journalctl -q --rotate && journalctl -q --vacuum-size=1K; : > /etc/machine-id; sync"


def release() -> dict[str, str]:
    """The distribution of this machine, which is that of the image, for it comes from the same package source."""
    lines = Path("/etc/os-release").read_text().splitlines()
    return {key: value.strip('"') for key, _sign, value in (line.partition("=") for line in lines)}


def digest() -> str:
    """The name of the image that this recipe makes."""
    here = Path(__file__).parent
    text = "".join((here / name).read_text() for name in ("recipe.py", "rootfs.py", "disk.py"))
    return hashlib.sha256((text + release()["VERSION_CODENAME"]).encode()).hexdigest()[:16]
