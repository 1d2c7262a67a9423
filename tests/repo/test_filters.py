# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters walk a plain topology: a lazy one costs milliseconds, at every use of every default."""

from __future__ import annotations

import ast

from ansible_collections.gpuwright.node.plugins.filter.topology import FilterModule

TOPOLOGY = {"numa_nodes": [{"id": 0, "kind": "cpu", "memory": 1 << 41}]}


class LazyFact(dict):
    """A fact as ansible-core hands it to a filter: it can be copied at once, and every other use of it is counted."""

    def __init__(self, plain):
        super().__init__(plain)
        self.plain = plain
        self.copies = self.uses = 0

    def _non_lazy_copy(self):
        self.copies += 1
        return self.plain

    def _used(self, *_arguments):
        self.uses += 1
        raise AssertionError("the lazy fact was walked")

    __getitem__ = __iter__ = __contains__ = get = items = keys = values = __len__ = _used


def test_a_filter_copies_the_fact_once_and_never_walks_it():
    fact = LazyFact(TOPOLOGY)
    answer = FilterModule().filters()["dirty_limit"](fact, "bytes", "inference")
    assert (fact.copies, fact.uses) == (1, 0)
    assert answer == FilterModule().filters()["dirty_limit"](TOPOLOGY, "bytes", "inference")


def test_every_filter_of_the_topology_begins_by_thawing_it(checkout):
    checked = 0
    for path in checkout.glob("plugins/filter/*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.args.args[0].arg == "topology":
                checked += 1
                assert ast.unparse(node.body[1]) == "topology = thaw(topology)", "%s: %s" % (path.name, node.name)
    assert checked
