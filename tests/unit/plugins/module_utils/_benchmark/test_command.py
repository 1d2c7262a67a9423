# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines of the three launchers, and the environment that they have."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark import command

LAUNCH = {"launcher": "single", "operation": "all_reduce", "begin": 8, "end": 8 << 30, "factor": 2, "gpus": 8,
          "hosts": ["a", "b"], "iterations": 20, "warmup": 5, "check": True, "environment": {}, "library_path": "",
          "command_prefix": [], "launcher_options": []}


def build(**changed):
    return command.command(dict(LAUNCH, **changed), "/opt/all_reduce_perf", "/run/hosts", True)


def test_one_process_has_all_gpus_of_a_node():
    assert build(hosts=["a"]) == ["/opt/all_reduce_perf", "-b", "8", "-e", "8G", "-f", "2", "-g", "8", "-n", "20", "-w",
                                  "5", "-c", "1"]
    assert build(hosts=["a"], check=False)[-1] == "0"


def test_mpirun_starts_a_rank_for_each_gpu():
    words = build(launcher="mpirun", environment={"UCX_TLS": "tcp"}, library_path="/opt/nccl/lib",
                  launcher_options=["--mca", "pml", "ob1"], command_prefix=["apptainer", "exec", "--nv", "x.sif"])
    assert words[:words.index("-x")] == ["mpirun", "--allow-run-as-root", "-np", "16", "--hostfile", "/run/hosts",
                                         "--map-by", "ppr:8:node", "--bind-to", "none"]
    exported = [words[number + 1] for number, word in enumerate(words) if word == "-x"]
    assert exported == ["LD_LIBRARY_PATH", "NCCL_DEBUG", "NCCL_DEBUG_SUBSYS", "UCX_TLS"]
    assert words[words.index("--mca"):words.index("-b")] == [
        "--mca", "pml", "ob1", "apptainer", "exec", "--nv", "x.sif", "/opt/all_reduce_perf"]
    assert words[words.index("-g") + 1] == "1"
    assert command.hostfile(LAUNCH) == "a slots=8\nb slots=8\n"


def test_only_root_needs_leave_to_be_root():
    assert "--allow-run-as-root" not in command.command(dict(LAUNCH, launcher="mpirun"), "p", "h", False)


def test_srun_starts_a_rank_for_each_gpu():
    words = build(launcher="srun", launcher_options=["--mpi=pmix"])
    assert words[:6] == ["srun", "--nodes=2", "--ntasks=16", "--ntasks-per-node=8", "--gpus-per-node=8",
                         "--nodelist=a,b"]
    assert words.index("--mpi=pmix") < words.index("/opt/all_reduce_perf")


def test_nothing_of_nccl_is_inherited():
    found = command.environment(dict(LAUNCH, environment={"UCX_TLS": "tcp"}, library_path="/opt/lib"), {
        "NCCL_ALGO": "Ring", "NCCL_DEBUG": "WARN", "CUDA_VISIBLE_DEVICES": "0", "HOME": "/root", "PATH": "/bin"})
    assert found == {"HOME": "/root", "PATH": "/bin", "LC_ALL": "C", "UCX_TLS": "tcp", "LD_LIBRARY_PATH": "/opt/lib",
                     "NCCL_DEBUG": "INFO", "NCCL_DEBUG_SUBSYS": "INIT,NET,ENV"}
    assert command.environment(LAUNCH, {})["PATH"].startswith("/usr/local/sbin")
