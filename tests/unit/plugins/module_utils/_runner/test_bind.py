# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of bind: CPUs and memory of a GPU, shared fairly, of what the process may use; and on the kernel itself."""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import subprocess
import sys

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist, _process
from ansible_collections.gpuwright.node.plugins.module_utils._derive import affinity
from ansible_collections.gpuwright.node.plugins.module_utils._derive.cpu_partition import cpu_partition
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._runner import bind, main
from ansible_collections.gpuwright.node.plugins.module_utils._topology.node import read_topology

from tests.sysroots import eight_gpu, sysfs

GPUS = eight_gpu.GPU_ADDRESSES


@pytest.fixture(name="node", scope="module")
def fixture_node(tmp_path_factory):
    return eight_gpu.build(tmp_path_factory.mktemp("node"))


@pytest.fixture(name="bound")
def fixture_bound(node, capsys, monkeypatch):
    """bound(*words, root=, **environment) -> (exit status, what it would do, what it says of it)."""

    def run(*words, root=node, **environment):
        monkeypatch.setattr(_process, "environment", lambda: environment)
        status = main.main(["bind", "--dry-run", "--sysroot", str(root), *words])
        said = capsys.readouterr()
        return status, said.out.strip(), said.err.strip()
    return run


def cpus(said):
    return set(_cpulist.parse(said.partition("CPUs ")[2].partition(", memory")[0].strip()))


