#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vllm_service: plans, switches and verifies the instances of vLLM on a node, stage by stage."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vllm_service
short_description: Plan, switch and verify the instances of vLLM on a node
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Compares the instances that are asked for with the files and units on the node, and switches them to what is asked
    for. An instance is the unit C(vllm@NAME.service) with its files in C(/etc/vllm). Those of this collection that are
    not asked for any more are stopped and removed.
  - Only what differs is restarted. What an engine does not read, such as a comment, restarts nothing.
  - The old engine is stopped before the new one is started, for the GPUs do not have the memory for both. Until the
    new one was verified, the old files lie in C(/var/lib/gpuwright/vllm/NAME.json), for root alone.
  - What was found before the first run is in the journal, and M(gpuwright.node.rollback) gives it back.
  - Meant to be called by the role C(gpuwright.node.vllm_service).
options:
  stage:
    description:
      - V(look) says what of this collection is on the node. V(plan) says what would change, with every command.
      - V(switch) stops, writes and starts those in O(only) that differ. V(verify) looks once whether they serve.
      - V(keep) forgets what was there before, and V(put_back) brings it back and starts it.
      - In check mode V(look), V(plan) and V(verify) do what they always do, and the others only plan or say nothing.
    type: str
    required: true
    choices: [look, plan, switch, verify, keep, put_back]
  instances:
    description:
      - All instances of this node in their normal form, as module M(gpuwright.node.vllm_roll) makes it. One of this
        collection that is not among them is removed. V(look), V(verify), V(keep) and V(put_back) do not need them.
    type: list
    elements: dict
    default: []
  only:
    description:
      - The names of the instances to switch, verify, keep or put back; without it all, but V(keep) and V(put_back)
        need it.
    type: list
    elements: str
    default: []
  secrets:
    description:
      - Instance to its secrets, C(api_key) and C(hf_token). They are written to a file that only root reads, and are in
        no answer, difference or argument of a process.
    type: dict
    default: {}
  take_over:
    description:
      - Units whose files somebody else wrote and that are handed to us, such as V(vllm@llama.service); with
        V(vllm@.service) the template, where instances of others start from it. A rollback gives the files back.
    type: list
    elements: str
    default: []
  allow:
    description: What is allowed on this run. Nothing that this module does needs any of it.
    type: list
    elements: str
    default: []
  sysroot:
    description: The folder below which the machine lies. Below another one than V(/) no command is started.
    type: path
    default: /
attributes:
  check_mode:
    description: Writes and restarts nothing.
    support: full
  diff_mode:
    description: Returns each file before and after. Of a file with secrets only whether it changes.
    support: full
seealso:
  - module: gpuwright.node.vllm_roll
  - module: gpuwright.node.rollback
"""

EXAMPLES = r"""
- name: What would change
  gpuwright.node.vllm_service:
    stage: plan
    instances: "{{ instances_in_normal_form }}"
  check_mode: true

- name: What of ours is on the node
  gpuwright.node.vllm_service:
    stage: look
"""

RETURN = r"""
settings:
  description: One entry for every instance, and for a template that changes, as from M(gpuwright.node.settings).
  returned: stages plan and switch
  type: list
  elements: dict
rules:
  description: Findings, each with rule, severity (E, W or I), setting and message. An E keeps the instance as it is.
  returned: stages plan and switch
  type: list
  elements: dict
due:
  description: The names of those that differ.
  returned: stages plan and switch
  type: list
  elements: str
open:
  description: Those among them that an earlier run left half done, or unverified.
  returned: stages plan and switch
  type: list
  elements: str
problems:
  description: Why an instance cannot be as it is asked for, in sentences.
  returned: stages plan and switch
  type: list
  elements: str
commands:
  description: Instance to the words of the whole command that its unit starts.
  returned: stages plan and switch
  type: dict
shown:
  description: Instance to what its configuration file says, as the words of a command.
  returned: stages plan and switch
  type: dict
summaries:
  description: Instance to a line on what it is.
  returned: stages plan and switch
  type: dict
versions:
  description: Instance to the version of its engine.
  returned: stages plan and switch
  type: dict
preflight:
  description: Of an instance on several nodes, what has to be the same on all of them and how they reach one another.
  returned: stages plan and switch
  type: dict
switched:
  description: The names of those that were switched, with success or without.
  returned: stage switch
  type: list
  elements: str
down_since:
  description: Instance to when its old engine was stopped, in seconds since the epoch.
  returned: stage switch
  type: dict
errors:
  description: Instance to what went wrong; the old configuration can be put back.
  returned: stage switch
  type: dict
