# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter place_model: what it takes from hostvars, and its errors."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter.placement import FilterModule
from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement import place

from tests.sysroots import gpu_hosts

place_model = FilterModule().filters()["place_model"]


class Lazy(dict):
    """A fact as ansible-core hands it out: it can be copied at once, and must not be walked."""

    def __init__(self, plain):
        super().__init__(plain)
        self.plain = plain

    def _non_lazy_copy(self):
        return self.plain

    def _walked(self, *_arguments):
        raise AssertionError("the lazy fact was walked")

    __getitem__ = __iter__ = __contains__ = get = items = keys = values = __len__ = _walked


class HostVars(Mapping):
    """A host of hostvars: no dict, and every look at a variable costs a template."""

    def __init__(self, variables):
        self.variables = variables

    def __getitem__(self, name):
        assert name != "expensive"
        return self.variables[name]

    def __iter__(self):
        raise AssertionError("all variables were walked")

    def __len__(self):
        return len(self.variables)

    def __contains__(self, name):
        return name in self.variables


def test_a_dict_of_hosts():
    hosts = {"a": {"gpus": 8, "rack": "r"}}
    assert place_model(hosts, 4, 2, 1, layers=32) == place(hosts, 4, pipeline_parallel_size=2, layers=32)
    assert place_model(Lazy(hosts), tensor_parallel_size=4) == place(hosts, 4)


def test_hosts_as_hostvars_have_them():
    entry = {"ansible_facts": Lazy(gpu_hosts.host([4])), "rack": "r", "expensive": 1, "ansible_host": "192.0.2.9"}
    made = place_model({"a": HostVars(entry)}, 4)
    assert made["replicas"][0]["master_addr"] == "192.0.2.9"
    assert made["replicas"][0]["racks"] == ["r"]


@pytest.mark.parametrize(("hosts", "options", "words"), [
    ({"a": {"gpus": 4}}, {}, "place_model needs tensor_parallel_size"),
    ({"a": {"gpus": 4}}, {"tensor_parallel_size": 8}, "place_model: nothing was placed"),
    ({"a": {"gpus": 4}}, {"tensor_parallel_size": 4, "with_in": "node"}, "no option with_in; did you mean within?"),
    ("text", {"tensor_parallel_size": 4}, "hosts is to be a dict of hosts by name, and is str"),
    ({"a": "text"}, {"tensor_parallel_size": 4}, "a: a dict with the topology of the host is needed, not str")])
def test_errors_are_the_filters(hosts, options, words):
    with pytest.raises(AnsibleFilterError) as refused:
        place_model(hosts, **options)
    assert words in str(refused.value)
