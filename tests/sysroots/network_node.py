# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as a folder with what role network changes: sockets, files, rails, and an ip(8), a tc(8) and an nft(8).

A stand-in: its policy routing answers as iproute2 6.1 was seen to, on a file. tests/unit has the real one too, in a
network namespace (namespace.py). A key that takes the name of a module answers ENOENT where there is none, as kernels
do, and TCP's triples are refused as a whole below their least.
"""

from __future__ import annotations

import errno
import ipaddress
import json
import os

from tests.sysroots import plain_node, service_node
from tests.sysroots.service_node import MODULES, Services

STATE = "/run/stand-in-ip.json"
RAILS = {"rail0": ["10.0.0.1/16", "fd00::1/64"], "rail1": ["10.0.0.2/16"], "storage0": ["10.1.0.1/24"]}
SYSCTLS = {
    "fs/file-max": "9223372036854775807", "fs/nr_open": "524288", "net/core/rmem_max": "212992",
    "net/core/wmem_max": "212992", "net/ipv4/tcp_rmem": "4096\t131072\t6291456",
    "net/ipv4/tcp_wmem": "4096\t16384\t4194304", "net/core/netdev_max_backlog": "1000", "net/core/somaxconn": "128",
    "net/ipv4/tcp_max_syn_backlog": "512", "net/core/default_qdisc": "pfifo_fast",
    "net/ipv4/tcp_congestion_control": "cubic", "net/ipv4/tcp_available_congestion_control": "reno cubic",
    "net/ipv4/ip_local_port_range": "32768\t60999", "net/ipv4/ip_local_reserved_ports": "",
    "net/ipv4/conf/all/rp_filter": "0"}
VALUES = {
    "fs.nr_open": 1048576, "LimitNOFILE": 1048576, "net.core.rmem_max": 67108864, "net.core.wmem_max": 67108864,
    "net.ipv4.tcp_rmem": "4096 131072 67108864", "net.ipv4.tcp_wmem": [4096, 65536, 67108864],
    "net.core.netdev_max_backlog": 10000, "net.core.somaxconn": 4096, "net.ipv4.tcp_max_syn_backlog": 4096,
    "net.core.default_qdisc": "fq", "tcp_bbr": "loaded", "net.ipv4.tcp_congestion_control": "bbr",
    "net/napi_defer_hard_irqs": 2, "net/gro_flush_timeout": {"rail0": 200000},
    "net.ipv4.conf.{device}.arp_ignore": 1, "net.ipv4.conf.{device}.arp_announce": 2,
    "net.ipv4.conf.{device}.rp_filter": 2,
    "rail/route": {"rail0": "table 52001 via 10.0.255.254 via fd00::fe", "rail1": 52002}}
OPTIONS = {"network_workload": "inference", "network_internet_facing": True, "network_rails": ["rail0", "rail1"],
           "network_interfaces": ["rail0"], "network_limit_services": ["docker.service", "slurmd.service"]}


def build(folder, **changed):
    """Make the host below `folder`; `changed` as in plain_node."""
    files = {"/proc/sys/" + key: value for key, value in SYSCTLS.items()}
    for name in RAILS:
        for key in ("arp_ignore", "arp_announce", "rp_filter"):
            files["/proc/sys/net/ipv4/conf/%s/%s" % (name, key)] = "0"
        for key in ("napi_defer_hard_irqs", "gro_flush_timeout"):
            files["/sys/class/net/%s/%s" % (name, key)] = "0"
        files["/sys/class/net/%s/device/vendor" % name] = "0x15b3"
    files[MODULES + "modules.dep"] = "kernel/net/ipv4/tcp_bbr.ko.xz:\nkernel/net/sched/sch_fq.ko.xz:"
    files["/sys/module/nf_tables/initstate"] = "live"
    files["/proc/net/softnet_stat"] = "00001f40 00000000 00000000 00000000"
    files[STATE] = json.dumps({"addresses": RAILS, "rules": [], "routes": [], "down": []})
    root = service_node.build(folder, **dict(files, **changed))
    (root / "sys/module").mkdir(parents=True, exist_ok=True)
    for name in ("modules-load.d", "sysctl.d", "udev/rules.d"):
        (root / "etc" / name).mkdir(parents=True, exist_ok=True)
    return root


def state(root, **changed):
    """The policy routing, read or changed."""
    place = root / STATE[1:]
    found = json.loads(place.read_text())
    if changed:
        plain_node.put(root, STATE, json.dumps(dict(found, **changed)))
    return dict(found, **changed)


class Network(Services):
    """A host whose ip, tc and nft answer; `answers` holds what the latter two say."""

    answers = {"tc": "[]", "nft": "{}"}

    def write_value(self, path, text):
        """As a kernel: names need a module, a triple its least."""
        if path.endswith(("/default_qdisc", "/tcp_congestion_control")):
            prefix = "sch_" if path.endswith("qdisc") else "tcp_"
            known = self.read(MODULES + "modules.builtin") + self.read(MODULES + "modules.dep")
            if prefix + text + ".ko" not in known and text not in ("reno", "pfifo_fast"):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if path.endswith("mem") and int(text.split()[0]) < 4096 or path.endswith("fs/nr_open") and int(text) < 64:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        super().write_value(path, "\t".join(text.split()))

    def run(self, argv, seconds=10, changes=True):
        """Carry out what the role asks of these commands; the rest as Services."""
        if argv[0] not in ("ip", "tc", "nft"):
            return super().run(argv, seconds, changes)
        if changes:
            self._may_change("running %s" % argv[0])
            self.asked.append(" ".join(argv))
        if argv[0] in self.answers:
            return 0, self.answers[argv[0]], ""
        return _ip(self, [word for word in argv[1:] if word not in ("-N", "-j", "-4", "-6")], "-6" in argv)


def _ip(host, words, six):
    found = json.loads(host.read(STATE))
    if words[:2] == ["address", "show"]:
        return 0, json.dumps([{
            "ifname": name, "flags": [] if name in found["down"] else ["UP"], "addr_info": [
                {"local": one.split("/")[0], "prefixlen": int(one.split("/")[1]), "scope": "global"} for one in given]}
            for name, given in found["addresses"].items()]), ""
    what = words[0] + "s"
    mine = [one for one in found[what] if one["six"] == six]
    if words[1] == "show":
        return 0, json.dumps(_shown(mine, words[2:])), ""
    given = dict(zip(words[2::2], words[3::2])) if what == "rules" else dict(zip(words[3::2], words[4::2]))
    one = {"protocol": given["protocol"], "table": given["table"], "six": six}
    one.update({"priority": int(given["priority"]), "src": given["from"]} if what == "rules" else
               {"dst": _destination(words[2]), "dev": given["dev"]})
    if "via" in given:
        one["gateway"] = given["via"]
    if words[1] == "del" and one not in found[what]:
        return 2, "", "RTNETLINK answers: No such process\n"
    rest = [item for item in found[what] if item != one]
    host.write_file(STATE, json.dumps(dict(found, **{what: rest if words[1] == "del" else rest + [one]})).encode()
                    + b"\n")
    return 0, "", ""


def _destination(text):
    return text if ipaddress.ip_network(text).prefixlen else "default"


def _shown(found, asked):
    """Routes as ip shows them: what was asked for is left out of them."""
    wanted = dict(zip(asked[::2], asked[1::2]))
    found = [one for one in found if wanted.get("table", "all") in ("all", one["table"])
             and wanted.get("proto", one.get("protocol")) == one.get("protocol")]
    hidden = {"six", "protocol"} if "proto" in wanted else {"six"}
    hidden |= {"table"} if wanted.get("table", "all") != "all" else set()
    return [{key: value for key, value in one.items() if key not in hidden} for one in found]
