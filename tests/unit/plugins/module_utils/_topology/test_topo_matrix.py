# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of `nvidia-smi topo -m` in the shapes in which people keep it."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._topology import topo_matrix

WIDE = ("\t\x1b[4mGPU0\tGPU1\tNIC0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\x1b[0m\n"
        "GPU0\t X \tNV18\tPIX\t0-31\t0\t\t2\n"
        "GPU1\tNV18\t X \tSYS\t32-63\t1\t\t3\n"
        "NIC0\tPIX\tSYS\t X \t\t\t\t\n\nLegend:\n\n  X    = Self\n  SYS  = Connection\n\n"
        "NIC Legend:\n\n  NIC0: mlx5_bond_0\n")


def test_the_terminal_form():
    matrix = topo_matrix.parse(WIDE)
    assert topo_matrix.gpus(matrix) == [
        {"name": "GPU0", "index": 0, "links": {"GPU1": "NV18", "NIC0": "PIX"},
         "affinity": {"cpus": "0-31", "numa": "0", "gpu_numa_id": "2"}},
        {"name": "GPU1", "index": 1, "links": {"GPU0": "NV18", "NIC0": "SYS"},
         "affinity": {"cpus": "32-63", "numa": "1", "gpu_numa_id": "3"}}]
    assert topo_matrix.nics(matrix) == {"NIC0": "mlx5_bond_0"}


@pytest.mark.parametrize("changed", [
    WIDE.replace("\n", "\r\n"),
    WIDE.replace("\x1b[4m", "").replace("\x1b[0m", ""),
    "\n".join("    " + line for line in WIDE.split("\n")),
    WIDE.replace("\tGPU0\t", "\t\tGPU0\t", 1),
    "$ nvidia-smi topo -m\n" + WIDE,
    WIDE.replace("\t", "   "),
    WIDE.replace("\tCPU Affinity", "\n\tCPU Affinity").replace("\t0-31\t", "\n  0-31\t"),
], ids=["windows", "no escapes", "indented", "double tab", "prompt", "spaces", "wrapped"])
def test_the_same_matrix_in_other_dress(changed):
    assert topo_matrix.gpus(topo_matrix.parse(changed)) == topo_matrix.gpus(topo_matrix.parse(WIDE))


@pytest.mark.parametrize(("end", "cpus", "numa", "own"), [
    ("\t\t\t\tN/A", None, None, "N/A"), ("\t0-31\t0-1\t\tN/A", "0-31", "0-1", "N/A"),
    ("\t0-15,32-47\tN/A\t\tN/A", "0-15,32-47", "N/A", "N/A"),
    ("                                N/A", None, None, "N/A"),
    ("\t3\t0\t\t1", "3", "0", "1"),
])
def test_blank_affinities(end, cpus, numa, own):
    text = "        GPU0    CPU Affinity    NUMA Affinity   GPU NUMA ID\nGPU0     X  " + end
    assert topo_matrix.parse(text)["affinity"]["GPU0"] == {"cpus": cpus, "numa": numa, "gpu_numa_id": own}


def test_a_cpu_list_broken_over_two_lines():
    text = "\tGPU0\tCPU Affinity\nGPU0\t X \t0-7,16-23,\n    32-39\n"
    assert topo_matrix.parse(text)["affinity"]["GPU0"]["cpus"] == "0-7,16-23,32-39"


def test_old_drivers_name_nics_themselves_and_say_soc():
    text = ("\tGPU0\tGPU1\tmlx5_0\tCPU Affinity\nGPU0\t X \tSOC\tPHB\t0-9\nGPU1\tSOC\t X \tSOC\t10-19\n"
            "mlx5_0\tPHB\tSOC\t X \n")
    matrix = topo_matrix.parse(text)
    assert topo_matrix.nics(matrix) == {"mlx5_0": "mlx5_0"}
    assert [gpu["links"] for gpu in topo_matrix.gpus(matrix)] == [
        {"GPU1": "SYS", "mlx5_0": "PHB"}, {"GPU0": "SYS", "mlx5_0": "SYS"}]


def test_ten_gpus_are_ordered_by_number():
    names = ["GPU%d" % number for number in range(12)]
    rows = ["\t".join([name] + [" X " if peer == name else "SYS" for peer in names]) for name in names]
    matrix = topo_matrix.parse("\t" + "\t".join(names) + "\n" + "\n".join(rows))
    assert [gpu["index"] for gpu in topo_matrix.gpus(matrix)] == list(range(12))


@pytest.mark.parametrize("text", ["", "Legend:\n  SYS = x\n", "No devices were found\n",
                                  "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n",
                                  "GPU 0: NVIDIA H100 (UUID: GPU-1)\n"])
def test_what_is_no_matrix_has_no_gpus(text):
    assert topo_matrix.gpus(topo_matrix.parse(text)) == []
