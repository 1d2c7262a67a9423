# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the filter of nccl-tests: text to data, and words for what is no text."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter import nccl as filters


class Tagged(str):
    """A text as Ansible hands it over."""


def test_text_becomes_data():
    got = filters.FilterModule().filters()["nccl_tests"](Tagged(
        "# size count type time algbw busbw error time algbw busbw error\n8 2 float 1.5 2.0 3.0 N/A 4.0 5.0 6.0 N/A\n"))
    assert got["rows"][0]["in_place"]["busbw"] == 6.0
    assert got["operation"] is None


@pytest.mark.parametrize("value", [None, 3, b"x", ["a line"], {"stdout": ""}])
def test_what_is_no_text_is_an_error_in_words(value):
    with pytest.raises(AnsibleFilterError, match="needs the output of nccl-tests as one text, .*, not "):
        filters.nccl_tests(value)
