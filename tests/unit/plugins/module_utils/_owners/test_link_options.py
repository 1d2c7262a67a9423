# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the options of systemd.link(5): written from rows, and read as people write them."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._owners import link_options


@pytest.mark.parametrize("row, text, option, written", [
    ("link/mtu", "9000", "MTUBytes", "9000"), ("ring/rx", "4096", "RxBufferSize", "4096"),
    ("coalesce/adaptive-tx", "1", "UseAdaptiveTxCoalesce", "yes"),
    ("coalesce/adaptive-rx", "0", "UseAdaptiveRxCoalesce", "no"), ("coalesce/rx-usecs", "8", "RxCoalesceSec", "8us"),
    ("coalesce/tx-frames", "32", "TxMaxCoalescedFrames", "32")])
def test_a_row_goes_to_its_option_and_back(row, text, option, written):
    assert link_options.line(row, text) == (option, written)
    assert (link_options.row(option), link_options.value(option, written)) == (row, text)


@pytest.mark.parametrize("option, text, value", [
    ("MTUBytes", "9K", "9216"), ("RxCoalesceSec", "1ms", "1000"), ("RxCoalesceSec", "2", "2000000"),
    ("TxCoalesceSec", "5 usec", "5"), ("UseAdaptiveRxCoalesce", "True", "1"), ("RxBufferSize", "max", "max"),
    ("MTUBytes", "lots", "lots")])
def test_what_people_write(option, text, value):
    assert link_options.value(option, text) == value


def test_other_options_are_of_no_row():
    assert link_options.row("NamePolicy") is None
