# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a GPU, by its own thresholds."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import gpu, gpu_finding

ADDRESS = "0000:19:00.0"


def _gpu(**changed):
    return dict(dict.fromkeys(gpu.EMPTY), pci_address=ADDRESS, vendor="nvidia", in_driver=True, **changed)


def _found(**changed):
    health = {"gpus": [_gpu(**changed)], "unreadable": {}}
    return [(one["severity"], one["what"]) for one in gpu_finding.findings(health)]


def _ecc(volatile=0, aggregate=0, **more):
    return dict({"enabled": True, "pending": True, "volatile": {"uncorrected": volatile},
                 "aggregate": {"uncorrected": aggregate}}, **more)


@pytest.mark.parametrize(("changed", "found"), [
    ({}, []),
    ({"ecc": _ecc()}, []), ({"ecc": _ecc(1, 1)}, [("E", "ecc_uncorrected")]),
    ({"ecc": _ecc(0, 3)}, [("I", "ecc_uncorrected_ever")]),
    ({"ecc": _ecc(sram_threshold_exceeded=True)}, [("E", "sram_threshold")]),
    ({"ecc": _ecc(channel_repair_pending=True)}, [("W", "channel_repair_pending")]),
    ({"ecc": _ecc(unrepairable_memory=True)}, [("E", "unrepairable_memory")]),
    ({"ecc": dict(_ecc(), pending=False)}, [("W", "ecc_mode_pending")]),
    ({"ecc": {"enabled": False, "pending": False, "volatile": None, "aggregate": None}}, []),
    ({"remapped_rows": {"pending": True, "failure": False}}, [("E", "row_remap_pending")]),
    ({"remapped_rows": {"pending": False, "failure": True}}, [("E", "row_remap_failure")]),
    ({"remapped_rows": {"pending": False, "banks_without_spare": 2}}, [("W", "row_remap_exhausted")]),
    ({"retired_pages": {"pending": True}}, [("E", "page_retirement_pending")]),
    ({"throttle_reasons": ["gpu_idle", "sw_power_cap", "applications_clocks_setting"]}, []),
    ({"throttle_reasons": ["hw_slowdown", "hw_thermal_slowdown"]}, [("W", "slowed")]),
    ({"throttle_reasons": ["sw_thermal_slowdown"]}, [("W", "slowed")]),
    ({"temperature": {"gpu": 88, "slowdown": 89}}, []),
    ({"temperature": {"gpu": 89, "slowdown": 89}}, [("W", "hot_gpu")]),
    ({"temperature": {"gpu": 99, "memory": 95, "max_memory": 95}}, [("W", "hot_memory")]),
    ({"temperature": {"gpu": 80, "junction": 101, "slowdown": 100}}, [("W", "hot_junction")]),
    ({"temperature": {"gpu": 60, "margin": 1, "slowdown_margin": -2}}, []),
    ({"temperature": {"gpu": 60, "margin": -2, "slowdown_margin": -2}}, [("W", "hot_gpu")]),
    ({"fabric": {"state": "Completed", "status": "Success", "health": None}}, []),
    ({"fabric": {"state": "In Progress", "status": None, "health": None}}, [("E", "fabric_state")]),
    ({"fabric": {"state": "Completed", "status": "Failure", "health": None}}, [("E", "fabric_status")]),
    ({"fabric": {"state": "Completed", "status": "Success", "health": {
        "summary": "Unhealthy", "bandwidth": "Degraded", "route_unhealthy": "True", "partition_assigned": "True",
        "incorrect_configuration": "None"}}},
     [("E", "fabric_health"), ("E", "fabric_bandwidth"), ("E", "fabric_route_unhealthy")]),
    ({"fabric": {"state": "Completed", "status": "Success", "health": {
        "incorrect_configuration": "Incorrect SysGUID"}}},
     [("E", "fabric_incorrect_configuration")]),
    ({"nvlink": {"active": 17, "inactive": 1}}, [("E", "nvlink_inactive")]),
    ({"nvlink": {"active": 0, "inactive": 4}}, []), ({"nvlink": {"active": 18, "inactive": 0}}, []),
    ({"recovery_action": "None"}, []), ({"recovery_action": "Reboot"}, [("E", "recovery_action")]),
    ({"power": {"limit": 500.0, "default_limit": 700.0}}, [("W", "power_limit")]),
    ({"power": {"limit": 700.0, "default_limit": 650.0}}, []), ({"power": {"draw": 5.0}}, []),
    ({"persistence": False}, [("I", "persistence")]), ({"persistence": True}, []),
    ({"mig": {"enabled": False, "pending": True}}, [("W", "mig_pending")]),
    ({"mig": {"enabled": True, "pending": None}}, []),
    ({"clocks": {"application": {"graphics": 1275}, "default_application": {"graphics": 1410}}},
     [("W", "application_clocks")]),
    ({"clocks": {"application": None, "default_application": {"graphics": 1410}}}, []),
])
def test_findings(changed, found):
    assert _found(**changed) == found


def test_a_lost_gpu_among_others():
    lost = dict(_gpu(), in_driver=False, pci_address="0000:1e:00.0")
    found = gpu_finding.findings({"gpus": [_gpu(), lost], "unreadable": {"gpus": "the links hang"}})
    assert [(one["what"], one["device"]) for one in found] == [("gpu_lost", "0000:1e:00.0")]


def test_where_no_driver_answered_none_is_lost():
    lost = dict(_gpu(), in_driver=False)
    assert gpu_finding.findings({"gpus": [lost], "unreadable": {"gpus": "nvidia-smi: no answer after 10 s"}}) == []
    assert len(gpu_finding.findings({"gpus": [lost], "unreadable": {}})) == 1


@pytest.mark.parametrize(("was", "now", "same_boot", "words"), [
    ({}, {}, True, []),
    ({"persistence": True}, {"persistence": False}, True, ["persistence mode was on and is off"]),
    ({"persistence": None}, {"persistence": False}, True, []),
    ({"fabric": {"state": "Completed"}}, {"fabric": None}, False, ["it was in an NVLink fabric and is in none"]),
    ({"nvlink": {"active": 18}}, {"nvlink": {"active": 17}}, False, ["17 of 18 NVLinks are left"]),
    ({"nvlink": {"active": 18}}, {"nvlink": None}, False, []),
    ({"ecc": _ecc(1, 1)}, {"ecc": _ecc(2, 1)}, True, ["1 uncorrected error more of memory (volatile)"]),
    ({"ecc": _ecc(1, 1)}, {"ecc": _ecc(0, 3)}, False, ["2 uncorrected errors more of memory (aggregate)"]),
    ({"ecc": None}, {"ecc": _ecc(5, 5)}, True, []),
])
def test_worse(was, now, same_boot, words):
    found = gpu_finding.worse({"gpus": [_gpu(**was)]}, {"gpus": [_gpu(**now)]}, same_boot)
    assert found == ["GPU %s: %s" % (ADDRESS, word) for word in words]


def test_a_gpu_that_is_gone():
    assert gpu_finding.worse({"gpus": [_gpu()]}, {"gpus": []}, True) == ["GPU %s is gone" % ADDRESS]
    assert gpu_finding.worse({"gpus": [_gpu()]}, {}, True) == []
    assert gpu_finding.worse({"gpus": []}, {"gpus": [_gpu()]}, True) == []
