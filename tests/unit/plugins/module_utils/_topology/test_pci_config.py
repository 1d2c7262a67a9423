# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration space: real functions as lspci dumped them, against what lspci itself said of the same bytes."""

from __future__ import annotations

import pathlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import pci_config

from tests.sysroots import sysfs

CAPTURES = pathlib.Path(__file__).parents[4] / "captures/pciutils"
_ROW = re.compile(r"^([0-9a-f]{2,3}): ((?:[0-9a-f]{2} ?){16})$", re.MULTILINE)
_LINE = re.compile(r"^[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] ", re.MULTILINE)
_BITS = ("SrcValid", "TransBlk", "ReqRedir", "CmpltRedir", "UpstreamFwd", "EgressCtrl", "DirectTrans")
_PORTS = {"Root Port": 4, "Endpoint": 0, "Upstream Port": 5, "Downstream Port": 6}


def functions():
    """(name, the words of lspci, the bytes) of every function in the captures."""
    for place in sorted(CAPTURES.glob("*.txt")):
        text = place.read_text(encoding="utf-8")
        starts = [match.start() for match in _LINE.finditer(text)] + [len(text)]
        for start, end in zip(starts, starts[1:]):
            config = bytearray(4096)
            for offset, row in _ROW.findall(text[start:end]):
                config[int(offset, 16):int(offset, 16) + 16] = bytes.fromhex(row)
            yield "%s %s" % (place.stem, text[start:start + 7]), text[start:end], bytes(config)


FUNCTIONS = list(functions())


def test_the_captures_are_there():
    assert len(FUNCTIONS) == 5


@pytest.mark.parametrize(("name", "words", "config"), FUNCTIONS, ids=[each[0] for each in FUNCTIONS])
def test_it_says_what_lspci_says(name, words, config):
    found = pci_config.facts(config)
    assert found["port_type"] == _PORTS[re.search(r"Express \(v2\) ([A-Z]\w+(?: Port)?)", words).group(1)]
    sizes = re.search(r"MaxPayload (\d+) bytes, MaxReadReq (\d+) bytes", words)
    assert (found["max_payload"], found["max_read_request"]) == tuple(map(int, sizes.groups()))
    assert found["max_payload_supported"] == int(re.search(r"DevCap:\s+MaxPayload (\d+) bytes", words).group(1))
    aspm = re.search(r"LnkCtl:\s+ASPM (.*?)(?: Enabled)?;", words).group(1)
    assert found["aspm"] == ("" if aspm == "Disabled" else aspm)
    control = re.search(r"ACSCtl:(.*)", words)
    if control is None:
        assert found["acs"] is None
    else:
        on = {bit.rstrip("+") for bit in control.group(1).split() if bit.endswith("+")}
        assert found["acs"] == sum(1 << number for number, bit in enumerate(_BITS) if bit in on)


def test_resizable_bars_and_what_is_not_there():
    found = pci_config.facts(sysfs.config_space(4, 6, 128, 4096, 3, 1 << 17))
    assert found["resizable"] == {1: [256 << 20, 128 << 30]}
    assert (found["max_read_request"], found["aspm"], found["ats"]) == (4096, "L0s L1", None)
    assert pci_config.facts(bytes(4096)) == {
        "port_type": None, "max_payload": None, "max_payload_supported": None, "max_read_request": None,
        "aspm": None, "acs": None, "ats": None, "resizable": {}}


@pytest.mark.parametrize(("control", "on"), [(0x8000, True), (0x0005, False)])
def test_ats(control, on):
    space = bytearray(sysfs.config_space(None, 0))
    space[0x100:0x104] = (0x000F | 1 << 16).to_bytes(4, "little")
    space[0x106:0x108] = control.to_bytes(2, "little")
    assert pci_config.facts(bytes(space))["ats"] is on


def test_a_list_of_capabilities_that_bites_its_tail_ends():
    space = bytearray(4096)
    space[6], space[0x34] = 0x10, 0x40
    space[0x40:0x42] = bytes((0x01, 0x40))
    space[0x100:0x104] = (0x0001 | 0x100 << 20).to_bytes(4, "little")
    assert pci_config.capability(bytes(space), 0x10) is None
    assert pci_config.capability(bytes(space), 0x01) == 0x40
    assert pci_config.extended_capability(bytes(space), 0x000D) is None
    assert pci_config.extended_capability(bytes(space), 0x0001) == 0x100
    for config in (b"\xff" * 4096, bytes(4096), sysfs.config_space(None), bytes(256)):
        assert pci_config.acs_control(config) is None


@given(st.binary(min_size=0, max_size=600))
def test_no_bytes_make_it_fail(config):
    assert "port_type" in pci_config.facts(config + bytes(max(0, 66 - len(config))))


@given(st.integers(0, 0xFFFF), st.sampled_from((128, 256, 512, 1024, 2048, 4096)))
def test_of_a_control_word_only_the_field_changes(control, size):
    changed = pci_config.with_field(control, pci_config.READ_REQUEST, size)
    assert pci_config.field(changed, pci_config.READ_REQUEST) == size
    assert changed & ~0x7000 == control & ~0x7000 and 0 <= changed <= 0xFFFF


def test_without_root_there_are_64_bytes_and_it_is_said(tmp_path):
    sysfs.write(tmp_path, "sys/bus/pci/devices/0000:17:00.0/config", sysfs.config_space(4, 6)[:64])
    host = Host(str(tmp_path))
    with pytest.raises(OSError, match="takes root"):
        pci_config.read(host, pci_config.path("0000:17:00.0"))
    assert pci_config.describe(host, "0000:17:00.0") is None
    assert host.notes == [
        "/sys/bus/pci/devices/0000:17:00.0/config: configuration space beyond its first 64 bytes takes root"]


def test_memory_windows(tmp_path):
    sysfs.write(tmp_path, "sys/bus/pci/devices/0000:17:00.0/resource", sysfs.window(1 << 24, 0, 1 << 37))
    assert pci_config.bars(Host(str(tmp_path)), "0000:17:00.0") == {0: 1 << 24, 2: 1 << 37}
    assert pci_config.bars(Host(str(tmp_path)), "0000:18:00.0") == {}