def test_every_rank_gets_whole_cores_of_its_own_beside_its_gpu(bound, node):
    seen = set()
    cores = [set(_cpulist.parse(core["cpus"])) for core in read_topology(Host(str(node)), ["cpu"])["cpu"]["cores"]]
    for rank in range(8):
        status, said, errors = bound("--local-rank", str(rank))
        mine = cpus(said)
        assert (status, errors) == (0, "") and said.startswith("GPU %s: CPUs " % GPUS[rank])
        assert said.endswith("memory of NUMA node %d" % (rank // 4))
        assert len(mine) == 28 and mine <= set(_cpulist.parse(eight_gpu.NODES[rank // 4])) and not mine & seen
        assert all(core <= mine or not core & mine for core in cores)
        seen |= mine
    assert len(seen) == 224


def test_all_cpus_near_it_may_be_asked_for(bound):
    assert "CPUs 56-111,168-223, memory of NUMA node 1" in bound("--gpu", "4", "--cpus", "near")[1]


def test_the_launchers_rank_and_visible_devices_count(bound):
    assert GPUS[5] in bound(CUDA_VISIBLE_DEVICES="4,5", LOCAL_RANK="1")[1]
    assert GPUS[6] in bound(SLURM_LOCALID="6")[1]


@pytest.mark.parametrize("words, said", [(["--local-rank", "8"], "ranks 0 to 7"), (["--gpu", "8"], "--gpu 8: this"),
                                         ([], "Say --local-rank")])
def test_nonsense_ends_with_two(bound, words, said):
    status, out, errors = bound(*words)
    assert (status, out) == (2, "") and said in errors and errors.startswith("gpuwright bind: ")


@pytest.fixture(name="divided")
def fixture_divided(tmp_path):
    """The node, its CPUs divided by role cpu_isolation."""
    root = eight_gpu.build(tmp_path)
    topology = read_topology(Host(str(root)))
    told = affinity.affinity(topology, cpu_partition(topology, 2))
    return root, told


def publish(root, told):
    sysfs.write(root, "/etc/gpuwright/affinity.json", told if isinstance(told, str) else json.dumps(told))


def test_a_published_division_is_kept_to(bound, divided):
    root, told = divided
    publish(root, told)
    for rank in range(8):
        mine = told["gpus"][str(rank)]
        assert bound("--local-rank", str(rank), root=root)[1] == "GPU %s: CPUs %s, memory of NUMA node %d" % (
            GPUS[rank], mine["cpus"], rank // 4)


def test_a_division_goes_by_address_for_numbers_change(bound, divided):
    root, told = divided
    told["gpus"] = {str(7 - int(number)): share for number, share in told["gpus"].items()}
    publish(root, told)
    assert cpus(bound("--gpu", "1", root=root)[1]) == set(_cpulist.parse(told["gpus"]["6"]["cpus"]))


def test_a_gpu_that_the_division_leaves_out_is_not_bound(bound, divided):
    root, told = divided
    del told["gpus"]["3"]
    publish(root, told)
    status, said, errors = bound("--gpu", "3", root=root)
    assert (status, said) == (0, "GPU %s: not bound" % GPUS[3]) and "affinity.json has no CPUs for GPU" in errors


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 1}', '{"schema": 9, "gpus": {}}',
                                  '{"schema": 1, "gpus": {"0": {"cpus": "x", "memory_nodes": [0]}}}',
                                  '{"schema": 1, "gpus": {"0": {"cpus": "1", "memory_nodes": ["0"]}}}'])
def test_a_damaged_division_is_named_and_not_used(bound, divided, text):
    root, _told = divided
    publish(root, text)
    status, said, errors = bound("--gpu", "0", root=root)
    assert status == 0 and "CPUs 0-13,112-125" in said and "/etc/gpuwright/affinity.json is" in errors


def gpu(number, near, **words):
    return dict({"index": number, "pci_address": "0000:0%d:00.0" % number, "uuid": "GPU-%d" % number, "cpus": near,
                 "vendor": "nvidia", "numa_node": 0, "mig": None}, **words)


def topology(gpus, cores=("0,4", "1,5", "2,6", "3,7"), nodes=None):
    node = {"id": 0, "cpus": "0-7", "memory": 1 << 30, "kind": "cpu", "distances": {"0": 10}}
    return {"gpus": gpus, "numa_nodes": nodes or [node],
            "cpu": {"online": "0-7", "cores": [{"cpus": core, "numa_node": 0} for core in cores]}}


@pytest.fixture(name="place")
def fixture_place(monkeypatch):
    """place(fact, allowed, *words, **environment) -> (CPUs, nodes) as a live process with these CPUs would get."""

    def run(fact, allowed, *words, **environment):
        monkeypatch.setattr(bind, "read_topology", lambda host, gather: fact)
        monkeypatch.setattr(_process, "cpus", lambda: set(_cpulist.parse(allowed)))
        monkeypatch.setattr(Host, "exists", lambda host, path: False)
        found, notes = bind._place(Host(), main.parser().parse_args(["bind", *words]), environment)
        return found["cpus"] and _cpulist.format(found["cpus"]), found["nodes"] or notes
    return run


TWO = [gpu(0, "0-7"), gpu(1, "0-7")]


def test_a_control_group_that_leaves_all_cpus_divides_them_among_all_gpus(place):
    assert place(topology(TWO), "0-7", "--gpu", "1", CUDA_VISIBLE_DEVICES="0,1") == ("2-3,6-7", [0])
    assert place(topology(TWO), "0-7", "--gpu", "0", CUDA_VISIBLE_DEVICES="1") == ("2-3,6-7", [0])


def test_a_jobs_own_cpus_are_divided_among_its_own_gpus(place):
    """Slurm gave the job one GPU and four CPUs: they are all its process's."""
    assert place(topology(TWO), "0-1,4-5", "--gpu", "0", CUDA_VISIBLE_DEVICES="1") == ("0-1,4-5", [0])
    assert place(topology(TWO), "0-1,4-5", "--gpu", "1", CUDA_VISIBLE_DEVICES="0,1") == ("1,5", [0])


def test_isolated_cpus_are_left_alone_where_there_are_others(place):
    """The kernel balances nothing between them, so that every thread of a program would stay on one."""
    fact = topology(TWO)
    fact["cpu"]["isolated"] = "2-3,6-7"
    assert place(fact, "0-7", "--gpu", "1") == ("1,5", [0])


def test_isolated_cpus_and_no_others_are_taken_with_a_warning(bound, divided):
    root, told = divided
    publish(root, told)
    sysfs.write(root, "/sys/devices/system/cpu/isolated", told["gpus"]["0"]["cpus"])
    status, said, errors = bound("--gpu", "0", root=root)
    assert status == 0 and told["gpus"]["0"]["cpus"] in said and "does not balance threads between them" in errors
    assert bound("--gpu", "1", root=root)[2] == ""


def test_fewer_cores_than_gpus_are_shared_by_all(place):
    assert place(topology(TWO), "3", "--gpu", "1") == ("3", [0])


def test_cpus_that_no_core_names_are_shared_out_too(place):
    assert place(topology(TWO, cores=()), "0-7", "--gpu", "1") == ("4-7", [0])


def test_no_cpu_in_common_is_an_error_that_names_both(place):
    with pytest.raises(bind.CannotDo, match=r"CPUs of GPU 0000:00:00.0 are 0-3, .* only 4-7 .*gpuwright.slice"):
        place(topology([gpu(0, "0-3")]), "4-7", "--gpu", "0")


@pytest.mark.parametrize("near", [None, ""])
def test_where_the_kernel_does_not_say_what_is_near_nothing_is_bound(place, near):
    cpus, notes = place(topology([gpu(0, near)]), "0-7", "--gpu", "0")
    assert cpus is None and "does not say which CPUs are near it: it is not bound" in notes[0]


def test_memory_of_a_gpu_is_never_a_processs(place):
    """Grace: the GPU's memory is a node of its own, nearer to nothing; CPUs without memory take the next node's."""
    nodes = [{"id": 0, "cpus": "0-7", "memory": 0, "kind": "cpu", "distances": {"0": 10, "1": 12, "8": 11}},
             {"id": 1, "cpus": "", "memory": 1 << 30, "kind": "memory", "distances": {}},
             {"id": 8, "cpus": "", "memory": 1 << 34, "kind": "gpu", "distances": {}}]
    assert place(topology([gpu(0, "0-7")], nodes=nodes), "0-7", "--gpu", "0") == ("0-7", [1])


# From here on the kernel of this machine is asked.

LIVE = """
import sys
sys.path[:0] = sys.argv[1].split(":")
from ansible_collections.gpuwright.node.plugins.module_utils._runner import bind, main
bind.read_topology = lambda host, gather: {fact!r}
bind.AFFINITY = "/nonexistent"
sys.exit(main.main(["bind", *sys.argv[2:]]))
"""
MINE = sorted(os.sched_getaffinity(0))
NODES = [{"id": 0, "cpus": _cpulist.format(MINE), "memory": 1 << 30, "kind": "cpu", "distances": {"0": 10}}]


@pytest.fixture(name="live")
def fixture_live(checkout):
    """live(*words) -> the finished process of bind with a GPU near the last CPU of this machine."""
    fact = topology([gpu(0, str(MINE[-1]))], cores=(), nodes=NODES)
    fact["cpu"]["online"] = _cpulist.format(MINE)
    code = LIVE.format(fact=fact)

    def run(*words, **environment):
        paths = "%s:%s" % (checkout / ".cache/collections", checkout)
        return subprocess.run([sys.executable, "-I", "-c", code, paths, *words], capture_output=True, text=True,
                              check=False, env=dict({"PATH": os.environ["PATH"]}, **environment))
    return run


STATUS = ["grep", "-h", "-e", "Cpus_allowed_list", "/proc/self/status"]


def test_a_program_and_its_children_run_on_those_cpus_alone(live):
    done = live("--local-rank", "0", "--", "sh", "-c", " ".join(STATUS) + "; exit 7")
    assert (done.stdout.split(), done.returncode) == (["Cpus_allowed_list:", str(MINE[-1])], 7)


def test_the_rank_may_come_from_the_launcher(live):
    assert live("--", *STATUS, LOCAL_RANK="0").stdout.split()[-1] == str(MINE[-1])
    assert live("--", *STATUS, LOCAL_RANK="1").returncode == 2


if os.path.exists("/proc/self/numa_maps"):
    @pytest.mark.parametrize("words, policy", [([], "prefer:0"), (["--membind"], "bind:0")])
    def test_memory_comes_from_that_node(live, words, policy):
        done = live("--gpu", "0", *words, "--", "cat", "/proc/self/numa_maps")
        assert policy in done.stdout.split() and done.stderr == ""


def test_words_of_the_program_stay_its_own(live):
    done = live("--gpu", "0", "--", "printf", "%s\n", "--gpu", "--", "--json", "-h")
    assert done.stdout.split() == ["--gpu", "--", "--json", "-h"]
    assert live("--gpu", "0", "echo", "--gpu").stdout.split() == ["--gpu"]


def test_a_signal_reaches_the_program_itself(live):
    assert live("--gpu", "0", "--", "sh", "-c", "kill -TERM $$").returncode == -15


@pytest.mark.parametrize("program, status, words", [("/no/such", 127, "No such file"),
                                                    ("/etc", 126, "Permission denied")])
def test_a_program_that_cannot_be_started_is_named(live, program, status, words):
    done = live("--gpu", "0", "--", program)
    assert done.returncode == status and "gpuwright bind: %s: %s" % (program, words) in done.stderr


def test_no_program_is_an_error(live):
    done = live("--gpu", "0")
    assert done.returncode == 2 and "which program?" in done.stderr


def test_another_machines_programs_cannot_be_started(node, capsys, monkeypatch):
    monkeypatch.setattr(_process, "environment", dict)
    assert main.main(["bind", "--sysroot", str(node), "--gpu", "0", "--", "true"]) == 2
    assert "only this machine's programs" in capsys.readouterr().err


@pytest.mark.parametrize("strict, status", [(True, 2), (False, 0)])
def test_memory_that_may_not_be_bound_ends_it_only_if_it_must_be(monkeypatch, strict, status):
    def denied(nodes, strict):
        raise OSError(1, "Operation not permitted")
    monkeypatch.setattr(_process, "bind_cpus", lambda numbers: None)
    monkeypatch.setattr(_process, "bind_memory", denied)
    monkeypatch.setattr(_process, "memory_nodes", lambda: {0})
    found = {"gpu": TWO[0], "cpus": {0}, "nodes": [0]}
    if status:
        with pytest.raises(bind.CannotDo, match="NUMA node 0: Operation not permitted .*SYS_NICE"):
            bind._bind(found, strict)
    else:
        assert bind._bind(found, strict) == ["memory of NUMA node 0: Operation not permitted: left as it is"]


def test_memory_that_the_control_group_keeps_away_is_not_asked_for(monkeypatch):
    monkeypatch.setattr(_process, "bind_cpus", lambda numbers: None)
    monkeypatch.setattr(_process, "memory_nodes", lambda: {1})
    assert "may take no memory from NUMA node 0" in bind._bind({"gpu": TWO[0], "cpus": {0}, "nodes": [0]}, False)[0]


EXAMPLES = pathlib.Path(__file__).resolve().parents[5] / "docs/examples"


@pytest.mark.parametrize("example", sorted(EXAMPLES.iterdir()), ids=lambda place: place.name)
def test_the_examples_say_what_the_command_understands(example):
    subprocess.run(["bash", "-n", example], check=True)
    text = example.read_text().replace("\\\n", " ")
    calls = [line.partition("gpuwright ")[2] for line in text.splitlines() if "gpuwright bind " in line]
    assert len(calls) == 1
    args = main._parsed(shlex.split(calls[0]))
    assert args.subcommand == "bind" and args.command
