# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CPUs are for what: what holds of every machine, on generated ones, and each rule on one made for it."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist
from ansible_collections.gpuwright.node.plugins.module_utils._derive.cpu_partition import cpu_partition

from tests.sysroots import partition
from tests.sysroots.any_machine import machines


def topology(*nodes, gpus=(), nics=(), **cpu):
    """A machine of NUMA nodes, each a list of cores such as "0,4"; nodes without cores have memory only."""
    cores = [{"cpus": core, "package": 0, "numa_node": number} for number, here in enumerate(nodes) for core in here]
    online = [cpu for core in cores for cpu in _cpulist.parse(core["cpus"])]
    return {
        "cpu": dict({"online": _cpulist.format(online), "cores": cores, "caches": []}, **cpu),
        "numa_nodes": [{"id": number, "cpus": _cpulist.format(_cpulist.parse(",".join(here))), "distances": None,
                        "memory": 1 << 36, "kind": "cpu" if here else "memory"} for number, here in enumerate(nodes)],
        "gpus": [dict({"index": index, "numa_node": None, "cpus": None}, **gpu) for index, gpu in enumerate(gpus)],
        "nics": [{"pci_address": "0000:%02x:00.0" % number, "cpus": cpus} for number, cpus in enumerate(nics)],
        "rdma_devices": [],
    }


def cores(first, last, siblings=0):
    """Cores of one CPU each, or of two where the sibling's number is so much higher."""
    return ["%d,%d" % (cpu, cpu + siblings) if siblings else str(cpu) for cpu in range(first, last + 1)]


# -- Any machine -------------------------------------------------------------------------------------------------------


@given(machines(), st.integers(1, 4))
def test_of_any_machine_each_cpu_is_for_one_thing_and_no_core_is_split(machine, count):
    before = copy.deepcopy(machine)
    answer = cpu_partition(machine, count)
    partition.check(machine, answer, count)
    assert machine == before, "the topology was changed"
    assert cpu_partition(copy.deepcopy(machine), count) == answer


@given(machines())
def test_the_order_in_which_cores_and_nics_are_listed_decides_nothing(machine):
    turned = dict(machine, cpu=dict(machine["cpu"], cores=machine["cpu"]["cores"][::-1]), nics=machine["nics"][::-1])
    assert cpu_partition(turned) == cpu_partition(machine)


@given(machines())
def test_a_machine_of_one_node_with_cores_to_spare_is_not_refused(machine):
    least = 2 + max(len(machine["gpus"]), 1)
    placed = {core["numa_node"] for core in machine["cpu"]["cores"]}
    refused = cpu_partition(machine)["refused"]
    assert bool(refused) or len(machine["cpu"]["cores"]) > 2
    assert not (refused and len(placed) == 1 and len(machine["cpu"]["cores"]) >= least), refused


def test_the_generated_machines_are_not_all_refused():
    """Or the properties above would say little: enough are parted, and of those enough have GPUs."""
    parted = []

    @given(machines())
    def look(machine):
        answer = cpu_partition(machine)
        parted.append(len(answer["gpus"]) if not answer["refused"] else -1)
    look()
    assert sum(gpus >= 0 for gpus in parted) > len(parted) / 4
    assert sum(gpus > 1 for gpus in parted) > 20


# -- Housekeeping ------------------------------------------------------------------------------------------------------


def test_two_sockets_with_siblings():
    answer = cpu_partition(topology(cores(0, 3, 8), cores(4, 7, 8), gpus=[{"numa_node": 0}, {"numa_node": 1}]))
    assert answer == {
        "housekeeping": "0-1,4-5,8-9,12-13", "workload": "2-3,6-7,10-11,14-15",
        "gpus": {"0": "2-3,10-11", "1": "6-7,14-15"}, "refused": None,
        "numa_nodes": {"0": {"housekeeping": "0-1,8-9", "workload": "2-3,10-11"},
                       "1": {"housekeeping": "4-5,12-13", "workload": "6-7,14-15"}}}


@pytest.mark.parametrize(("count", "housekeeping"), [(1, "0"), (2, "0-1"), (3, "0-2"), ("3", "0-2"), (" 2 ", "0-1")])
def test_as_many_cores_as_are_asked_for(count, housekeeping):
    assert cpu_partition(topology(cores(0, 7)), count)["housekeeping"] == housekeeping


