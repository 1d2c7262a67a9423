#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vllm_bench: starts `vllm bench serve` beside an engine that runs, follows it, and profiles an engine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vllm_bench
short_description: Measure or profile an instance of vLLM on its node
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Part of the role C(gpuwright.node.vllm_benchmark), whose action calls it. The run outlives the module, so that it
    can be followed while it goes on.
  - The program is that of the instance itself, in its environment, as its user and in its container. The API key is in
    the variable E(OPENAI_API_KEY) and in no argument.
  - A run ends when nobody has asked after it for O(lease) seconds; a profile then ends too, and the engine is restarted
    as it was. What changes its command lies below C(/run) and does not outlive a reboot.
options:
  do:
    description:
      - V(look) says which instances could be measured, V(start) begins a run, V(poll) returns what is new of it, with
        its figures once it ended, and V(stop) ends it.
      - V(profile) restarts an instance under C(nsys profile), V(see) says how far that is, and V(restore) restarts it
        as it was. V(stats), V(fetch) and V(forget) are for the report.
    type: str
    required: true
    choices: [look, start, poll, stop, profile, see, restore, stats, fetch, forget]
  names:
    description: The instances to look at; without any all of this node.
    type: list
    elements: str
    default: []
  name:
    description: The instance.
    type: str
  load:
    description: The requests to send, as the role's action made it of the role's variables.
    type: dict
    default: {}
  number:
    description: Which run it is, from 0 on. Each has prompts of its own.
    type: int
    default: 0
  sent:
    description: How many requests the run sends in all, to tell those of others from them.
    type: int
    default: 0
  allow:
    description:
      - V(busy) measures although others use the engine. V(restart) lets a profile restart it.
    type: list
    elements: str
    choices: [busy, restart]
    default: []
  lease:
    description: After how many seconds a run ends that nobody asked after.
    type: int
    default: 60
  id:
    description: The run or the profile, as V(start) or V(profile) named it.
    type: str
  guard:
    description: A profile that goes on meanwhile, and is still wanted.
    type: str
  offset:
    description: How much of the output, or of the report, was returned before.
    type: int
    default: 0
  wait:
    description: For how many seconds V(poll) waits for the end.
    type: int
    default: 0
  profile:
    description: The C(delay) and C(duration) of the profile in seconds, and C(nsys), the program.
    type: dict
    default: {}
  output:
    description: The report on the node, without its ending.
    type: str
  unit:
    description: The unit that is profiled.
    type: str
attributes:
  check_mode:
    description: V(start) and V(profile) return the whole command, and start nothing.
    support: full
  diff_mode:
    description: Returns no diff.
    support: none
seealso:
  - module: gpuwright.node.vllm_benchmark
  - module: gpuwright.node.vllm_service
"""

EXAMPLES = r"""
- name: Which instances could be measured
  gpuwright.node.vllm_bench:
    do: look
    load: {dataset: random, dataset_path: null, requests: 100, warmup: 0, request_rate: inf, concurrency: 16,
           input_tokens: 512, output_tokens: 128, ignore_eos: true, seed: 0, arguments: {}, timeout: 600}
"""

RETURN = r"""
instances:
  description: Instance to C(why) it cannot be measured, or the C(command) that would be started.
  returned: look
  type: dict
profile:
  description: The C(nsys), C(delay) and C(command) of a profile that could begin, null where none was asked for.
  returned: look
  type: dict
id:
  description: The folder and name of the run or profile; null in check mode.
  returned: start and profile
  type: str
command:
  description: The command that was started, or would be.
  returned: start and profile
  type: list
  elements: str
output:
  description: What was printed since O(offset) with V(poll), and with V(profile) where the report will lie.
  returned: poll and profile
  type: str
ended:
  description: Whether the run is over.
  returned: poll
  type: bool
status:
  description: The exit status of the program; null while it runs, and where the time limit ended it.
  returned: poll
  type: int
timed_out:
  description: Whether the time limit ended the run.
  returned: poll
  type: bool
measured:
  description: Once it ended C(result), or C(why) there is none, and C(others), the requests of others meanwhile.
  returned: poll
  type: dict
ran:
  description: Whether anything ran that had to be ended.
  returned: stop
  type: bool
delay:
  description: After how many seconds since the engine's start the profile begins.
  returned: profile
  type: int
unit:
  description: The unit that was restarted.
  returned: profile
  type: str
