# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role nccl_env with every row set: it goes round in a virtual machine, alone or over another file, and under kills."""

from __future__ import annotations

import functools
import json
import os
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result
from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._settings import nccl_env

from tests.sysroots import engine, plain_node
from tests.sysroots.engine import killed_at, statuses, steps

ROLE, CONF, ENVIRONMENT, TREE = "nccl_env", "etc/nccl.conf", "etc/gpuwright/nccl.env", "etc/gpuwright/nccl-topo.xml"
SYSTEM = """<system version="1">
  <cpu host_hash="0x0" numaid="0" affinity="ffffffff" arch="x86_64" vendor="GenuineIntel" familyid="6" modelid="85">
    <pci busid="0000:10:00.0" class="0x060400" link_speed="16.0 GT/s PCIe" link_width="16"/>
  </cpu>
</system>
"""
FURTHER = {"NCCL_P2P_LL_THRESHOLD": 16384, "NCCL_IB_AR_THRESHOLD": "8192", "NCCL_NET": "IB"}
# Every row, as an operator may write it: numbers and texts.
VALUES = {
    "NCCL_IB_HCA": "=mlx5_0:1,mlx5_1:1", "NCCL_SOCKET_IFNAME": "=eth0", "NCCL_SOCKET_FAMILY": "AF_INET",
    "NCCL_IB_TC": 106, "NCCL_GIN_IB_TC": 106, "NCCL_IB_FIFO_TC": 192, "NCCL_IB_SL": 0, "NCCL_IB_GID_INDEX": -1,
    "NCCL_IB_ADDR_FAMILY": "AF_INET6", "NCCL_IB_ADDR_RANGE": "fd00:1::/64", "NCCL_IB_ROCE_VERSION_NUM": 2,
    "NCCL_IB_TIMEOUT": "22", "NCCL_IB_RETRY_CNT": 7, "NCCL_IB_QPS_PER_CONNECTION": 2, "NCCL_IB_SPLIT_DATA_ON_QPS": 1,
    "NCCL_IB_MERGE_NICS": 0, "NCCL_NET_MERGE_POLICY": "RAIL", "NCCL_NETDEVS_POLICY": "MAX:2", "NCCL_CROSS_NIC": 0,
    "NCCL_TOPO_FILE": "/etc/gpuwright/nccl-topo.xml", "NCCL_DEBUG": "INFO", "NCCL_DEBUG_SUBSYS": "INIT,NET",
    "NCCL_DEBUG_FILE": "/var/log/nccl/%h.%p", "NCCL_RAS_ENABLE": 0, "NCCL_RAS_ADDR": "[::1]:28029",
    "NCCL_IGNORE_CPU_AFFINITY": 1, "NCCL_MIN_CTAS": 2, "NCCL_MAX_CTAS": 32, "NCCL_NVLS_ENABLE": 0,
    "NCCL_DMABUF_ENABLE": 0, "NCCL_CUMEM_HOST_ENABLE": 0, "NCCL_ALGO": "allreduce:Ring,Tree", "NCCL_PROTO": "^LL128",
    "NCCL_BUFFSIZE": "0x200000", "NCCL_NTHREADS": 256, "NCCL_MIN_NCHANNELS": 2, "NCCL_MAX_NCHANNELS": 4,
    "NCCL_NET_GDR_LEVEL": "PHB", "NCCL_IB_DISABLE": 0, "NCCL_IB_PCI_RELAXED_ORDERING": 1, "NCCL_*": FURTHER,
    "nccl-topo.xml": SYSTEM}
OPTIONS = {
    "nccl_env_debugging": True, "nccl_env_min_version": "2.31", "nccl_env_further_names": list(FURTHER),
    "nccl_env_fabric": "rail", "nccl_env_workload": "training", "nccl_env_multi_node": None,
    "nccl_env_cluster_gpus": 2048, "nccl_env_compute_nics": None, "nccl_env_storage_nics": None,
    "nccl_env_socket_interfaces": ["eth0"], "nccl_env_inter_rail_path": False, "nccl_env_address_family": "IPv6",
    "nccl_env_traffic_class": {}, "nccl_env_pcie_switches": None,
    "nccl_env_derived": {"NCCL_IB_TIMEOUT": {"value": "22", "why": "more than 1024 GPUs (cluster_gpus=2048)"}}}
