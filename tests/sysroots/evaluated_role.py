# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles ask of a node: their defaults and the arguments of their task, as Ansible itself evaluates them.

Of each host `hosts` or the inventory has the variables, the topology as `topology` among them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import yaml

from tests.conftest import CHECKOUT, COLLECTIONS


def arguments(folder, roles, hosts):
    """{host: {role: {"values", "options"}}} of training nodes; `hosts` is {host: variables}."""
    asked = {}
    for role in roles:
        task = yaml.safe_load((CHECKOUT / "roles" / role / "tasks/main.yml").read_text())[0]
        given = task["gpuwright.node.settings"]
        asked[role] = {"values": given["values"], "options": given.get("options", {})}
    return _told(folder, roles, {"training": hosts}, asked)


def variables(folder, role, hosts, group="all"):
    """{host: {variable: value}} of a role; `hosts` is {host: variables}, or {group: those} where `group` is None."""
    names = {name: "{{ %s }}" % name for name in _defaults([role])}
    return _told(folder, [role], hosts if group is None else {group: hosts}, names)


def _defaults(roles):
    found = {}
    for role in roles:
        found.update(yaml.safe_load((CHECKOUT / "roles" / role / "defaults/main.yml").read_text()))
    return found


def _told(folder, roles, groups, asked):
    """{host: what `asked` becomes there}."""
    own = folder / "roles" / "defaulted"
    # Two tasks for all hosts, of which one starts a process.
    content = "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'told'))) | to_json }}"
    tasks = [{"ansible.builtin.set_fact": {"told": "{{ asked }}"}, "vars": {"asked": asked}},
             {"ansible.builtin.copy": {"dest": "%s/told.json" % folder, "content": content}, "run_once": True}]
    for part, text in (("defaults", _defaults(roles)), ("tasks", tasks)):
        (own / part).mkdir(parents=True)
        (own / part / "main.yml").write_text(yaml.safe_dump(text, width=100000))
    numbers = {name: "node%d" % number for number, name in enumerate(
        name for hosts in groups.values() for name in hosts)}
    (folder / "hosts.json").write_text(json.dumps({group: {"hosts": {
        numbers[name]: given for name, given in hosts.items()}} for group, hosts in groups.items()}))
    (folder / "play.yml").write_text(json.dumps([{
        "hosts": "all", "gather_facts": False, "connection": "local", "roles": ["defaulted"],
        "vars": {"ansible_facts": {"topology": "{{ topology | default(none) }}"}}}]))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment.update(ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS), ANSIBLE_PYTHON_INTERPRETER=sys.executable)
    answer = subprocess.run([sys.executable, "-m", "ansible", "playbook", "-i", "hosts.json", "play.yml"], cwd=folder,
                            env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    told = json.loads((folder / "told.json").read_text())
    return {name: told[number] for name, number in numbers.items()}
