# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request to a plan: a node that cannot have one hears what is wrong with its instances all the same."""

from __future__ import annotations

import errno

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance import request
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance_values import BadInstance

NOTHING = {"instances": [], "secrets": {}, "take_over": []}


def without_systemd(monkeypatch, made):
    """A node that makes `made` of the instances, and where no unit can be asked about."""
    def refuse(_host, _made, _take_over):
        raise OSError(errno.ENOSYS, "systemd does not run this node")
    monkeypatch.setattr(request, "composed", lambda _host, _instances, _secrets: made)
    monkeypatch.setattr(request, "plan", refuse)


def test_what_is_wrong_with_the_arguments_is_said_beside_what_the_node_lacks(monkeypatch):
    two = {"problems": ["b: dtype: wrong", "b: seed: wrong"]}
    without_systemd(monkeypatch, {"b": {"problem": None, "deployment": two},
                                  "a": {"problem": "a: no GPU is free", "deployment": None},
                                  "c": {"problem": None, "deployment": {"problems": []}}})
    with pytest.raises(OSError) as caught:
        request.make_plan(None, NOTHING)
    assert caught.value.errno == errno.ENOSYS
    assert caught.value.strerror == ("systemd does not run this node. Wrong besides: a: no GPU is free; "
                                     "b: dtype: wrong; b: seed: wrong")


def test_where_nothing_else_is_wrong_only_that_is_said(monkeypatch):
    without_systemd(monkeypatch, {"c": {"problem": None, "deployment": {"problems": []}}})
    with pytest.raises(OSError) as caught:
        request.make_plan(None, NOTHING)
    assert caught.value.strerror == "systemd does not run this node"


def test_a_secret_of_no_instance_is_refused():
    with pytest.raises(BadInstance, match="secrets: there is no instance llama"):
        request.make_plan(None, dict(NOTHING, secrets={"llama": {"api_key": "abc"}}))
