#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vllm_engine: says which engines the vLLM instances of a node lack, and checks them once they are installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vllm_engine
short_description: Say which vLLM engines are missing, and check what was installed
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Part of the role C(gpuwright.node.vllm_service), whose tasks install what is missing by M(ansible.builtin.pip), uv,
    podman or docker.
  - Every version has a folder of its own, which is never changed once it is finished. One that was not finished is made
    anew, from what was downloaded already.
options:
  do:
    description:
      - V(look) says what is there and what is due, and whether there is room for it.
      - V(begin) makes the folders of virtual environments ready for an installation.
      - V(check) looks again, and fails where something is still missing or is not the version that was asked for. A
        virtual environment counts from then on.
    type: str
    required: true
    choices: [look, begin, check]
  instances:
    description:
      - The instances, in the normal form that the role's action makes. Of each, C(name), C(state), C(user) and
        C(engine) count.
    type: list
    elements: dict
    required: true
  python:
    description:
      - The interpreter for virtual environments, 3.10 or later. Without it, the first that is there of C(python3.12),
        C(python3.11), C(python3.13), C(python3.10) and C(python3).
      - Whether a version of vLLM takes a newer Python is in its metadata, which pip and uv read.
    type: str
  uv:
    description: The program uv, if it installs in the place of pip.
    type: str
  auth_file:
    description: The file with the logins of container registries on the node; for Docker one called C(config.json).
    type: path
  space:
    description: How many bytes an engine needs. Without it, 20 GB for an environment and 40 GB for an image.
    type: int
attributes:
  check_mode:
    description: Does what V(look) does, and says what would be installed.
    support: full
  diff_mode:
    description: Returns no diff.
    support: none
seealso:
  - module: gpuwright.node.vllm_model
  - module: ansible.builtin.pip
"""

EXAMPLES = r"""
- name: Which engines are missing
  gpuwright.node.vllm_engine:
    do: look
    instances:
      - name: llama
        state: started
        engine: {kind: venv, version: 0.33.0, path: /opt/gpuwright/vllm-0.33.0, image: null}
"""

RETURN = r"""
engines:
  description: One entry for every engine.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: The kind of engine.
      type: str
      choices: [venv, podman, docker, existing]
    names:
      description: The instances that run on it.
      type: list
      elements: str
    state:
      description: What was found.
      type: str
      choices: [ready, missing, incomplete]
    due:
      description: Whether it is to be installed.
      type: bool
    found:
      description: The version of vLLM that is there, null where none is or an image does not say it.
      type: str
    path:
      description: The folder of the environment, or the path of an existing engine.
      type: str
    image:
      description: The image.
      type: str
    image_id:
      description: The identity of the image on this node.
      type: str
    python:
      description: The interpreter that a new environment is made with.
      type: str
    pull:
      description: The command that pulls a missing image.
      type: list
      elements: str
    words:
      description: All that in a sentence.
      type: str
due:
  description: Those of RV(engines) that are to be installed.
  returned: success
  type: list
  elements: dict
packages:
  description: The packages of the distribution that are missing for it.
  returned: success
  type: list
  elements: str
"""

from importlib.util import find_spec

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.engine import engines as all_engines
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.engine import virtual_environment
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.engine.virtual_environment import NoEngine
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.volume import Volume


def main():
    """Look, and do one of three things."""
    module = AnsibleModule(
        argument_spec={
            "do": {"type": "str", "required": True, "choices": ["look", "begin", "check"]},
            "instances": {"type": "list", "elements": "dict", "required": True},
            "python": {"type": "str"}, "uv": {"type": "str"}, "auth_file": {"type": "path"}, "space": {"type": "int"},
        },
        supports_check_mode=True,
    )
    asked = dict(module.params)
    if asked["do"] != "look":
        asked["space"] = 1  # Room was looked for before; now the installation may have taken it.
    host = Volume(read_only=module.check_mode)
    try:
        found = all_engines.look(host, asked["instances"], asked)
        changed = False if module.check_mode else _do(host, asked["do"], found)
    except NoEngine as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg="%s: %s" % (error.filename, error.strerror) if error.filename else str(error))
    due = [one for one in found if one["due"]]
    module.exit_json(changed=changed, engines=found, due=due, packages=_packages(module, due, asked["uv"]))


def _do(host, what, found):
    """Whether anything was changed."""
    if what == "begin":
        due = [one for one in found if one["due"] and one["kind"] == "venv"]
        for one in due:
            virtual_environment.begin(host, one)
        return bool(due)
    return what == "check" and all_engines.check(host, found)


def _packages(module, due, uv):
    """What pip's module and a bound engine need of the distribution: only what is missing."""
    packages = {name for one in due for name in one["packages"]}
    environments = [one for one in due if one["kind"] == "venv"]
    if environments and not module.get_bin_path("numactl"):
        packages.add("numactl")
    if environments and not uv and not (find_spec("packaging") or find_spec("setuptools")):
        packages.add("python3-packaging")  # ansible.builtin.pip does not work without.
    return sorted(packages)


if __name__ == "__main__":
    main()