@pytest.mark.parametrize("count", [0, -1, True, False, None, 2.0, "", "two", "-1", "²", [2]])
def test_a_number_of_cores_that_is_none_is_an_error(count):
    with pytest.raises(ValueError, match="housekeeping_cores_per_node: .* is not a whole number of cores from 1 on"):
        cpu_partition(topology(cores(0, 7)), count)


def test_where_cpu_0_is_offline_the_lowest_one_stays():
    assert cpu_partition(topology(["5,9", "3,7", "4,8"]), 1)["housekeeping"] == "3,7"


def test_cpu_0_stays_where_its_node_is_not_the_first():
    answer = cpu_partition(topology(cores(4, 7), cores(0, 3)), 1)
    assert answer["numa_nodes"]["1"] == {"housekeeping": "0", "workload": "1-3"}


def test_cores_near_the_nics_come_before_others():
    machine = topology(cores(0, 7), nics=["4-7", "4-7", "0-7"])
    assert cpu_partition(machine)["housekeeping"] == "0,4"


def test_the_interface_and_the_rdma_device_of_one_card_count_once():
    machine = topology(cores(0, 7), nics=["6-7", "4-5"])
    machine["rdma_devices"] = [dict(machine["nics"][0], name="mlx5_0")]
    assert cpu_partition(machine)["housekeeping"] == "0,4"


def test_nics_near_the_whole_node_change_nothing():
    assert cpu_partition(topology(cores(0, 7), nics=["0-7", None]))["housekeeping"] == "0-1"


def test_housekeeping_keeps_to_one_cache():
    caches = [{"level": 3, "size": 1, "cpus": "0,2,4,6"}, {"level": 3, "size": 1, "cpus": "1,3,5,7"}]
    assert cpu_partition(topology(cores(0, 7), caches=caches), 3)["housekeeping"] == "0,2,4"


def test_of_a_hybrid_processor_cpu_0_and_an_e_core():
    answer = cpu_partition(topology(["0-1", "2-3", "4-5", "6", "7", "8", "9"], gpus=[{}, {}]))
    assert answer["housekeeping"] == "0-1,6"
    assert answer["gpus"] == {"0": "2-3,7-8", "1": "4-5,9"}, "P-cores and E-cores for each"


def test_cpus_that_the_boot_isolated_are_dealt_like_others():
    assert cpu_partition(topology(cores(0, 7), isolated="2-7")) == cpu_partition(topology(cores(0, 7), isolated=""))


# -- GPUs --------------------------------------------------------------------------------------------------------------


def test_what_is_left_over_goes_to_the_first_gpus():
    answer = cpu_partition(topology(cores(0, 9), gpus=[{"numa_node": 0}] * 3))
    assert answer["gpus"] == {"0": "2-4", "1": "5-7", "2": "8-9"}


def test_a_gpu_gets_cores_below_one_cache():
    caches = [{"level": 3, "size": 1, "cpus": "0,2,4,6"}, {"level": 3, "size": 1, "cpus": "1,3,5,7"}]
    answer = cpu_partition(topology(cores(0, 7), caches=caches, gpus=[{}, {}]))
    assert answer["gpus"] == {"0": "1,4,6", "1": "3,5,7"}


def test_a_gpu_on_a_node_without_cpus_gets_cores_of_the_nearest():
    machine = topology(cores(0, 3), cores(4, 7), [], gpus=[{"numa_node": 2}])
    machine["numa_nodes"][2]["distances"] = {"0": 80, "1": 40, "2": 10}
    assert cpu_partition(machine)["gpus"] == {"0": "6-7"}
    assert sorted(cpu_partition(machine)["numa_nodes"]) == ["0", "1"]


@pytest.mark.parametrize(("gpu", "cpus"), [
    ({"cpus": "4-7"}, "6-7"), ({"cpus": "0-7"}, "2-3"), ({"numa_node": 9}, "2-3")])
def test_a_gpu_of_unknown_node_goes_by_its_cpus(gpu, cpus):
    assert cpu_partition(topology(cores(0, 3), cores(4, 7), gpus=[gpu]))["gpus"] == {"0": cpus}


