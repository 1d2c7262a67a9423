# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of mappings: each sort of value where it is legal, and the words where it is not."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.help_text import blank
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.mapping_values import wrong

# letters: the values that are legal there, and those that are not.
SORTS = {
    "wveob": ([True, False, 0, 1, "1", "true", "no"], [2, -1, 0.5, "2", "maybe", None, [], {}]),
    "vqeionb": ([3, -3, 0, "12", "-1", 3.0, True], [0.5, "0.5", "true", "many", None, [], {}]),
    "vqreionfb": ([3, 0.5, "0.5", "1e-3"], ["true", "many", None, [], {}]),
    "twvqrz": (["a", "1", "true", "0.5", None], [1, True, 0.5, [], {}]),
    "zt/a,b": (["a", None], ["c", "1", 1, True, []]),
    "*": ([None, 1, "a", [], {}], []), "ld": ([[1], {"a": 1}], ["a", 1]),
}


@pytest.mark.parametrize("letters", SORTS)
def test_each_sort_of_value(letters):
    entry = dict(blank(["--x"]), keys={"k": letters})
    good, bad = SORTS[letters]
    assert [one for one in good if wrong("x", {"k": one}, entry)] == []
    assert [one for one in bad if not wrong("x", {"k": one}, entry)] == []


def test_words_say_where_and_what_is_legal():
    entry = dict(blank(["--x"]), keys={"switch": "wveob", "many": "vqeib", "pass_config": "*"},
                 inner={"pass_config": {"fuse_it": "wveobz"}})
    assert wrong("x", {"swich": True}, entry) == "x: it has no key swich; did you mean switch?"
    assert wrong("x", {"switch": "maybe"}, entry) == "x: switch: 'maybe' is of the wrong kind; legal is true or false"
    assert wrong("x", {"many": "a"}, entry) == "x: many: 'a' is of the wrong kind; legal is a number above 0"
    assert wrong("x", {"pass_config": {"fuse_this": 1}}, entry).startswith("x: pass_config: it has no key fuse_this;")
    assert wrong("x", {"pass_config": {"fuse_it": None}}, entry) is None


@pytest.mark.parametrize("value", [{True: 1}, {"a": {None: 1}}, {"a": [{"b": {False: 1}}]}], ids=str)
def test_a_key_that_yaml_reads_as_a_boolean_or_null_is_named(value):
    assert "where text is meant; put it into quotes" in wrong("x", value, blank(["--x"]))


def test_a_number_is_a_key():
    assert wrong("x", {"id2label": {0: "a", "1": "b"}}, blank(["--x"])) is None
