# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps on the controller what the nodes of a benchmark are, what was planned, and what was measured.

PRIVATE to the collection. Workers are processes of their own, so files are what they share: parts of the report, of
hosts that no inventory has. A kind is "look" (what a host is), "plan" (rounds of runs) or "run" (what was measured).
"""

from __future__ import annotations

import os

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts

_HOST = "/benchmark/%s"  # No host has a slash in its name.


class NoPlace(Exception):
    """Nothing can be kept; the text says where and what to do."""


def keep(place, kind, name, data):
    """Keep one thing of a kind. Raises NoPlace."""
    parts.keep(_HOST % kind, name, data, place)
    if not os.access(os.path.join(place, ".parts"), os.W_OK | os.X_OK):
        raise NoPlace("no benchmark without a place to keep what was measured: %s cannot be written: set "
                      "gpuwright_report_dir" % place)


def everything(place, kind):
    """All of a kind: {name: data}, in the order in which they were kept."""
    return parts.of_host(_HOST % kind, place)


def write_log(place, name, text):
    """Keep the output of a run for people; returns its path."""
    path = os.path.join(place, "benchmark", name + ".log")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write(path, text)
    return path


def write(path, text):
    """A whole file at once: a reader, or a run after a kill, sees the old one or the new one."""
    temporary = "%s.new-%d" % (path, os.getpid())
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
