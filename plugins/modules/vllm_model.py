#!/usr/bin/python
# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vllm_model: brings the files of the models of vLLM instances onto a node, whole or not at all."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vllm_model
short_description: Bring the files of models onto a node, whole or not at all
version_added: 0.1.0
author: gpuwright contributors (@gpuwright)
description:
  - Part of the role C(gpuwright.node.vllm_service).
  - A model's files come from a hub (one commit of it), from a URL with its SHA-256, or from a shared folder; or they
    are there already, and then they are checked.
  - Room is looked for first. Every file is checked while it comes, by the checksum that its source says, and goes on
    where a killed run stopped. The folder gets its name in the end, by one rename, with a manifest in it.
  - Downloads use the proxies of the environment (E(https_proxy), E(no_proxy)) and check certificates. A token goes to
    the hub only, not to where the hub redirects to.
  - Who brings the same model to the same place meanwhile, perhaps another node on a shared volume, is waited for, and
    what came then is taken as it is.
  - Older revisions are never removed. They are named in RV(notes) with their sizes.
options:
  instances:
    description:
      - The instances, in the normal form that the role's action makes. Of each, C(name), C(state), C(model),
        C(revision), C(source) and C(model_path) count.
      - Two instances may have one folder if they have the same model.
    type: list
    elements: dict
    required: true
  secrets:
    description: C(hf_token) of instances, by their name.
    type: dict
    default: {}
  files:
    description:
      - Which files of a hub or a shared folder are brought, as shell patterns of their whole path.
      - With the default, a second form of the same weights is left out, such as C(consolidated.safetensors) or
        C(*.bin) beside C(*.safetensors), and programs (C(*.py)) are, for vLLM starts them.
    type: list
    elements: str
    default: ["*.safetensors", "*.json", "tokenizer*", "*.txt", "*.model", "*.tiktoken", "*.jinja"]
  reserve:
    description: How many bytes of the volume stay free.
    type: int
    default: 10000000000
  parallel:
    description: How many files are downloaded at once, from 1 to 32.
    type: int
    default: 4
  seconds:
    description: How long this may take. After that the task fails, and the next run goes on where it stopped.
    type: int
    default: 21600
  verify:
    description: Whether the checksums of files that are there already are computed again, and not their sizes only.
    type: bool
    default: false
  sysroot:
    description: The folder below which the machine lies.
    type: path
    default: /
attributes:
  check_mode:
    description: Asks the source what it has, says what would be brought and whether there is room, and brings nothing.
    support: full
  diff_mode:
    description: Returns no diff.
    support: none
seealso:
  - module: gpuwright.node.vllm_engine
"""

EXAMPLES = r"""
- name: The model is on the node's own disk
  gpuwright.node.vllm_model:
    instances:
      - name: llama
        state: started
        model: meta-llama/Llama-3.1-8B-Instruct
        revision: 0e9e39f249a16976918f6564b8830bc894c89659
        source: {hub: https://huggingface.co}
        model_path: /data/models/meta-llama--Llama-3.1-8B-Instruct/0e9e39f249a16976918f6564b8830bc894c89659
    secrets:
      llama: {hf_token: "{{ vault_hf_token }}"}
"""

RETURN = r"""
models:
  description: One entry for every folder.
  returned: success
  type: list
  elements: dict
  contains:
    names:
      description: The instances that are served from it.
      type: list
      elements: str
    path:
      description: The folder.
      type: str
    serve:
      description: What vLLM is given, the folder, or the one file of GGUF in it.
      type: str
    state:
      description: What was found. V(adopt) is a folder without a manifest whose files are those of the source.
      type: str
      choices: [there, adopt, fetch, repair]
    files:
      description: How many files were missing.
      type: int
    bytes:
      description: How many bytes were to come.
      type: int
    volume:
      description: Where the volume is mounted.
      type: str
    free:
      description: How many bytes of it are free now.
      type: int
    changed:
      description: Whether anything was done, or would be.
      type: bool
    words:
      description: All that in a sentence.
      type: str
notes:
  description: Folders beside those in use that take room.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpuwright.node.plugins.module_utils._host import Locked
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.fetch import CannotStage
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.hub import FILES
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.model_files import stage
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.volume import Volume


def main():
    """Look, bring unless in check mode, and say what came of it."""
    module = AnsibleModule(
        argument_spec={
            "instances": {"type": "list", "elements": "dict", "required": True},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "files": {"type": "list", "elements": "str", "default": list(FILES)},
            "reserve": {"type": "int", "default": 10000000000},
            "parallel": {"type": "int", "default": 4},
            "seconds": {"type": "int", "default": 21600},
            "verify": {"type": "bool", "default": False},
            "sysroot": {"type": "path", "default": "/"},
        },
        supports_check_mode=True,
    )
    asked = module.params
    if not 1 <= asked["parallel"] <= 32 or asked["reserve"] < 0 or asked["seconds"] < 1:
        module.fail_json(msg="parallel %(parallel)d, reserve %(reserve)d, seconds %(seconds)d: legal are 1 to 32, 0 or "
                             "more, 1 or more" % asked)
    host = Volume(asked["sysroot"], read_only=module.check_mode)
    try:
        module.exit_json(**stage(host, asked["instances"], asked["secrets"], asked))
    except CannotStage as error:
        module.fail_json(msg=str(error))
    except Locked as error:
        module.fail_json(msg="another run is bringing this model, nothing was changed here: %s" % error)
    except OSError as error:  # The volume is full, read-only, or not there.
        module.fail_json(msg="%s: %s" % (error.filename, error.strerror) if error.filename else str(error))


if __name__ == "__main__":
    main()
