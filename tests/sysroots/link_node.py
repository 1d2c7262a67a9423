# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as a folder with network interfaces: eth0 to reach it by, two rails, a bond; ethtool and udev answer.

A stand-in: what ethtool says and refuses is worded as version 6.1 words it on a lab's host. It keeps its values in
files below /proc/ethtool.
"""

from __future__ import annotations

import json
import os
import pathlib

from tests.sysroots import plain_node
from tests.sysroots.plain_node import Kernel, put

NET = "/sys/class/net"
DEFAULT = "/usr/lib/systemd/network/99-default.link"
POLICY = ("[Match]\nOriginalName=*\n\n[Link]\nNamePolicy=keep kernel database onboard slot path\n"
          "AlternativeNamesPolicy=database onboard slot path\nMACAddressPolicy=persistent")
COPIED = POLICY.partition("[Link]\n")[2]
GROUPS = {"ring": {"rx": (1024, 8192), "tx": (1024, 8192)}, "channels": {"combined": (8, 63)},
          "coalesce": {"adaptive-rx": (1, None), "adaptive-tx": (0, None), "rx-usecs": (8, None),
                       "tx-usecs": (16, None), "rx-frames": (128, None), "tx-frames": (32, None)}}
ROUTE = ("Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
         "eth0\t00000000\t0202000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
         "eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0")
_HEADS = {"ring": "Ring parameters for %s:", "channels": "Channel parameters for %s:",
          "coalesce": "Coalesce parameters for %s:"}
_LETTERS = {"-g": "ring", "-l": "channels", "-c": "coalesce", "-G": "ring", "-L": "channels", "-C": "coalesce"}
_LABELS = {"rx": "RX", "tx": "TX", "combined": "Combined"}


def build(folder, groups=None, **changed):
    """Make the host below `folder`; `changed` as in plain_node, `groups` what ethtool knows of rails 1 and 2."""
    files = {DEFAULT: POLICY, "/proc/net/route": ROUTE}
    for number in range(3):
        files.update(_interface(number))
    root = plain_node.build(folder, **dict(files, **changed))
    (root / "etc/systemd/network").mkdir(parents=True, exist_ok=True)
    for number in range(3):
        name, address = "eth%d" % number, "0000:%02d:00.0" % (number + 1)
        device = "/sys/devices/pci0000:00/" + address
        (root / device[1:]).mkdir(parents=True, exist_ok=True)
        if (root / NET[1:] / name).is_dir():
            os.symlink("../../../devices/pci0000:00/" + address, root / NET[1:] / name / "device")
        for group, values in (groups or GROUPS).items():
            put(root, "/proc/ethtool/%s/%s" % (name, group), json.dumps(values))
    return root


def _interface(number, mac="0c:42:a1:00:00:%02x"):
    name, mac = "eth%d" % number, mac % number
    folder = "%s/%s" % (NET, name)
    known = {"ID_NET_NAME_MAC": "enx" + mac.replace(":", ""), "ID_PATH": "pci-0000:%02d:00.0" % (number + 1),
             "ID_NET_DRIVER": "mlx5_core", "ID_NET_LINK_FILE": DEFAULT, "ID_NET_NAME": name}
    return {folder + "/mtu": "1500", folder + "/address": mac, folder + "/addr_assign_type": "0", folder + "/type": "1",
            folder + "/name_assign_type": "4", folder + "/ifindex": str(number + 2),
            "/run/udev/data/n%d" % (number + 2): udev(known)}


def udev(known):
    """An entry of udev's database."""
    return "I:123\n" + "".join("E:%s=%s\n" % pair for pair in known.items()) + "G:systemd\nV:1"


def bond(root, name="bond0", ports=("eth1", "eth2")):
    """A bond over some of the interfaces."""
    put(root, "%s/%s/mtu" % (NET, name), "1500")
    for port in ports:
        (root / NET[1:] / name / ("lower_" + port)).mkdir()
        put(root, "%s/%s/bonding_slave/state" % (NET, port), "active")
        os.symlink("../" + name, root / NET[1:] / port / "master")


class Links(Kernel):
    """A host whose ethtool works; `asked` holds what it was told to change."""

    runs_commands = True

    def __init__(self, root, read_only=True, systemd="252 (252.22-1)"):
        super().__init__(root, read_only=read_only)
        self.systemd = systemd
        self.asked = []

    def write_value(self, path, text):
        """An MTU has its bounds."""
        if path.endswith("/mtu") and int(text) > 9978:
            raise OSError(22, "Invalid argument", path)
        super().write_value(path, text)

    def run(self, argv, seconds=10, changes=True):
        """ethtool, and udevadm --version."""
        if changes:
            self._may_change("running %s" % argv[0])
            self.asked.append(" ".join(argv))
        if argv == ["udevadm", "--version"]:
            return 0, self.systemd + "\n", ""
        if argv[0] != "ethtool":
            return super().run(argv, seconds, changes)
        place = pathlib.Path(self.root) / ("proc/ethtool/%s/%s" % (argv[2], _LETTERS[argv[1]]))
        if not (pathlib.Path(self.root) / NET[1:] / argv[2]).exists():
            return 1, "", "netlink error: no device matches name (offset 24)\nnetlink error: No such device\n"
        if not place.exists():
            return 1, "", "netlink error: Operation not supported\n"
        values = json.loads(place.read_text())
        if argv[1].isupper():
            return _set(place, values, argv[3:])
        return 0, _said(argv[2], _LETTERS[argv[1]], values), ""


def _set(place, values, words):
    for name, text in zip(words[::2], words[1::2]):
        number = {"on": 1, "off": 0}.get(text) if name.startswith("adaptive") else int(text)
        if name not in values:
            return 1, "", "netlink error: cannot modify an unsupported parameter (offset 36)\n" \
                          "netlink error: Invalid argument\n"
        most = values[name][1]
        if most is not None and number > most:
            return 81, "", "netlink error: requested ring size exceeds maximum (offset 36)\n" \
                           "netlink error: Invalid argument\n"
        values[name] = (number, most)
    place.write_text(json.dumps(values) + "\n")
    return 0, "", ""


def _said(device, group, values):
    lines = [_HEADS[group] % device]
    if group == "coalesce":
        words = {name: {1: "on", 0: "off"}[values[name][0]] if name in values else "n/a"
                 for name in ("adaptive-rx", "adaptive-tx")}
        lines.append("Adaptive RX: %(adaptive-rx)s  TX: %(adaptive-tx)s" % words)
        lines += ["%s: %s" % (name, pair[0]) for name, pair in values.items() if not name.startswith("adaptive")]
        return "\n".join(lines) + "\n"
    for at, head in ((1, "Pre-set maximums:"), (0, "Current hardware settings:")):
        lines += [head] + ["%s:\t\t%s" % (_LABELS[name], values[name][at] if name in values else "n/a")
                           for name in (("rx", "tx") if group == "ring" else ("rx", "tx", "combined"))]
    return "\n".join(lines) + "\n"
