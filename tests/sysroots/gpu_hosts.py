# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as a placement takes them: the fact of GPUs on sockets, with NVLink between all of them or none."""

from __future__ import annotations

H100 = "NVIDIA H100 80GB HBM3"


def gpu(index, socket, peers, name=H100, **more):
    """One GPU of the fact; `peers` are the indexes that it has NVLink to."""
    return dict({
        "index": index, "pci_address": "0000:%02x:00.0" % (index + 1), "vendor": "nvidia", "name": name,
        "memory": 80 << 30, "driver": "nvidia", "numa_node": socket, "mig": {"enabled": False, "devices": []},
        "link": {"max_speed": "32.0 GT/s PCIe", "width": 16},
        "links": {str(peer): "NV18" if peer in peers else "SYS" for peer in range(64) if peer != index
                  and (peer in peers or peer < 8)}}, **more)


def host(sockets, linked=True, **more):
    """A host whose sockets have so many GPUs each."""
    places = [socket for socket, count in enumerate(sockets) for _number in range(count)]
    peers = range(len(places)) if linked else ()
    return {"topology": {
        "schema": 1, "gpus": [gpu(index, socket, [peer for peer in peers if peer != index], **more)
                              for index, socket in enumerate(places)],
        "cpu": {"cores": [{"cpus": str(socket), "package": socket, "numa_node": socket}
                          for socket in range(len(sockets))]}}}