def test_gpus_of_unknown_node_go_where_most_cores_are():
    gpus = [{}, {"numa_node": 0}, {"numa_node": 0}, {"numa_node": 1}]
    answer = cpu_partition(topology(cores(0, 5), cores(6, 11), gpus=gpus))
    assert answer["gpus"] == {"0": "8-9", "1": "2-3", "2": "4-5", "3": "10-11"}


def test_a_gpu_of_unknown_node_is_not_sent_where_nothing_is_left():
    assert cpu_partition(topology(cores(0, 1), cores(2, 4), gpus=[{}]))["gpus"] == {"0": "4"}


# -- Odd kernels, and what is refused ----------------------------------------------------------------------------------


def test_a_kernel_without_numa_is_one_node():
    machine = topology(cores(0, 3), gpus=[{}])
    machine["numa_nodes"] = []
    for core in machine["cpu"]["cores"]:
        core["numa_node"] = None
    assert cpu_partition(machine)["numa_nodes"] == {"0": {"housekeeping": "0-1", "workload": "2-3"}}
    assert cpu_partition(machine)["gpus"] == {"0": "2-3"}


def test_cores_that_no_node_claims_belong_to_the_only_one():
    machine = topology([], cores(0, 3))
    machine["numa_nodes"][1]["cpus"] = machine["cpu"]["cores"][3]["numa_node"] = None
    assert cpu_partition(machine)["numa_nodes"] == {"1": {"housekeeping": "0-1", "workload": "2-3"}}


def unclaimed():
    """Which of two nodes a core is on, is not known."""
    machine = topology(cores(0, 3), cores(4, 7))
    machine["cpu"]["cores"][7]["numa_node"] = None
    return machine


@pytest.mark.parametrize(("machine", "count", "words"), [
    (topology(["0-7"]), 2, "no core is left for work: housekeeping takes 2 cores of each NUMA node, and none has more"),
    (topology(["0"]), 1, "takes 1 core of each NUMA node, and none has more than 1"),
    (topology(cores(0, 1), cores(2, 3)), 2, "none has more than 2"),
    (topology(cores(0, 1), cores(2, 7), gpus=[{"numa_node": 0}]), 2, "NUMA node 0 has 0 cores left for GPU 0, once"),
    (topology(cores(0, 4), gpus=[{}] * 4), 2, "NUMA node 0 has 3 cores left for GPUs 0-3, once housekeeping has 2"),
    (topology(cores(0, 7), cores=[]), 2, "the topology names no cores"),
    (topology(cores(0, 7), cores=None), 2, "the topology names no cores"),
    (topology(cores(0, 7), online="0-9"), 2, "CPUs 8-9 are in no core or in several"),
    (topology(cores(0, 7) + ["7"]), 2, "CPUs 7 are in no core or in several"),
    (unclaimed(), 2, "1 core on one of the NUMA nodes 0-1, and it is not known on which"),
    (topology(cores(0, 7), nics=["0-x"]), 2, "'0-x' is not a list of CPUs"),
], ids=lambda value: value if isinstance(value, str) else None)
def test_a_refusal_says_why_and_gives_every_cpu_to_housekeeping(machine, count, words):
    answer = cpu_partition(machine, count)
    assert words in answer["refused"]
    assert answer["housekeeping"] == machine["cpu"]["online"]
    assert (answer["workload"], answer["gpus"]) == ("", {})
    assert all(node["workload"] == "" and node["housekeeping"] for node in answer["numa_nodes"].values())


@pytest.mark.parametrize("machine", [{"numa_nodes": []}, {"numa_nodes": [], "cpu": {}}, {"numa_nodes": None, "cpu": {
    "online": "a", "cores": []}}])
def test_a_topology_of_nothing_is_refused(machine):
    answer = cpu_partition(machine)
    assert "names no cores" in answer.pop("refused")
    assert answer == {"housekeeping": "", "workload": "", "gpus": {},
                      "numa_nodes": {"0": {"housekeeping": "", "workload": ""}}}


def test_a_small_node_without_a_gpu_is_all_housekeeping_and_others_work():
    answer = cpu_partition(topology(cores(0, 1), cores(2, 7), gpus=[{"numa_node": 1}]))
    assert answer["numa_nodes"]["0"] == {"housekeeping": "0-1", "workload": ""}
    assert answer["gpus"] == {"0": "4-7"}
