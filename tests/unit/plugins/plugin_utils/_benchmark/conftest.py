# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures with the stand-in of nccl-tests on nodes that are all this machine, without Ansible between."""

from __future__ import annotations

import os
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark import run as node
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology.node import read_topology
from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import execute

from tests.sysroots import eight_gpu, nccl_tests_tool


@pytest.fixture(scope="session")
def topology(tmp_path_factory):
    """A training node of eight GPUs and eight rails."""
    return read_topology(Host(str(eight_gpu.build(tmp_path_factory.mktemp("sysroot")))))


@pytest.fixture
def bench(tmp_path, monkeypatch, topology):
    """`bench.run(hosts, ...)` makes a run, `bench.measure(run)` carries it out: its records; `bench.looks` of hosts."""
    tools = nccl_tests_tool.install(tmp_path / "tools", {})
    (tmp_path / "runs").mkdir()
    monkeypatch.setattr(node, "PLACE", str(tmp_path / "runs"))
    monkeypatch.setattr(node.jobs, "live_jobs", lambda _host: ([], True))
    bench = types.SimpleNamespace(said=[], output="", left=lambda: list((tmp_path / "runs").iterdir()),
                                  put=lambda **world: nccl_tests_tool.put(tools, world),
                                  started=lambda: nccl_tests_tool.started(tools), wanted=lambda: True)

    def make(*hosts, operations=("all_reduce",), launches=((1 << 20, 1 << 30, 32),), seconds=60, variants=None):
        work = [{"operation": operation, "variant": variant, "environment": values, "launches": launches}
                for operation in operations for variant, values in (variants or {"": {}}).items()]
        launch = {"launcher": "mpirun" if len(hosts) > 1 else "single", "launcher_options": [], "iterations": 20,
                  "warmup": 5, "check": True, "allow": [], "path": str(tools), "library_path": "",
                  "command_prefix": [], "gpus": 2, "hosts": list(hosts), "seconds": seconds,
                  "environment": {"PATH": "%s:%s" % (tools, os.environ["PATH"]), "NODE": hosts[0]}}
        return {"id": "+".join(hosts), "scope": "group" if len(hosts) > 1 else "node", "search": False,
                "hosts": list(hosts), "excuse": None, "launch": launch, "work": work}

    def ask(arguments, read_only=False):
        host, what = Host(read_only=read_only), arguments["do"]
        try:
            if what == "start":
                said = node.start(host, arguments, arguments["allow"], arguments["seconds"], arguments["lease"])
            elif what == "poll":
                said = node.poll(host, arguments["id"], arguments["offset"], arguments["wait"])
            else:
                said = {"ran": node.stop(host, arguments["id"])}
        except node.Refused as error:
            return {"failed": str(error)}
        return dict(said, failed=None)

    def measure(run, asked=ask):
        records = []
        for record, output in execute.carry_out(run, asked, bench.said.append, bench.wanted, lambda _seconds: None):
            records.append(record)
            bench.output += output
        return records

    bench.run, bench.ask, bench.measure = make, ask, measure
    bench.looks = lambda *hosts: {host: {"topology": topology, "conf": {}, "nvlink_domain": None} for host in hosts}
    return bench
