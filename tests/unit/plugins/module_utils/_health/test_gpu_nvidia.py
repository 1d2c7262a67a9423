# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nvidia-smi says of each GPU, on the captures of all drivers, and of none."""

from __future__ import annotations

import pathlib
import re

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _host
from ansible_collections.gpuwright.node.plugins.module_utils._health import gpu, gpu_nvidia

CAPTURES = pathlib.Path(__file__).resolve().parents[4] / "captures"
NAMES = sorted(path.parent.name for path in CAPTURES.glob("smi-xml/*/nvidia-smi-q-x.xml"))
SESSIONS = sorted(CAPTURES.glob("smi-capture/*/capture.txt"))
ON_PCI = {"0000:0c:00.0": {"driver": "nvidia"}}
DRIVER = {"/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX Open Kernel Module"}
SMALL = ('<nvidia_smi_log><gpu id="00000000:0C:00.0"><uuid>GPU-1</uuid>%s</gpu></nvidia_smi_log>')


def _first(text):
    return gpu_nvidia.parse(text)[0][1]


@pytest.mark.parametrize("name", NAMES)
def test_every_capture_gives_each_of_its_gpus(name, logs):
    found = gpu_nvidia.parse(logs[name])
    assert len(found) == len(re.findall(r"<gpu id=", logs[name]))
    for address, record in found:
        assert re.fullmatch(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", address)
        assert set(record) <= set(gpu.EMPTY)
        assert record["temperature"]["gpu"] > 0
        assert record["uuid"].startswith("GPU-")


@pytest.mark.parametrize(("name", "reasons"), [
    ("influxdata-a100-sxm4-v12", []), ("influxdata-a10g", ["gpu_idle"]), ("influxdata-gtx-1070-ti", None),
    ("nvidia-qx-h100", ["gpu_idle"]), ("influxdata-quadro-p2000-v12", ["gpu_idle"])])
def test_reasons_have_one_name_in_all_drivers(name, reasons, logs):
    assert _first(logs[name])["throttle_reasons"] == reasons


def test_a_gb200(logs):
    record = _first(logs["nvidia-qx-gb200"])
    assert record["fabric"]["state"] == "Completed"
    assert record["fabric"]["health"] == {
        "summary": "Healthy", "bandwidth": "Full", "route_recovery_in_progress": "False", "route_unhealthy": "False",
        "access_timeout_recovery": "False"}
    assert record["temperature"] == {
        "gpu": 27, "memory": 27, "margin": 60, "slowdown_margin": -2, "shutdown_margin": -5}
    assert record["power"] == {"draw": 165.93, "limit": 1200.0, "requested_limit": 1200.0, "default_limit": 1200.0,
                               "min_limit": 200.0, "max_limit": 1200.0}
    assert record["throttle_microseconds"]["sw_power_cap"] == 2354613
    assert record["clocks"]["now"]["sm"] == 120 and record["clocks"]["max"]["sm"] == 2062
    assert (record["persistence"], record["recovery_action"], record["performance_state"]) == (True, "None", "P0")
    assert record["ecc"]["volatile"]["uncorrected"] == 0 and record["ecc"]["unrepairable_memory"] is False
    assert record["remapped_rows"]["pending"] is False


def test_an_h100_and_what_it_counted(logs):
    record = _first(logs["nvidia-qx-h100"])
    assert record["replays"] == 150
    assert record["fabric"]["health"] is None
    assert record["processes"] == []
    assert record["link"] == {"speed": "32.0 GT/s PCIe", "max_speed": "32.0 GT/s PCIe", "width": 16, "max_width": 16}


def test_old_drivers_say_power_and_temperature_in_their_way(logs):
    record = _first(logs["influxdata-a10g"])
    assert record["power"]["draw"] == 25.58 and record["power"]["limit"] == 300.0
    assert record["temperature"] == {"gpu": 17, "slowdown": 95, "shutdown": 98, "max_gpu": 88}
    assert record["remapped_rows"]["failure"] is False


def test_a_gpu_that_says_nearly_nothing(logs):
    record = _first(logs["influxdata-gtx-1070-ti"])
    missing = ("ecc", "fabric", "power", "remapped_rows", "retired_pages", "processes", "mig")
    assert [record[key] for key in missing] == [None] * 7


@pytest.mark.parametrize(("text", "action"), [
    ("<gpu_recovery_action>Reset</gpu_recovery_action>", "Reset"),
    ("<gpu_reset_status><reset_required>Yes</reset_required></gpu_reset_status>", "Reset"),
    ("<gpu_reset_status><reset_required>No</reset_required>"
     "<drain_and_reset_recommended>Yes</drain_and_reset_recommended></gpu_reset_status>", "Drain and Reset"),
    ("<gpu_reset_status><reset_required>No</reset_required></gpu_reset_status>", "None"), ("", None)])
def test_what_the_driver_asks_for(text, action):
    assert _first(SMALL % text)["recovery_action"] == action


@pytest.mark.parametrize("nothing", ["N/A", "[N/A]", "[Not Supported]", "Unknown Error", "ERR!", "[GPU is lost]"])
def test_nothing_in_every_spelling(nothing):
    names = ("performance_state", "persistence_mode", "gpu_recovery_action")
    record = _first(SMALL % "".join("<%s>%s</%s>" % (name, nothing, name) for name in names)
                    .join(("<temperature><gpu_temp>%s</gpu_temp></temperature>" % nothing,
                           "<fabric><state>%s</state></fabric>" % nothing)))
    missing = ("performance_state", "persistence", "recovery_action", "temperature", "fabric")
    assert [record[key] for key in missing] == [None] * 5


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.parent.name)
def test_nvlinks_of_the_captures(path):
    text = path.read_text()
    said = re.findall(r"^\t Link \d+: ([\d.]+) GB/s", text, re.MULTILINE)
    links = gpu_nvidia.parse_nvlink(text)
    assert sum(record["active"] for record in links.values()) == len(said)
    assert {record["speed"] for record in links.values()} == {float(speed) for speed in said}


