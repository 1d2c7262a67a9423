# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What NVLink fabrics need: versions of driver and daemons, switches, and the state that nvidia-smi tells."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import nvswitch

from tests.sysroots import eight_gpu

CAPTURES = pathlib.Path(__file__).parents[4] / "captures/smi-xml"
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.105.08  Release Build  (dvs-builder@U22)"
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.161.07  Sat Feb 17 22:55:48 UTC 2024"
ARM = "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  590.48.01  Release Build"


def test_the_hand_made_node(tmp_path):
    found = nvswitch.read(Host(eight_gpu.build(str(tmp_path))))
    assert found == {"driver": "580.105.08", "switches": ["0000:%02x:00.0" % bus for bus in range(4, 8)],
                     "states": [], "clusters": [], "daemons": {"nvidia-fabricmanager": "580.105.08"}}
    assert nvswitch.needs(found) == ["nvidia-fabricmanager"]


@pytest.mark.parametrize("text, version", [
    (OPEN, "580.105.08"), (CLOSED, "535.161.07"), (ARM, "590.48.01"), ("something else", None)])
def test_the_drivers_version(machine, text, version):
    assert nvswitch.read(machine({"/proc/driver/nvidia/version": text}))["driver"] == version


@pytest.mark.parametrize("name, needs", [
    ("nvidia-qx-h100", ["nvidia-fabricmanager"]), ("nvidia-qx-gb200", ["nvidia-imex"]), ("nvidia-qx-t4", [])])
def test_what_real_gpus_say_of_their_fabric(machine, name, needs):
    text = (CAPTURES / name / "nvidia-smi-q-x.xml").read_text()
    found = nvswitch.read(machine({"/gpuwright/nvidia-smi.xml": text, "/proc/driver/nvidia/version": OPEN}))
    assert nvswitch.needs(found) == needs
    assert found["states"] == (["Completed"] if needs else [])


@pytest.mark.parametrize("text, daemons", [
    ("Package: nvidia-fabricmanager-535\nStatus: install ok installed\nVersion: 535.161.07-0ubuntu0.22.04.1\n",
     {"nvidia-fabricmanager": "535.161.07"}),
    ("Package: nvidia-fabricmanager-535\nStatus: deinstall ok config-files\nVersion: 535.161.07-1\n\n"
     "Package: nvidia-fabricmanager\nStatus: hold ok installed\nVersion: 1:580.105.08-1\n\n"
     "Package: nvidia-imex\nStatus: install ok installed\nVersion: 580.105.08-1\nDescription: x\n more: y\n",
     {"nvidia-fabricmanager": "580.105.08", "nvidia-imex": "580.105.08"}),
    ("Package: nvidia-fabricmanager-dev-535\nStatus: install ok installed\nVersion: 535.1-1\n", {}),
    ("", {}), ("nonsense", {})])
def test_versions_from_dpkg(machine, text, daemons):
    host = machine({"/var/lib/dpkg/status": text, "/proc/driver/nvidia/version": OPEN})
    assert nvswitch.read(host)["daemons"] == daemons


class Asked(Host):
    """A host whose commands answer."""

    runs_commands = True
    answers = {"rpm": (0, "nvidia-fabric-manager 570.172.08\nnvidia-imex 570.172.08\n", ""),
               "/usr/bin/nv-fabricmanager": (0, "Fabric Manager version is : 560.35.05\n", "")}

    def run(self, argv, seconds=10, changes=True):
        assert changes is False
        if argv[0] not in self.answers:
            raise CommandNotRun(argv[0])
        return self.answers[argv[0]]


def test_versions_from_rpm_and_from_the_daemon_itself(machine, tmp_path):
    machine({"/proc/driver/nvidia/version": OPEN, "/usr/bin/nv-fabricmanager": "", "/usr/bin/nvidia-imex": ""})
    host = Asked(str(tmp_path))
    assert nvswitch.read(host)["daemons"] == {"nvidia-fabricmanager": "560.35.05", "nvidia-imex": ""}
    (tmp_path / "usr/lib/sysimage/rpm").mkdir(parents=True)
    assert nvswitch.read(host)["daemons"] == {"nvidia-fabricmanager": "570.172.08", "nvidia-imex": "570.172.08"}


def test_a_node_without_the_driver_needs_nothing(machine):
    found = nvswitch.read(machine({"/var/lib/dpkg/status": "Package: nvidia-imex\n"}))
    assert found["driver"] is None and nvswitch.needs(found) == []
