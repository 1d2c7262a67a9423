# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real modules and roles in check mode on a node with ten faults: the report names each, and stays readable.

Below another root no command is started, so that what only dcb tells (trust and PFC) does not apply there: those two
faults are told by tests/unit/plugins/module_utils/test_ten_faults.py.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from tests.conftest import COLLECTIONS
from tests.sysroots import ten_faults


@pytest.fixture(name="report", scope="module")
def fixture_report(tmp_path_factory):
    """(the words of the report, its JSON)."""
    folder = tmp_path_factory.mktemp("report")
    root = ten_faults.build(folder / "node", *ten_faults.FAULTS)
    below = {"gpuwright.node." + module: {"sysroot": str(root)} for module in ("topology_facts", "settings")}
    tasks = [{"gpuwright.node.topology_facts": {}}]
    tasks += [{"ansible.builtin.import_role": {"name": "gpuwright.node." + role}} for role in ten_faults.ROLES]
    (folder / "play.yml").write_text(json.dumps([{
        "hosts": "training", "gather_facts": False, "check_mode": True, "module_defaults": below,
        "tasks": [{"block": tasks, "always": [{"gpuwright.node.report": {}, "run_once": True}]}]}]))
    (folder / "hosts.json").write_text(json.dumps({"training": {"hosts": {"gpu1": {
        "ansible_connection": "local", "ansible_python_interpreter": sys.executable,
        "nccl_env_min_version": ten_faults.MIN_VERSION}}}}))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment.update(ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS), HOME=str(folder), NO_COLOR="1", COLUMNS="120")
    answer = subprocess.run([sys.executable, "-m", "ansible", "playbook", "-i", "hosts.json", "play.yml"], cwd=folder,
                            env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout, json.loads((folder / "report/audit.json").read_text())


@pytest.mark.parametrize("words", [
    "R17 (warning) /etc/sysctl.d/60-oracle.conf:2 sets fs.file-max = 6815744", "remove that line",
    "R26 (warning) mlx5_7 (rail6) has MTU 1500", "network_mtu sets it",
    "R21 (error) /etc/nccl.conf:4: NCCL_IB_GID_INDEX=3", "on mlx5_6 (rail5)", "R10 (error) /etc/nccl.conf:2:",
    "mlx5_1 is the beginning of mlx5_10, mlx5_11 too", "mlx5_4 serves storage and no GPU",
    "R12 (warning) nvidia_peermem: NICs cannot reach the memory of GPUs", "This role loads nvidia_peermem",
    "R24 (error) access control services (RR CR) at 0000:39:00.0", "set gpudirect_acs: redirect-off",
    "R14 (error) mlx5_8 (", "reseat the card"])
def test_the_report_names_each_fault_and_what_to_do(report, words):
    assert words in re.sub(r"\s+", " ", report[0])


def test_what_applies_to_no_nic_takes_a_sentence(report):
    lines = report[0].splitlines()
    assert len(lines) < 300
    assert [line for line in lines if line.startswith("  rail0/ecn/")] == []
    assert any(line.startswith("  not_applicable: ecn/roce_np/enable, ecn/roce_rp/enable") for line in lines)


def test_the_findings_are_in_the_file_too(report):
    assert {"R10", "R12", "R14", "R17", "R21", "R24", "R26"} <= {
        one["rule"] for host in report[1]["hosts"].values() for one in host["rules"]}