verified:
  description: >-
    Instance to C(ok) (true, false, or null while it still starts), C(differs) (what is not as it should be) and
    C(facts).
  returned: stage verify
  type: dict
kept:
  description: The names of those whose old configuration was forgotten.
  returned: stage keep
  type: list
  elements: str
down_seconds:
  description: Instance to the seconds from the stop of its old engine until the new one was kept, 0 where none served.
  returned: stage keep
  type: dict
put_back:
  description: >-
    Instance to C(ok), C(changed), C(down_seconds) (until the old engine was started again), C(words) and C(also) (what
    of the words counts even once it serves again).
  returned: stage put_back
  type: dict
instances:
  description: Instance to its C(phase), C(since), C(state) as systemd has it, C(command) and C(summary).
  returned: stage look
  type: dict
notes:
  description: What could not be read, in words.
  returned: always
  type: list
  elements: str
"""

from functools import partial

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host, Locked
from ansible_collections.gpuwright.node.plugins.module_utils._journal import ForeignJournal
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change.put_back import put_back
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change.result import failures, problems, result
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change.switch import keep, switch
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change.tell import tell
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance_values import BadInstance
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.request import make_plan
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import checking

_CHANGING = ("switch", "keep", "put_back")
_OWNER = {"what": "role vllm_service"}


def main():
    """Enter the stage; what a person has to know is said in words."""
    module = AnsibleModule(
        argument_spec={
            "stage": {"type": "str", "required": True,
                      "choices": ["look", "plan", "switch", "verify", "keep", "put_back"]},
            "instances": {"type": "list", "elements": "dict", "default": []},
            "only": {"type": "list", "elements": "str", "default": []},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "take_over": {"type": "list", "elements": "str", "default": []},
            "allow": {"type": "list", "elements": "str", "default": []},
            "sysroot": {"type": "path", "default": "/"},
        },
        supports_check_mode=True,
    )
    stage = module.params["stage"]
    host = Host(module.params["sysroot"], read_only=module.check_mode or stage in ("look", "verify"))
    try:
        _enter(module, host, stage)
    except (BadInstance, ForeignJournal) as error:
        module.fail_json(msg="nothing was changed: %s" % error)
    except Locked as error:
        module.fail_json(msg="another run is changing this node, nothing was changed: %s" % error)
    except OSError as error:
        module.fail_json(msg="%s: %s%s" % (error.filename or "systemd", error.strerror, "" if host.is_root() else
                                           ": this needs root: run with become"))


def _enter(module, host, stage):
    only, params = module.params["only"], module.params
    if stage in _CHANGING and not module.check_mode and not host.is_root():
        module.fail_json(msg="nothing was changed: stage %s needs root: run with become" % stage)
    if stage == "look":
        module.exit_json(changed=False, instances=tell(host), notes=host.notes)
    if stage == "verify":
        module.exit_json(changed=False, verified=checking.look(host, only, params["secrets"]), notes=host.notes)
    if stage in ("plan", "switch"):
        _plan_or_switch(module, host, stage)
    if not only:
        module.fail_json(msg="stage %s needs the names of instances in only" % stage)
    if module.check_mode:
        module.exit_json(changed=False, notes=host.notes, **({"kept": []} if stage == "keep" else {"put_back": {}}))
    if stage == "keep":
        kept = keep(host, only, _OWNER)
        module.exit_json(changed=bool(kept), kept=sorted(kept), down_seconds=kept, notes=host.notes)
    said = put_back(host, only, _OWNER)
    module.exit_json(changed=any(one["changed"] for one in said.values()), put_back=said, notes=host.notes)


def _plan_or_switch(module, host, stage):
    planned = partial(make_plan, host, module.params)
    if stage == "plan" or module.check_mode:
        made = planned()
        module.exit_json(**result(made))
    made = planned()
    names = module.params["only"] or list(made.asked)
    wrong = problems(made, names)
    if wrong:
        module.fail_json(msg="nothing was changed: %s" % "; ".join(wrong), **_unchanged(made))
    made = switch(planned, names, _OWNER)
    done = [step for step in made.steps if "changed" in step and step["_name"]]
    told = dict(result(made), changed=any(step["changed"] for step in done),
                switched=[step["_name"] for step in done],
                down_since={step["_name"]: step["_state"].get("down_since") for step in done},
                errors={step["_name"]: step["error"] for step in done if "error" in step})
    lost = [step["target"] for step in done if "error" in step and step["desired"] == "absent"]
    if lost or made.errors:
        module.fail_json(msg="; ".join(failures(made)), **told)
    module.exit_json(**told)


def _unchanged(made):
    said = result(made)
    said["changed"] = False
    return said


if __name__ == "__main__":
    main()