# Somebody else's: not ours to touch but as a whole; NCCL takes its quotes and spaces to the letter.
FOREIGN = 'NCCL_IB_TC=160\r\n NCCL_DEBUG=INFO\nNCCL_IB_HCA="mlx5"\nexport X=1\nNCCL_ALGO=Ring  # theirs'
# The machine of this test is a virtual one, with the RDMA devices that the list names and no other.
MACHINE = {"/sys/class/dmi/id/sys_vendor": "Amazon EC2", "/proc/sys/kernel/arch": "x86_64"}
MACHINE.update({"/sys/class/infiniband/mlx5_%d/ports/1/%s" % (number, name): text for number in (0, 1)
                for name, text in (("state", "4: ACTIVE"), ("link_layer", "InfiniBand"))})
TAKEN = {"foreign": ["nccl.conf"], "none": []}

roll_back = engine.roll_back
plan = functools.partial(engine.plan, role=ROLE, values=VALUES, options=OPTIONS)


def apply(root, values=None, options=None, **request):
    return engine.apply(root, ROLE, VALUES if values is None else values, options=dict(OPTIONS, **options or {}),
                        **request)


def build(folder, kind):
    root = plain_node.build(folder, **MACHINE)
    if kind == "foreign":
        (root / CONF).write_bytes(FOREIGN.encode())
        (root / CONF).chmod(0o640)
    return root


def as_nccl_reads(text):
    """{name: value} of an nccl.conf: the first line counts, nothing is trimmed."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            found.setdefault(*line.split("=", 1))
    return found


def but_for_a_boot(root):
    """The host without what a killed run leaves in /run, which the next boot clears."""
    return {path: what for path, what in plain_node.snapshot(root).items() if not path.startswith("/run/gpuwright")}


def wanted():
    given = {name: str(value) for name, value in VALUES.items() if name.startswith("NCCL_") and name != "NCCL_*"}
    given.update({name: str(value) for name, value in FURTHER.items()}, NCCL_BUFFSIZE="2097152",
                 NCCL_ALGO="AllReduce:Ring,Tree")
    return given


def test_every_row_and_every_option_is_asked_for():
    assert set(VALUES) == {row.name for row in nccl_env.ROWS}
    assert set(OPTIONS) == {option["name"] for option in nccl_env.OPTIONS}
    assert isinstance(nccl_env.RULES, tuple) and all(isinstance(rule, types.FunctionType) for rule in nccl_env.RULES)


@pytest.mark.parametrize("kind", sorted(TAKEN))
def test_every_row_goes_round(tmp_path, kind):
    """Check, apply, audit, apply again, roll back: the steps agree and every byte comes back."""
    root, taken = build(tmp_path, kind), TAKEN[kind]
    before = plain_node.snapshot(root)
    checked = _result.result(plan(root, take_over=taken))
    assert plain_node.snapshot(root) == before
    applied = apply(root, take_over=taken)
    assert _result.failures(applied) == []
    told = _result.result(applied)
    kept = [{key: value for key, value in step.items() if key not in ("changed", "after", "error")}
            for step in told["settings"]]
    assert kept == checked["settings"] and told["diff"] == checked["diff"]
    assert {step["target"] for step in kept} == set(wanted()) | {"nccl-topo.xml"}
    assert {step["status"] for step in kept} == {"drift"} and told["reboot_required"] is False
    assert as_nccl_reads((root / CONF).read_text()) == wanted() == as_nccl_reads((root / ENVIRONMENT).read_text())
    assert (root / TREE).read_text() == SYSTEM
    assert {(root / path).stat().st_mode & 0o777 for path in (CONF, ENVIRONMENT, TREE)} == {0o644}
    assert set(statuses(plan(root, take_over=taken)).values()) == {"ok"}
    settled = plain_node.snapshot(root)
    again = apply(root, take_over=taken)
    assert not again.due and plain_node.snapshot(root) == settled
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


@pytest.mark.parametrize("kind", sorted(TAKEN))
def test_what_is_let_go_comes_back(tmp_path, kind):
    root = build(tmp_path, kind)
    before = but_for_a_boot(root)
    apply(root, take_over=TAKEN[kind])
    made = apply(root, dict.fromkeys(VALUES), {"nccl_env_further_names": []}, take_over=TAKEN[kind])
    assert _result.failures(made) == [] and not (root / ENVIRONMENT).exists() and not (root / TREE).exists()
    assert plain_node.snapshot(root).get("/" + CONF) == before.get("/" + CONF)
    assert roll_back(root).errors == [] and but_for_a_boot(root) == before


def test_a_file_of_somebody_elses_is_not_touched_unless_it_is_handed_over(tmp_path):
    root = build(tmp_path, "foreign")
    before = plain_node.snapshot(root)["/" + CONF]
    made = apply(root)
    assert {name for name, status in statuses(made).items() if status != "conflict"} == {"nccl-topo.xml"}
    assert "/etc/nccl.conf:1, which is not ours, has NCCL_IB_TC=" in steps(made)["NCCL_IB_TC"]["reason"]
    assert plain_node.snapshot(root)["/" + CONF] == before and not (root / ENVIRONMENT).exists()


@pytest.mark.parametrize("kind", sorted(TAKEN))
def test_a_kill_at_any_moment_loses_nothing(tmp_path, monkeypatch, kind):
    """Killed before each call that changes the host; then the next run finishes, or a rollback gives all of it back."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    action = functools.partial(apply, take_over=TAKEN[kind])
    for count in range(1000):
        root = build(tmp_path / str(count), kind)
        before = but_for_a_boot(root)
        if not killed_at(count, action, root):
            break
        text = (root / CONF).read_text() if (root / CONF).exists() else ""
        assert as_nccl_reads(text) in (as_nccl_reads(FOREIGN if kind == "foreign" else ""), wanted()), count
        if count % 2:
            assert _result.failures(action(root)) == [], count
            assert set(statuses(plan(root, take_over=TAKEN[kind])).values()) == {"ok"}, count
        assert roll_back(root).errors == [], count
        assert but_for_a_boot(root) == before, count
    assert count > 20


