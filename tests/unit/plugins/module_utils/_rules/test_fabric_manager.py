# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of rule R28: the daemons of NVLink fabrics are here, of the driver's version, and the fabric is up."""

from __future__ import annotations

import pytest

from tests.sysroots import plain_node
from tests.sysroots.pci_node import build, findings

FABRIC = "<fabric><state>%s</state><status>Success</status><clusterUuid>%s</clusterUuid></fabric>"
ALONE, DOMAIN = "00000000-0000-0000-0000-000000000000", "7b1c5b6e-0000-4000-8000-000000000001"
XML = "gpuwright/nvidia-smi.xml"


def joined(root, state, cluster):
    """Every GPU says this of its fabric; there is no NVSwitch on the host's own PCI, as from Blackwell on."""
    text = (root / XML).read_text()
    (root / XML).write_text(text.replace("</gpu>", FABRIC % (state, cluster) + "</gpu>"))
    for number in range(4, 8):
        (root / ("sys/bus/pci/devices/0000:%02x:00.0" % number)).unlink()


def test_r28_another_version(tmp_path):
    assert findings(build(tmp_path, "fabric_mismatch"))["R28"] == [(
        "E", "nvidia-fabricmanager is version 570.172.08 and the driver 580.105.08: install nvidia-fabricmanager "
        "580.105.08, and hold both packages together")]


def test_r28_none_at_all(tmp_path):
    root = build(tmp_path, **{"/var/lib/dpkg/status": "Package: nvidia-fabricmanager-580\n"
                              "Status: deinstall ok config-files\nVersion: 580.105.08-1\n"})
    (severity, message), = findings(root)["R28"]
    assert severity == "E" and "is not installed, and without it CUDA does not start" in message


@pytest.mark.parametrize("how", ["container", "virtual machine"])
def test_r28_a_daemon_that_works_from_elsewhere_is_not_missed(tmp_path, how):
    root = build(tmp_path, **{"/var/lib/dpkg/status": ""})
    if how == "container":
        plain_node.process(root, 71, "nv-fabricmanage")
    else:
        joined(root, "Completed", ALONE)
    assert "R28" not in findings(root)


def test_r28_before_there_is_a_driver_no_version_is_asked_for(tmp_path):
    root = build(tmp_path, **{"/var/lib/dpkg/status": ""})
    (root / "proc/driver/nvidia/version").unlink()
    assert "R28" not in findings(root)


@pytest.mark.parametrize("state, found", [("Completed", []), ("In Progress", ["E"]), ("Not Started", ["E"])])
def test_r28_the_fabrics_state(tmp_path, state, found):
    root = build(tmp_path)
    joined(root, state, ALONE)
    told = findings(root).get("R28", [])
    assert [one[0] for one in told] == found
    assert all("journalctl -u nvidia-fabricmanager" in one[1] for one in told)


def test_r28_a_domain_of_several_nodes_needs_imex(tmp_path):
    root = build(tmp_path, "fabric_mismatch")
    joined(root, "Completed", DOMAIN)
    (severity, message), = findings(root)["R28"]
    assert severity == "W" and message.startswith("nvidia-imex is not installed")
    status = root / "var/lib/dpkg/status"
    status.write_text(status.read_text() + "\nPackage: nvidia-imex-580\nStatus: install ok installed\n"
                      "Version: 580.95.05-1\n")
    (severity, message), = findings(root)["R28"]
    assert severity == "E" and message.startswith("nvidia-imex is version 580.95.05 and the driver 580.105.08")


def test_r28_without_nvswitches_no_daemon_is_needed(tmp_path):
    root = build(tmp_path, "fabric_mismatch")
    for number in range(4, 8):
        (root / ("sys/bus/pci/devices/0000:%02x:00.0" % number)).unlink()
    assert "R28" not in findings(root)
