# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of role gpudirect's defaults as Ansible evaluates them: what is asked of every node, and what of none."""

from __future__ import annotations

import pytest

from tests.sysroots import evaluated_role

ASKED = {"gpudirect_peermem": "loaded", "gpudirect_persistenced": "enabled", "gpudirect_fabricmanager": "enabled"}
# What takes a boot, stalls traffic or takes isolation away is the operator's to ask for.
LEFT = ["gpudirect_iommu", "gpudirect_max_read_request", "gpudirect_acs", "gpudirect_relaxed_ordering",
        "gpudirect_pci_topo_check_override", "gpudirect_coherent_memory_mode", "gpudirect_nics"]


@pytest.fixture(name="values", scope="module")
def fixture_values(tmp_path_factory):
    """Host to the values of the role's variables."""
    groups = {"training": {"trainer": {}, "told": {"gpuwright_workload": "inference"}},
              "inference": {"server": {"gpuwright_compute_nics": ["mlx5_0"]}}}
    return evaluated_role.variables(tmp_path_factory.mktemp("gpudirect"), "gpudirect", groups, group=None)


def test_only_what_disturbs_nobody_is_asked_for(values):
    for given in values.values():
        assert {name: given[name] for name in ASKED} == ASKED
        assert {given[name] for name in LEFT} == {None}


def test_it_has_to_work_where_nodes_train(values):
    assert {host: given["gpudirect_expected"] for host, given in values.items()} == {
        "trainer": True, "told": False, "server": False}


def test_the_operators_nics_are_those_of_all_roles(values):
    assert values["server"]["gpudirect_compute_nics"] == ["mlx5_0"]
    assert values["trainer"]["gpudirect_compute_nics"] is values["trainer"]["gpudirect_storage_nics"] is None
