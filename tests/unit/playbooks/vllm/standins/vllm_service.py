#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for module vllm_service in the tests of the playbook: a node is a file, NODE says which.

The file has `serves` ({name: instance}), `old`, `looks` ({name: what successive looks say: wait, ok or differs}),
`problems`, `versions` and `dies` (a stage in which the module fails).
"""

from __future__ import annotations

import json
import os

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(argument_spec={
        "stage": {"type": "str"}, "instances": {"type": "list", "elements": "dict"}, "only": {"type": "list"},
        "secrets": {"type": "dict", "no_log": True}, "take_over": {"type": "list"}, "allow": {"type": "list"},
        "sysroot": {"type": "path"}}, supports_check_mode=True)
    path = os.path.join(os.environ["GPUWRIGHT_TEST_WORLD"], os.environ["NODE"] + ".json")
    with open(path) as file:
        node = json.load(file)
    stage, only = module.params["stage"], module.params["only"] or []
    with open(os.environ["GPUWRIGHT_TEST_LOG"], "a") as log:
        log.write("%s %s %s\n" % (stage, os.environ["NODE"], ",".join(only)))
    if node.get("dies") == stage:
        module.fail_json(msg="planted in %s" % stage)
    wanted = {one["name"]: one for one in module.params["instances"]}
    told = {"plan": plan, "switch": switch, "verify": verify, "keep": keep, "put_back": put_back}[stage](
        node, wanted, only)
    if stage != "plan":
        if module.check_mode:
            module.fail_json(msg="written in check mode")
        with open(path, "w") as file:
            json.dump(node, file)
    module.exit_json(**dict({"changed": False}, **told))


def plan(node, wanted, _only):
    due = [name for name, one in wanted.items() if node["serves"].get(name) != one and (
        one["state"] == "started" or name in node["serves"])]
    due += [name for name in node["serves"] if name not in wanted]
    settings = [{"name": "vllm@%s.service" % name, "kind": "vllm_instance", "target": name, "desired": "x",
                 "running": "y", "configured": None, "status": "drift" if name in due else "ok", "reason": "",
                 "disruption": "process", "why": "vllm_service_instances", "file": "/etc/vllm/%s.yaml" % name}
                for name in sorted(set(wanted) | set(due))]
    diff = [{"before_header": "/etc/vllm/%s.yaml" % name, "after_header": "/etc/vllm/%s.yaml" % name,
             "before": json.dumps(node["serves"].get(name), indent=1) + "\n",
             "after": json.dumps(wanted.get(name), indent=1) + "\n"} for name in due]
    return {"settings": settings, "rules": [], "due": due, "diff": diff, "changed": bool(due),
            "problems": node.get("problems", []), "versions": node.get("versions", {}),
            "summaries": {name: "two sentences on %s" % name for name in wanted},
            "commands": {name: ["/opt/engine/bin/vllm", "serve", "--config", "/etc/vllm/%s.yaml" % name]
                         for name, one in wanted.items() if one["state"] == "started"}}


def switch(node, wanted, only):
    for name in only:
        node.setdefault("old", {})[name] = node["serves"].get(name)
        if name in wanted and wanted[name]["state"] == "started":
            node["serves"][name] = wanted[name]
        else:
            node["serves"].pop(name, None)
    return {"switched": only, "changed": True}


def verify(node, _wanted, only):
    said = {}
    for name in only:
        looks = node.get("looks", {}).get(name) or ["ok"]
        look = looks.pop(0) if len(looks) > 1 else looks[0]
        said[name] = {"ok": {"wait": None, "ok": True, "differs": False}[look], "facts": {},
                      "differs": [] if look == "ok" else ["planted: %s" % look]}
    return {"verified": said}


def keep(node, _wanted, only):
    for name in only:
        node["old"].pop(name)
    return {}


def put_back(node, _wanted, only):
    said = {}
    for name in only:
        old = node["old"].pop(name)
        if old is None:
            node["serves"].pop(name)
        else:
            node["serves"][name] = old
        node.get("looks", {}).pop(name, None)
        said[name] = {"ok": True, "down_seconds": 41 if old else 0, "words": "there was none before"}
    return {"put_back": said, "changed": True}


if __name__ == "__main__":
    main()
