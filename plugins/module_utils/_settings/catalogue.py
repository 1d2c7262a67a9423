# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: every role's rows, options and rules, by the role's name.

PRIVATE to the collection.
"""

from __future__ import annotations

from . import cpu_isolation, gpudirect, nccl_env, network, numa, nvme, rdma_roce, thp, vm

ROLES = {"vm": vm, "thp": thp, "numa": numa, "cpu_isolation": cpu_isolation, "network": network,
         "nccl_env": nccl_env, "rdma_roce": rdma_roce, "nvme": nvme, "gpudirect": gpudirect}
# What a rollback can give back by itself: also what has no rows.
GIVEN_BACK = sorted((*ROLES, "vllm_service"))

# The variables that belong to no role; README.md says what each does.
FOR_EVERY_ROLE = (
    "gpuwright_allow", "gpuwright_compute_nics", "gpuwright_drain", "gpuwright_drain_become",
    "gpuwright_drain_host", "gpuwright_drain_poll", "gpuwright_drain_tasks", "gpuwright_drain_timeout",
    "gpuwright_ignore_variables", "gpuwright_kubernetes_node", "gpuwright_nodes", "gpuwright_reboot_allow",
    "gpuwright_reboot_also", "gpuwright_reboot_budget", "gpuwright_reboot_per_rack", "gpuwright_reboot_settle",
    "gpuwright_reboot_timeout", "gpuwright_report_dir", "gpuwright_serial", "gpuwright_slurm_node",
    "gpuwright_storage_nics", "gpuwright_take_over", "gpuwright_undrain_tasks", "gpuwright_workload")


def variables(role):
    """Every variable that a role knows, in the order of its rows."""
    return [row.variable for row in ROLES[role].ROWS] + [option["name"] for option in ROLES[role].OPTIONS]
