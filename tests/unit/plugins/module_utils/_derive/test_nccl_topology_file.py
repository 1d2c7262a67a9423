# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NCCL's own reading of a topology file: all real files, and what is XML and yet nothing that NCCL takes.

Each verdict here was compared with that of NCCL's own reader, src/graph/xml.cc of 2.30, compiled by itself.
"""

from __future__ import annotations

import json
import pathlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_topology_file as reader

FOLDER = pathlib.Path(__file__).resolve().parents[4] / "captures" / "nccl-topo-xml"
CASES = sorted(path.parent for path in FOLDER.glob("*/topo.xml"))
PLAIN = '<system version="1">\n  <cpu numaid="0">\n    <pci busid="0000:01:00.0"/>\n  </cpu>\n</system>\n'


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_real_files_are_read(case):
    facts = json.loads((case / "expected.json").read_text())["facts"]
    system = reader.read((case / "topo.xml").read_text())
    told = {device["address"]: device for device in reader.devices(system)}
    gpus = {one["busid"]: one for one in facts["gpus"]}
    assert {address for address, device in told.items() if reader.is_gpu(device)} == set(gpus)
    assert {one["busid"] for one in facts["nets"] if one["busid"]} <= set(told)
    for address, gpu in gpus.items():
        assert told[address]["numa_node"] == gpu["numaid"]
        above = [step for step in gpu["pci_path_up"] if step != address]
        assert sorted(told[address]["bridges"]) == sorted(above)
    assert [cpu["attributes"]["numaid"] for cpu in system["children"]] == [cpu["numaid"] for cpu in facts["cpus"]]


def test_all_real_files_are_there():
    assert len(CASES) >= 49


@pytest.mark.parametrize("text", [
    PLAIN, PLAIN.replace('"', "'"), PLAIN.replace("\n", "\r\n"), PLAIN.replace("\n", ""), "<!-- a > b -->\n" + PLAIN,
    PLAIN.replace("<pci ", "<!----><!-- <cpu numaid='0'> --><pci "), PLAIN.replace("/>", " />"),
    PLAIN.replace("<pci busid", "<pci  busid"), PLAIN.replace('"1"', '"0x1"'),
    PLAIN.replace('"1"', '"1.0"'),
    PLAIN.replace("0000:01:00.0", "y" * 253), PLAIN.replace('version="1"', 'version="2"'),
    PLAIN.replace("/>", '><gpu dev="0"><xgmi target="a"/></gpu></pci>')])
def test_what_nccl_takes(text):
    system = reader.read(text)
    assert len(reader.devices(system)) == 1
    assert reader.devices(system)[0]["numa_node"] == "0"


@pytest.mark.parametrize("text, words", [
    ('<?xml version="1.0"?>\n' + PLAIN, "line 1: a declaration, <?xml: NCCL takes none"),
    ('<?xml version="1.0" encoding="UTF-8" ?>\n' + PLAIN, "line 1: a declaration"),
    (PLAIN.replace("    <pci", "\t<pci"), "line 3: a tab where an element must begin"),
    (PLAIN.replace("<pci busid", "<pci\tbusid"), "line 3: = in the name pci\tbusid="),
    (PLAIN.replace('"0">', '"0"\t>'), "line 2: a tab inside <cpu, whose attributes must be in one line"),
    (PLAIN.replace('"0">', '"0"\n  arch="x86_64">'), "line 2: the end of the line inside <cpu"),
    (PLAIN.replace("</cpu>", "</cpu >"), "line 4: ' ' after the name in </cpu"),
    (PLAIN.replace("</cpu>", "</gpu>"), "line 4: </gpu> ends <cpu>"),
    (PLAIN.replace("  </cpu>\n", ""), "line 4: </system> ends <cpu>"),
    (PLAIN.replace("</system>", ""), "<system> has no end"), (PLAIN + "</system>", "</system> ends nothing"),
    (PLAIN.replace('"0"', "0"), "line 2: a value without quotes"), (PLAIN[:60], "line 3: it ends too early"),
    (PLAIN.replace("/>", "/>words"), "line 3: 'w' where an element must begin"),
    (PLAIN.replace("0000:01:00.0", "y" * 254), "line 3: a value of more than 253 letters"),
    (PLAIN.replace("busid", "b" * 255), "line 3: a name of more than 253 letters"),
    ("<!-- never ends\n" + PLAIN, "a comment has no end"),
    ("<!--a=b -->\n" + PLAIN, "line 1: = in the name !--a="),
    (PLAIN.replace('version="1"', 'version="3"'), '<system> has the version 3: NCCL reads "1", RCCL "2"'),
    (PLAIN.replace(' version="1"', ""), "<system> has the version none"),
    (PLAIN.replace('version="1"', 'version="one"'), "<system> has the version one"),
    (PLAIN.replace("    <pci", '<pci busid="0000:02:00.0"/>\n' * 253 + "    <pci"), "it has 256 elements"),
])
def test_what_nccl_does_not_take(text, words):
    with pytest.raises(ValueError) as error:
        reader.read(text)
    assert words in str(error.value)


def test_just_as_much_as_fits():
    """NCCL has places for 256, and needs one to read the last end."""
    text = PLAIN.replace("    <pci", '<pci busid="0000:02:00.0"/>\n' * 252 + "    <pci")
    assert len(reader.devices(reader.read(text))) == 253


@pytest.mark.parametrize("text", ["", "\n \n", "<!-- nothing -->", '<graphs version="1"/>'])
def test_a_file_may_say_nothing(text):
    assert reader.read(text) is None and reader.devices(None) == []
