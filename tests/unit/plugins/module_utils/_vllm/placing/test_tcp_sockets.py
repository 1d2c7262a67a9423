# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sockets bar an address and a port, by what the kernel of this machine says and refuses."""

from __future__ import annotations

import errno
import itertools
import os
import socket

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing import tcp_sockets

ADDRESSES = ("127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::", "::ffff:127.0.0.2")


def bound(address, port):
    """A socket that listens, or None where the kernel refuses it; without this address the machine has no say."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        sock.bind((address, port))
        sock.listen()
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return sock


@pytest.mark.parametrize(("there", "wanted"), list(itertools.product(ADDRESSES, ADDRESSES)))
def test_what_is_in_the_way_is_what_the_kernel_refuses(there, wanted):
    try:
        first = bound(there, 0)
    except OSError:
        assert ":" in there  # A machine without IPv6.
        return
    with first:
        port = first.getsockname()[1]
        try:
            second = bound(wanted, port)
        except OSError:
            assert ":" in wanted
            return
        if second:
            second.close()
        name = os.readlink("/proc/self/fd/%d" % first.fileno())
        assert (name in tcp_sockets.in_the_way(Host("/"), wanted, port)) is (second is None)


def test_a_name_may_be_any_address():
    with bound("127.0.0.2", 0) as first:
        port = first.getsockname()[1]
        assert len(tcp_sockets.in_the_way(Host("/"), "localhost", port)) == 1
        assert tcp_sockets.in_the_way(Host("/"), "10.0.0.1", port) == set()


def test_nobody_listens(tmp_path):
    assert tcp_sockets.in_the_way(Host(str(tmp_path)), "0.0.0.0", 8000) == set()
