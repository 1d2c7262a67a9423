# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of role cpu_isolation's defaults as Ansible evaluates them: what each mode asks for, where nothing can be."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._settings import cpu_isolation

from tests.conftest import CHECKOUT
from tests.sysroots import evaluated_role

DEFAULTS = CHECKOUT / "roles/cpu_isolation/defaults/main.yml"
HOUSEKEEPING, WORKLOAD = "0-1,4-5,8-9,12-13", "2-3,6-7,10-11,14-15"
NODE = {"cpu": {"online": "0-15", "caches": [], "cores": [
    {"cpus": "%d,%d" % (core, core + 8), "package": core // 4, "numa_node": core // 4} for core in range(8)]},
    "numa_nodes": [{"id": 0, "cpus": "0-3,8-11", "memory": 1 << 37, "kind": "cpu", "distances": {"0": 10, "1": 21}},
                   {"id": 1, "cpus": "4-7,12-15", "memory": 1 << 37, "kind": "cpu", "distances": {"0": 21, "1": 10}}],
    "gpus": [{"index": 0, "pci_address": "0000:17:00.0", "uuid": "GPU-0", "numa_node": 0, "cpus": "0-3,8-11"}],
    "nics": [], "rdma_devices": [], "gpu_nics": {"0": ["mlx5_0"]}}
TINY = {"cpu": {"online": "0-1", "cores": [{"cpus": "0-1", "package": 0, "numa_node": 0}], "caches": []},
        "numa_nodes": [{"id": 0, "cpus": "0-1", "memory": 1 << 33, "kind": "cpu", "distances": {"0": 10}}],
        "gpus": [], "nics": [], "rdma_devices": [], "gpu_nics": {}}
MODES = ("auto", "slices", "partition", "boot", "none")
SLICES = {"cpu_isolation_system_slice": HOUSEKEEPING, "cpu_isolation_user_slice": HOUSEKEEPING,
          "cpu_isolation_init_scope": HOUSEKEEPING, "cpu_isolation_gpuwright_slice": WORKLOAD}
KERNEL_WORK = {"cpu_isolation_workqueue": HOUSEKEEPING, "cpu_isolation_default_smp_affinity": HOUSEKEEPING,
               "cpu_isolation_irqs": {"0": "0-1,8-9", "1": "4-5,12-13"}, "cpu_isolation_irqbalance_banned": WORKLOAD}
ROOT = {"cpu_isolation_gpuwright_slice_partition": "root"}
BOOT = {"cpu_isolation_isolcpus": "managed_irq,domain," + WORKLOAD, "cpu_isolation_nohz_full": WORKLOAD,
        "cpu_isolation_rcu_nocbs": WORKLOAD, "cpu_isolation_irqaffinity": HOUSEKEEPING}
ASKED = {"auto": {**SLICES, **KERNEL_WORK}, "slices": {**SLICES, **KERNEL_WORK},
         "partition": {**SLICES, **KERNEL_WORK, **ROOT}, "boot": {**BOOT, **KERNEL_WORK}, "none": {}}
ALWAYS = {"cpu_isolation_governor": "performance"}


@pytest.fixture(name="values", scope="module")
def fixture_values(tmp_path_factory):
    """(mode, machine) to the values of the role's variables."""
    hosts = {"%s-%s" % (mode, name): {"topology": fact, "cpu_isolation_mode": mode}
             for mode in MODES for name, fact in (("node", NODE), ("tiny", TINY))}
    hosts["chosen-node"] = {"topology": NODE, "cpu_isolation_mode": "slices",
                            "cpu_isolation_housekeeping_cores_per_node": 1}
    hosts["by_hand-node"] = {"topology": NODE, "cpu_isolation_mode": "slices", "cpu_isolation_housekeeping": "0-3",
                             "cpu_isolation_cpus": "4-15"}
    found = evaluated_role.variables(tmp_path_factory.mktemp("cpu_isolation"), "cpu_isolation", hosts)
    return {tuple(name.split("-")): given for name, given in found.items()}


def settings(given):
    """The variables that are rows, without what is null or a document."""
    names = {row.variable for row in cpu_isolation.ROWS} - {"cpu_isolation_affinity"}
    return {name: value for name, value in given.items() if name in names and value is not None}


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_asks_for_its_own(values, mode):
    assert settings(values[mode, "node"]) == {**ASKED[mode], **ALWAYS}


@pytest.mark.parametrize("mode", MODES)
def test_a_machine_that_cannot_be_divided_is_left_alone(values, mode):
    given = values[mode, "tiny"]
    assert given["cpu_isolation_partition"]["refused"]
    assert settings(given) == ALWAYS
    assert given["cpu_isolation_cpus"] is None


@pytest.mark.parametrize("mode", MODES)
def test_what_is_asked_for_is_legal(values, mode):
    rows = {row.variable: row for row in cpu_isolation.ROWS}
    for name, value in settings(values[mode, "node"]).items():
        assert rows[name].value.parse(value)


@pytest.mark.parametrize("mode", MODES)
def test_launchers_are_told_unless_nothing_is_divided(values, mode):
    told = values[mode, "node"]["cpu_isolation_affinity"]
    if mode == "none":
        assert told is None
    else:
        assert told["gpus"]["0"]["cpus"] == "2-3,10-11"


def test_the_number_of_cores_is_followed(values):
    given = values["chosen", "node"]
    assert given["cpu_isolation_system_slice"] == "0,4,8,12"
    assert given["cpu_isolation_gpuwright_slice"] == "1-3,5-7,9-11,13-15"


def test_isolation_at_boot_is_never_the_default():
    defaults = yaml.safe_load(DEFAULTS.read_text())
    assert defaults["cpu_isolation_mode"] == "auto"
    assert defaults["cpu_isolation_threads_pinned"] is False
    assert defaults["cpu_isolation_skew_tick"] is None
    assert defaults["cpu_isolation_pm_qos_resume_latency_us"] is None
    assert defaults["cpu_isolation_housekeeping_cores_per_node"] == 2
    assert defaults["cpu_isolation_watch_seconds"] == 5


def test_the_sets_can_be_chosen(values):
    given = values["by_hand", "node"]
    assert given["cpu_isolation_user_slice"] == given["cpu_isolation_housekeeping"] == "0-3"
    assert given["cpu_isolation_gpuwright_slice"] == "4-15"
