# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on running out of memory and on dirty pages."""

from __future__ import annotations

import pytest

from tests.sysroots import plain_node
from tests.sysroots.engine import plan, steps

ATTESTED = {"vm_panic_on_oom_attested": True}


def errors(made):
    """The messages of the findings that refuse."""
    return [found["message"] for found in made.findings if (found["rule"], found["severity"]) == ("R16", "E")]


@pytest.mark.parametrize("values, options, words", [
    ({"vm.panic_on_oom": 1}, ATTESTED, ["kernel.panic is 0"]),
    ({"vm.panic_on_oom": 1, "kernel.panic": 10}, {}, ["vm_panic_on_oom_attested"]),
    ({"vm.panic_on_oom": 2}, {}, ["kernel.panic is 0", "vm_panic_on_oom_attested"]),
    ({"vm.panic_on_oom": 1, "kernel.panic": 0}, ATTESTED, ["kernel.panic is 0"]),
    ({"vm.panic_on_oom": 1, "kernel.panic": 10}, ATTESTED, []),
    ({"vm.panic_on_oom": 2, "kernel.panic": -1}, ATTESTED, []),
    ({"vm.panic_on_oom": 0}, {}, []),
    ({"kernel.panic": 0}, {}, []),
])
def test_panic_on_oom_needs_a_way_back_and_a_witness(tmp_path, values, options, words):
    made = plan(plain_node.build(tmp_path), "vm", values, options=options)
    assert len(errors(made)) == len(words) and all(part in said for part, said in zip(words, errors(made)))
    if "vm.panic_on_oom" in values and words:
        assert steps(made)["vm.panic_on_oom"]["status"] == "refused"


@pytest.mark.parametrize("path, name", [("/run/containerd/containerd.sock", "containerd"),
                                        ("/var/lib/kubelet/config.yaml", "kubelet")])
def test_two_is_refused_where_containers_run(tmp_path, path, name):
    root = plain_node.build(tmp_path, **{path: ""})
    values = {"vm.panic_on_oom": 2, "kernel.panic": 10}
    assert name in errors(plan(root, "vm", values, options=ATTESTED))[0]
    assert errors(plan(root, "vm", dict(values, **{"vm.panic_on_oom": 1}), options=ATTESTED)) == []


@pytest.mark.parametrize("values, setting", [
    ({"vm.dirty_ratio": 10, "vm.dirty_background_ratio": 10}, "vm.dirty_background_ratio"),
    ({"vm.dirty_bytes": 1 << 20, "vm.dirty_background_bytes": 1 << 21}, "vm.dirty_background_bytes"),
    ({"vm.dirty_ratio": 5}, "vm.dirty_background_ratio"),
])
def test_a_background_threshold_that_is_not_below_is_named(tmp_path, values, setting):
    made = plan(plain_node.build(tmp_path), "vm", values)
    assert [found["setting"] for found in made.findings if found["rule"] == "dirty-order"] == [setting]


def test_the_form_that_this_run_zeroes_is_not_judged(tmp_path):
    made = plan(plain_node.build(tmp_path), "vm", {"vm.dirty_ratio": None, "vm.dirty_bytes": 1 << 30})
    assert not [found for found in made.findings if found["rule"] == "dirty-order"]


def test_thresholds_in_order_are_fine(tmp_path):

    made = plan(plain_node.build(tmp_path), "vm", {"vm.dirty_ratio": 10, "vm.dirty_background_ratio": 3})
    assert not [found for found in made.findings if found["rule"] == "dirty-order"]