lease:
  description: After how many seconds that nobody asks after a profile the engine is restarted as it was.
  returned: profile
  type: int
serves:
  description: Whether the engine answers.
  returned: see
  type: bool
state:
  description: What systemd says of the unit.
  returned: see
  type: str
size:
  description: The bytes of the report, null until it is there.
  returned: see
  type: int
left:
  description: What earlier profiles of the instance left on the node, and was not fetched. It stays there.
  returned: profile
  type: dict
restored:
  description: Whether the engine had to be restarted as it was.
  returned: restore
  type: bool
text:
  description: What C(nsys stats) says, null where it does not.
  returned: stats
  type: str
why:
  description: Why it does not.
  returned: stats
  type: str
data:
  description: A part of the report in base64, empty at its end.
  returned: fetch
  type: str
offset:
  description: The O(offset) to ask with next.
  returned: poll and fetch
  type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark import run as held
from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model import volume
from ansible_collections.gpuwright.node.plugins.module_utils._vllm_bench import profile, run
from ansible_collections.gpuwright.node.plugins.module_utils._vllm_bench.running import Refused

_WORDS = {"type": "list", "elements": "str", "default": []}


def main():
    """Do one of ten things."""
    module = AnsibleModule(
        argument_spec={
            "do": {"type": "str", "required": True, "choices": [
                "look", "start", "poll", "stop", "profile", "see", "restore", "stats", "fetch", "forget"]},
            "names": _WORDS, "name": {"type": "str"}, "load": {"type": "dict", "default": {}},
            "number": {"type": "int", "default": 0}, "sent": {"type": "int", "default": 0},
            "allow": dict(_WORDS, choices=["busy", "restart"]), "lease": {"type": "int", "default": 60},
            "id": {"type": "str"}, "guard": {"type": "str"}, "offset": {"type": "int", "default": 0},
            "wait": {"type": "int", "default": 0}, "profile": {"type": "dict", "default": {}},
            "output": {"type": "str"}, "unit": {"type": "str"}},
        required_if=[("do", "start", ("name", "load")), ("do", "poll", ("name", "id")), ("do", "stop", ("name", "id")),
                     ("do", "profile", ("name", "profile")), ("do", "see", ("name", "id", "output")),
                     ("do", "restore", ("id", "unit")), ("do", "stats", ("name", "output", "profile")),
                     ("do", "fetch", ("name", "output")), ("do", "forget", ("name", "output"))],
        supports_check_mode=True,
    )
    host = volume.Volume(read_only=module.check_mode)
    try:
        module.exit_json(changed=False, **_do(host, module.params))
    except (Refused, held.Refused, CommandNotRun) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg="%s%s" % (error, "" if host.is_root() else ": this needs root: run with become"))


def _do(host, asked):
    """What one of them returns."""
    name, do = asked["name"], asked["do"]
    if asked["guard"]:
        host.ask_after(asked["guard"])
    if do == "look":
        return _look(host, asked)
    if do == "start":
        return run.start(host, name, asked["load"], asked["number"], asked["allow"], asked["lease"])
    if do == "poll":
        told = held.poll(host, asked["id"], asked["offset"], asked["wait"])
        return dict(told, measured=run.result(host, name, asked["id"], asked["sent"]) if told["ended"] else None)
    if do == "stop":
        return {"ran": run.stop(host, name, asked["id"])}
    return _profile(host, name, do, asked)


def _look(host, asked):
    """What could be measured, and whether the one that is to be profiled could be."""
    told = {"instances": run.look(host, asked["names"], asked["load"], asked["allow"]), "profile": None}
    if asked["profile"]:
        for name in told["instances"]:
            made = profile.look(host, name, asked["profile"], asked["allow"])
            told["profile"] = {key: made[key] for key in ("nsys", "delay", "command")}
    return told


def _profile(host, name, do, asked):
    """What one of those of a profile returns."""
    if do == "profile":
        return profile.begin(host, name, asked["profile"], asked["allow"], asked["lease"])
    if do == "see":
        return profile.see(host, name, asked["id"], asked["output"])
    if do == "restore":
        return {"restored": profile.end(host, asked["id"], asked["unit"])}
    if do == "stats":
        return profile.stats(host, name, asked["profile"]["nsys"], asked["output"])
    if do == "fetch":
        return profile.piece(host, name, asked["output"], asked["offset"], profile.PIECES * volume.PIECE)
    profile.remove(host, name, asked["output"])
    return {}


if __name__ == "__main__":
    main()
