#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module nccl_run: starts a program of nccl-tests on a node, says what it printed since, and ends it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nccl_run
short_description: Start, follow and end a run of nccl-tests
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Part of the role C(gpuwright.node.nccl_benchmark), whose action calls it. The run outlives the module, so that its
    output can be followed while it goes on.
  - The run has an environment without any C(NCCL_) variable but those that print the log, so that what counts is
    C(/etc/nccl.conf).
  - A run ends, and its folder below C(/var/tmp) goes, when nobody has asked after it for O(lease) seconds, so that an
    ansible-playbook that is killed leaves no process behind.
options:
  do:
    description:
      - V(look) says whether the node is ready; V(start) begins; V(poll) returns what is new; V(stop) ends.
      - V(look) and V(start) fail where a process holds a GPU or an RDMA device, or the program is not there.
    type: str
    required: true
    choices: [look, start, poll, stop]
  launcher:
    description: How the ranks are started. V(single) is one process that has all GPUs of one node.
    type: str
    choices: [single, mpirun, srun]
    default: single
  operations:
    description: The operations to look for.
    type: list
    elements: str
    default: []
  operation:
    description: The operation to start, such as V(all_reduce).
    type: str
  path:
    description: A folder of nccl-tests, or one program.
    type: str
    default: ""
  begin:
    description: The smallest size in bytes.
    type: int
  end:
    description: The largest size in bytes.
    type: int
  factor:
    description: By how much the size grows.
    type: int
    default: 2
  gpus:
    description: GPUs of each host.
    type: int
  hosts:
    description: The hosts, named as the launcher knows them.
    type: list
    elements: str
    default: []
  iterations:
    description: How often each size is measured.
    type: int
    default: 20
  warmup:
    description: How often each size runs before that.
    type: int
    default: 5
  check:
    description: Whether results are compared with what they must be.
    type: bool
    default: true
  environment:
    description: Variables for every rank.
    type: dict
    default: {}
  library_path:
    description: What E(LD_LIBRARY_PATH) is to be.
    type: str
    default: ""
  command_prefix:
    description: Words before the program, such as those that start a container.
    type: list
    elements: str
    default: []
  launcher_options:
    description: More words for C(mpirun) or C(srun).
    type: list
    elements: str
    default: []
  seconds:
    description: How long the run may take.
    type: int
    default: 900
  lease:
    description: After how many seconds a run ends that nobody asked after.
    type: int
    default: 60
  allow:
    description: V(busy) measures although processes hold GPUs.
    type: list
    elements: str
    choices: [busy]
    default: []
  id:
    description: The run, as V(start) named it.
    type: str
  offset:
    description: How much of the output was returned before.
    type: int
    default: 0
  wait:
    description: For how many seconds V(poll) waits for the end.
    type: int
    default: 0
attributes:
  check_mode:
    description: V(start) returns the whole command, and starts nothing.
    support: full
  diff_mode:
    description: Returns no diff.
    support: none
seealso:
  - module: gpuwright.node.nccl_benchmark
"""

EXAMPLES = r"""
- name: Would this node be ready
  gpuwright.node.nccl_run:
    do: look
    operations: [all_reduce]

- name: What would be started
  gpuwright.node.nccl_run:
    do: start
    operation: all_reduce
    begin: 8
    end: 8589934592
    gpus: 8
    hosts: [localhost]
  check_mode: true
"""

RETURN = r"""
id:
  description: The folder and name of the run; null in check mode.
  returned: start
  type: str
command:
  description: The command that was started, or would be.
  returned: start
  type: list
  elements: str
output:
  description: What was printed since O(offset), in whole lines.
  returned: poll
  type: str
offset:
  description: The O(offset) to ask with next.
  returned: poll
  type: int
ended:
  description: Whether the run is over.
  returned: poll
  type: bool
status:
  description: The exit status of the launcher; null while it runs, and where the time limit ended it.
  returned: poll
  type: int
timed_out:
  description: Whether the time limit ended the run.
  returned: poll
  type: bool
programs:
  description: The program of each operation.
  returned: look
  type: dict
for_mpi:
  description: Whether each program was built with MPI; null where that cannot be seen.
  returned: look
  type: dict
jobs:
  description: The processes that hold a GPU or an RDMA device.
  returned: look
  type: list
  elements: dict
complete:
  description: Whether every process could be looked into.
  returned: look
  type: bool
left:
  description: Folders of runs that go on here at the same time.
  returned: look
  type: list
  elements: str
conf:
  description: The variables that C(/etc/nccl.conf) sets.
  returned: look
  type: dict
ran:
  description: Whether anything ran that had to be ended.
  returned: stop
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark import run
from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host

_WORDS = {"type": "list", "elements": "str", "default": []}


def main():
    """Do one of four things."""
    module = AnsibleModule(
        argument_spec={
            "do": {"type": "str", "required": True, "choices": ["look", "start", "poll", "stop"]},
            "launcher": {"type": "str", "default": "single", "choices": ["single", "mpirun", "srun"]},
            "operations": _WORDS, "operation": {"type": "str"}, "path": {"type": "str", "default": ""},
            "begin": {"type": "int"}, "end": {"type": "int"}, "factor": {"type": "int", "default": 2},
            "gpus": {"type": "int"}, "hosts": _WORDS, "iterations": {"type": "int", "default": 20},
            "warmup": {"type": "int", "default": 5}, "check": {"type": "bool", "default": True},
            "environment": {"type": "dict", "default": {}}, "library_path": {"type": "str", "default": ""},
            "command_prefix": _WORDS, "launcher_options": _WORDS, "seconds": {"type": "int", "default": 900},
            "lease": {"type": "int", "default": 60}, "allow": dict(_WORDS, choices=["busy"]),
            "id": {"type": "str"}, "offset": {"type": "int", "default": 0},
            "wait": {"type": "int", "default": 0}},
        required_if=[("do", "start", ("operation", "begin", "end", "gpus")), ("do", "poll", ("id",)),
                     ("do", "stop", ("id",))],
        supports_check_mode=True,
    )
    asked = module.params
    try:
        module.exit_json(changed=False, **_do(Host(read_only=module.check_mode), asked))
    except (run.Refused, CommandNotRun, OSError) as error:
        module.fail_json(msg=str(error))


def _do(host, asked):
    """What one of the four returns."""
    if asked["do"] == "look":
        return run.look(host, asked, asked["allow"])
    if asked["do"] == "start":
        return run.start(host, asked, asked["allow"], asked["seconds"], asked["lease"])
    if asked["do"] == "poll":
        return run.poll(host, asked["id"], asked["offset"], asked["wait"])
    return {"ran": run.stop(host, asked["id"])}


if __name__ == "__main__":
    main()
