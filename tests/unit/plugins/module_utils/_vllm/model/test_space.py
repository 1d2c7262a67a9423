# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Room on volumes, in words with the numbers."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model import space


class Volumes:
    """A host with two volumes: 100 GB free on /data, 1 GB on /."""

    @staticmethod
    def volume_of(path):
        """Where a path is."""
        return ("/data", 100 * 10 ** 9) if path.startswith("/data/") else ("/", 10 ** 9)


@pytest.mark.parametrize("count,words", [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"),
                                         (141 * 10 ** 9, "141.0 GB"), (2 * 10 ** 12, "2.0 TB")])
def test_bytes_in_words(count, words):
    assert space.words(count) == words


def test_what_lies_on_one_volume_is_summed():
    needs = [("a", "/data/a", 60 * 10 ** 9), ("b", "/data/b", 40 * 10 ** 9), ("c", "/opt/c", 0)]
    assert space.lacking(Volumes, needs, 0) == []
    assert space.lacking(Volumes, needs, 10 * 10 ** 9) == [
        "volume /data: 100.0 GB needed (a 60.0 GB, b 40.0 GB) and 10.0 GB to stay free, but 100.0 GB are free: 10.0 GB "
        "too few"]


def test_every_volume_is_named_and_what_needs_nothing_is_not():
    said = space.lacking(Volumes, [("a", "/data/a", 10 ** 12), ("c", "/opt/c", 10 ** 12)], 0)
    assert [one.partition(":")[0] for one in said] == ["volume /", "volume /data"]
    assert space.lacking(Volumes, [("c", "/opt/c", 0)], 10 ** 12) == []
