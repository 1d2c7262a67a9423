# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines by their boot loaders, as folders: Debian's GRUB, the Red Hat family's, systemd-boot.

`Machine` stands in for their commands. What update-grub reads is read by a real shell, as grub-mkconfig reads it.
"""

from __future__ import annotations

import re
import subprocess

from tests.sysroots import plain_node

MKCONFIG = "for x in ${sysconfdir}/default/grub.d/*.cfg ; do\n  if [ -e \"${x}\" ]; then\n    . \"${x}\"\n  fi\ndone\n"
CPU = "/sys/devices/system/cpu/"
VERSIONS = ("6.1.0-55-amd64", "6.1.0-56-amd64")
DEFAULT = "GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n" \
          "GRUB_CMDLINE_LINUX=\"\"\n"
READ = ("set -e\nif test -f etc/default/grub; then . ./etc/default/grub; fi\n"
        "for x in ./etc/default/grub.d/*.cfg; do if [ -e \"$x\" ]; then . \"$x\"; fi; done\n"
        "printf '%s\\0%s' \"$GRUB_CMDLINE_LINUX\" \"$GRUB_CMDLINE_LINUX_DEFAULT\"\n")
ENTRY = """menuentry 'Debian, with Linux {v}' --class gnu-linux $menuentry_id_option 'gnulinux-{v}-{kind}-1b2c' {{
\tlinux\t/boot/vmlinuz-{v} root=UUID=1b2c ro {options}
\tinitrd\t/boot/initrd.img-{v}
}}
"""
OTHERS = """menuentry 'Memory test (memtest86+x64.bin)' {
\tlinux\t/boot/memtest86+x64.bin
}
menuentry 'Other system (on /dev/sdb2)' --class gnu-linux $menuentry_id_option 'osprober-gnulinux-simple-9f' {
\tlinux /boot/vmlinuz-5.10.0 root=/dev/sdb2 isolcpus=9
}
"""
BLS = """title Red Hat Enterprise Linux ({v}) 9.4 (Plow)
version {v}
linux /vmlinuz-{v}
initrd /initramfs-{v}.img $tuned_initrd
options {options}
grub_users $grub_users
grub_arg --unrestricted
grub_class kernel
"""


def put(root, path, text):
    """Write one file, byte for byte as it is given."""
    place = root / path[1:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode())


def read_by_a_shell(root):
    """(GRUB_CMDLINE_LINUX, GRUB_CMDLINE_LINUX_DEFAULT) as grub-mkconfig would come to have them."""
    done = subprocess.run(["/bin/sh", "-c", READ], cwd=root, check=True, capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin"})
    return done.stdout.split("\0")


def debian(folder, **files):
    """A machine with Debian's GRUB; `files` maps names below /etc/default to texts, None for none."""
    root = plain_node.build(folder)
    put(root, "/usr/sbin/grub-mkconfig", MKCONFIG)
    put(root, "/usr/sbin/update-grub", "#!/bin/sh\n")
    shell_files(root, dict({"grub": DEFAULT}, **files))
    put(root, "/boot/grub/grub.cfg", grub_cfg(root))
    boot(root)
    return root


def shell_files(root, texts):
    """The files that grub-mkconfig reads, and nothing else; a dict of names below /etc/default."""
    (root / "etc/default/grub.d").mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        if text is not None:
            put(root, "/etc/default/" + name, text)
    return root


def grub_cfg(root):
    """The file that grub-mkconfig would make."""
    always, default = read_by_a_shell(root)
    return "".join(ENTRY.format(v=version, kind=kind, options=options) for version in VERSIONS for kind, options in (
        ("advanced", "%s %s" % (always, default)), ("recovery", "single %s" % always))) + OTHERS


def boot(root):
    """What the kernel gets to see when the machine boots its newest kernel."""
    text = (root / "boot/grub/grub.cfg").read_text()
    line = re.search(r"\tlinux\t(/boot/vmlinuz-%s.*)" % VERSIONS[-1], text).group(1)
    put(root, "/proc/cmdline", "BOOT_IMAGE=" + line + "\n")
    for key, path, nothing in (("isolcpus", CPU + "isolated", ""), ("nohz_full", CPU + "nohz_full", "(null)")):
        if (root / path[1:]).exists():  # Of two the first counts.
            found = re.search(r" %s=(?:[a-z_]+,)*([0-9,-]+)" % key, line)
            put(root, path, found.group(1) if found else nothing)