def test_a_kill_during_rollback_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    for count in range(1000):
        root = build(tmp_path / str(count), "foreign")
        before = but_for_a_boot(root)
        apply(root, take_over=TAKEN["foreign"])
        killed = killed_at(count, roll_back, root)
        assert roll_back(root).errors == [], count
        assert but_for_a_boot(root) == before, count
        if not killed:
            break
    assert count > 5


def test_one_further_variable_that_is_refused_takes_no_other_with_it(tmp_path):
    root = build(tmp_path, "none")
    further = {"NCCL_P2P_LEVEL": "NVL", "NCCL_SOCKET_NTHREADS": 4}
    made = apply(root, {"NCCL_*": further}, {"nccl_env_debugging": False, "nccl_env_further_names": list(further)})
    assert statuses(made) == {"NCCL_P2P_LEVEL": "refused", "NCCL_SOCKET_NTHREADS": "drift"}
    assert as_nccl_reads((root / CONF).read_text()) == {"NCCL_SOCKET_NTHREADS": "4"}
    assert [words.partition(":")[0] for words in _result.failures(made)] == ["NCCL_P2P_LEVEL is refused by R19"]


def test_the_request_is_kept_with_who_asked_for_it(tmp_path):
    root = build(tmp_path, "none")
    apply(root)
    kept = json.loads((root / "etc/gpuwright/desired/nccl_env.json").read_text())
    assert kept["values"]["NCCL_*"] == FURTHER and kept["options"]["nccl_env_min_version"] == "2.31"


@pytest.mark.parametrize("values, words", [
    ({"NCCL_IB_HCA": "mlx5"}, "every entry is the beginning of a name"), ({"NCCL_ALGO": "auto"}, "auto"),
    ({"NCCL_NET_GDR_LEVEL": 5}, "means SYS"), ({"NCCL_BUFFSIZE": "4M"}, "NCCL would take it for 4"),
    ({"NCCL_DEBUG": True}, "nccl_env_debug .*unquoted"), ({"NCCL_*": {"NCCL_IB_TC": 1}}, "nccl_env_ib_tc")])
def test_what_nccl_reads_otherwise_than_it_looks_is_refused_before_anything_is_written(tmp_path, values, words):
    root = build(tmp_path, "none")
    before = plain_node.snapshot(root)
    with pytest.raises(BadInput, match=words):
        apply(root, values)
    assert plain_node.snapshot(root) == before