def test_a_link_that_is_down():
    text = "GPU 0: NVIDIA H100 (UUID: GPU-1)\n\t Link 0: 26.562 GB/s\n\t Link 1: <inactive>\n\t Link 2: 25 GB/s\n"
    assert gpu_nvidia.parse_nvlink(text) == {"GPU-1": {"active": 2, "inactive": 1, "speed": 25.0}}


@pytest.mark.parametrize("text", ["", "<nvidia_smi_log><gpu>", "No devices were found", "<nvidia_smi_log></gpu>"])
def test_a_recording_that_is_no_log_is_told(machine, text):
    host = machine({"/gpuwright/nvidia-smi.xml": text})
    assert gpu_nvidia.read(host, {}, ON_PCI) == []
    assert len(host.notes) == 1


def test_every_truncation_of_a_log_is_told_and_none_is_a_crash(machine, logs):
    text = logs["influxdata-a10g"]
    for part in range(1, len(text) - 40, 997):
        host = machine({"/gpuwright/nvidia-smi.xml": text[:part]})
        assert gpu_nvidia.read(host, {}, ON_PCI) == []
        assert len(host.notes) == 1


@pytest.mark.parametrize(("answer", "words"), [
    (_host.CommandNotRun("nvidia-smi: no answer after 10 s"), "nvidia-smi: no answer after 10 s"),
    (_host.CommandNotRun("nvidia-smi: No such file or directory"), "nvidia-smi: No such file or directory"),
    ((9, "NVIDIA-SMI has failed because it couldn't communicate", ""),
     "nvidia-smi -q -x: exit status 9: NVIDIA-SMI has failed because it couldn't communicate"),
    ((0, "junk", ""), "nvidia-smi -q -x: not the XML that was expected: no <nvidia_smi_log>")])
def test_a_tool_that_does_not_answer(live, answer, words):
    host = live({"nvidia-smi": answer}, DRIVER)
    assert gpu_nvidia.read(host, {}, ON_PCI) == []
    assert host.notes == [words]
    assert len(host.asked) == 1  # Not asked again for the links: a wedged one would cost its time twice.


def test_a_running_nvidia_smi(live):
    host = live({"nvidia-smi -q -x": (0, SMALL % "", ""),
                 "nvidia-smi nvlink -s": (0, "GPU 0: X (UUID: GPU-1)\n\t Link 0: 25 GB/s\n", "")}, DRIVER)
    (address, record), = gpu_nvidia.read(host, {}, ON_PCI)
    assert (address, record["nvlink"]) == ("0000:0c:00.0", {"active": 1, "inactive": 0, "speed": 25.0})
    assert all(not changes for _name, _seconds, changes in host.asked)


def test_gpus_without_nvlinks_are_not_unreadable(live):
    host = live({"nvidia-smi -q -x": (0, SMALL % "", ""), "nvidia-smi nvlink -s": (6, "", "Not Supported")}, DRIVER)
    assert gpu_nvidia.read(host, {}, ON_PCI)[0][1]["nvlink"] is None
    assert host.notes == []


def test_links_that_hang_are_unreadable_and_the_rest_is_kept(live):
    host = live({"nvidia-smi -q -x": (0, SMALL % "", ""),
                 "nvidia-smi nvlink -s": _host.CommandNotRun("nvidia-smi: no answer after 10 s")}, DRIVER)
    assert len(gpu_nvidia.read(host, {}, ON_PCI)) == 1
    assert host.notes == ["nvidia-smi: no answer after 10 s"]


def test_without_nvidia_gpus_nothing_is_asked(live):
    host = live({}, DRIVER)
    assert gpu_nvidia.read(host, {}, {}) == []
    assert host.notes == []


@pytest.mark.parametrize(("driver", "word"), [("nvidia", "is not loaded"), (None, "is not loaded"),
                                              ("nouveau", "nouveau")])
def test_gpus_without_their_driver_are_told(live, driver, word):
    host = live({})
    assert gpu_nvidia.read(host, {}, {"0000:0c:00.0": {"driver": driver}}) == []
    assert word in host.notes[0]