def red_hat(folder, *options, **files):
    """A machine with entries of the Boot Loader Specification; `files` maps paths to texts."""
    root = plain_node.build(folder)
    put(root, "/usr/sbin/grubby", "#!/bin/bash\n")
    put(root, "/boot/grub2/grub.cfg", "insmod blscfg\nblscfg\n")
    put(root, "/boot/loader/entries/abc-0-rescue.conf", BLS.format(v="0-rescue-abc", options="root=/dev/sda1 ro"))
    for number, line in enumerate(options):
        version = "5.14.0-%d.el9.x86_64" % (400 + number)
        put(root, "/boot/loader/entries/abc-%s.conf" % version, BLS.format(v=version, options=line))
    for path, text in files.items():
        put(root, path, text)
    return root


def systemd_boot(folder, cmdline="root=UUID=1b2c ro quiet\n", versions=("6.8.0-1",)):
    """A machine with systemd-boot, whose entries kernel-install makes."""
    root = plain_node.build(folder)
    put(root, "/usr/bin/kernel-install", "#!/bin/sh\n")
    put(root, "/boot/loader/loader.conf", "timeout 3\n")
    for version in versions:
        put(root, "/usr/lib/modules/%s/vmlinuz" % version, "image")
        put(root, "/boot/loader/entries/abc-%s.conf" % version, "")
    if cmdline is not None:
        put(root, "/etc/kernel/cmdline", cmdline)
        for version in versions:
            kernel_install(root, version)
    return root


def kernel_install(root, version):
    """What 90-loaderentry.install makes."""
    options = " ".join((root / "etc/kernel/cmdline").read_text().split())
    put(root, "/boot/loader/entries/abc-%s.conf" % version,
        "title Debian\nversion %s\noptions %s\nlinux /abc/%s/linux\n" % (version, options, version))


def grubby(root, words):
    """What a grubby of today does with --update-kernel=ALL, --args and --remove-args."""
    assert words[0] == "--update-kernel=ALL"
    verb, _sign, argument = words[1].partition("=")
    key = argument.partition("=")[0]
    files = list((root / "boot/loader/entries").iterdir())
    for path in files + [root / "etc/default/grub", root / "boot/grub2/grubenv", root / "etc/kernel/cmdline"]:
        if path.exists():
            lines = path.read_text().split("\n")
            path.write_text("\n".join(_changed(path.name, line, verb, key, argument) for line in lines))


def _changed(name, line, verb, key, argument):
    """One line of a file, with the argument in it that grubby was given."""
    shapes = {"grub": r'(GRUB_CMDLINE_LINUX=")(.*)(")$', "grubenv": r"(kernelopts=)(.*)()$", "cmdline": r"()(.+)()$"}
    match = re.match(shapes.get(name, r"(options )(.*)()$"), line)
    if not match or "$kernelopts" in line:
        return line
    words = [word for word in match.group(2).split() if word.partition("=")[0] != key]
    return match.group(1) + " ".join(words + ([argument] if verb == "--args" else [])) + match.group(3)


class Machine(plain_node.Kernel):
    """A host whose boot loader's commands do what the real ones would; `ran` has what was started."""

    runs_commands = True
    fails = None

    def run(self, argv, seconds=10, changes=True):
        """Stand in for update-grub, grubby and kernel-install."""
        if changes:
            self._may_change("running %s" % argv[0])
        self.ran = getattr(self, "ran", []) + [argv]
        root = plain_node.pathlib.Path(self.root)
        name = argv[0].rpartition("/")[2]
        if self.fails == name:
            return 1, "", "%s: it does not work today\n" % name
        if name == "update-grub":
            put(root, "/boot/grub/grub.cfg", grub_cfg(root))
        elif name == "grubby":
            self.grubby(root, argv[1:])
        elif name == "kernel-install":
            kernel_install(root, argv[2])
        return 0, "", ""

    grubby = staticmethod(grubby)
