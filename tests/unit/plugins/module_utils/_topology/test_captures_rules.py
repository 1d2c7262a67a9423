# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of every role looks at every captured machine and every tree of an NCCL file, and says something whole.

A capture dropped into tests/captures becomes a test.
"""

from __future__ import annotations

import shutil
import types

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._derive import rdma_rails, traffic_class
from ansible_collections.gpuwright.node.plugins.module_utils._guard import View
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES
from ansible_collections.gpuwright.node.plugins.module_utils._topology import kfd, node

from .conftest import archives, unpack
from tests.conftest import CHECKOUT
from tests.sysroots import nccl_tree

FOLDER = CHECKOUT / "tests/captures"
MACHINES = sorted(path for path in (FOLDER / "fsroot").glob("*/*") if path.is_dir())
TREES = sorted(FOLDER.glob("nccl-topo-xml/*/topo.xml"))
KFD = sorted((FOLDER / "rocm-kfd").iterdir())


def options_of(role, fact):
    """The role's options as its defaults have them: those that are templates as the filters fill them in, or none."""
    given = yaml.safe_load((CHECKOUT / "roles" / role / "defaults/main.yml").read_text())
    derived = {"rdma_roce_interfaces": rdma_rails.roce_interfaces(fact),
               "rdma_roce_rdma_devices": rdma_rails.roce_devices(fact),
               "rdma_roce_class": traffic_class.traffic_class(fact), "gpudirect_expected": True}
    return {one["name"]: derived.get(one["name"], None if "{{" in str(given.get(one["name"])) else given.get(
        one["name"])) for one in ROLES[role].OPTIONS}


def findings(root):
    """What all rules find on a machine of which nothing is asked; it must be read without a note on a defect."""
    fact = node.read_topology(Host(str(root)))
    found = []
    for role, catalogue in ROLES.items():
        plan = types.SimpleNamespace(steps=[], host=Host(str(root)), journal={"entries": {}})
        view = View(plan, options_of(role, fact))
        for rule in catalogue.RULES:
            found += rule(view)
        if hasattr(catalogue, "withhold"):
            told = catalogue.withhold(view, view.options, {row.name: "bbr" for row in catalogue.ROWS})
            assert all(told.values()) and set(told) <= {row.name for row in catalogue.ROWS}
        assert not [note for note in plan.host.notes if "could not be read: " in note]
    return found


def check(found):
    """Each finding is of a known form, and no value that is missing got into its sentence."""
    for one in found:
        assert set(one) == {"rule", "severity", "setting", "message"} and one["severity"] in "EWI"
        assert "None" not in one["message"] and "  " not in one["message"], one


@pytest.mark.parametrize("folder", MACHINES, ids=lambda path: path.name)
def test_a_captured_machine(folder, capture):
    found = findings(capture(folder))
    check(found)
    assert [one for one in found if one["severity"] == "E"] == []


@pytest.mark.parametrize("path", TREES, ids=lambda path: path.parent.name)
def test_a_machine_of_an_nccl_file(path, tmp_path):
    found = findings(nccl_tree.build(tmp_path, path.read_text()))
    shutil.rmtree(tmp_path)
    check(found)
    # The file knows no addresses, and the tree that is built from it has the one GID of a port without any.
    assert {one["rule"] for one in found if one["severity"] != "I"} <= {"R13", "R14", "gpu-rail", "gid"}


@pytest.mark.parametrize("folder", KFD, ids=lambda path: path.name)
def test_a_kfd_folder(folder, tmp_path):
    for archive in archives(folder):
        unpack(archive, tmp_path / "unpacked")
    nodes = min((tmp_path / "unpacked").rglob("nodes"), key=lambda path: len(path.parts))
    place = tmp_path / "root" / kfd.NODES.lstrip("/")
    place.parent.mkdir(parents=True)
    nodes.rename(place)
    found = findings(tmp_path / "root")
    check(found)
    assert [one for one in found if one["severity"] != "I"] == []


def test_the_captures_of_the_repository_are_found():
    assert [len(found) >= least for found, least in ((MACHINES, 30), (TREES, 40), (KFD, 2))] == [True] * 3
