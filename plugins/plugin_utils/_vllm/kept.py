# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps on the controller what the stages of role vllm_service leave to one another within a run.

PRIVATE to the collection. Workers are processes of their own, so files are what they share: parts of the report, of
hosts that no inventory has. Secrets are never among them. A kind is "instances" (of a host, in normal form), "plan"
(what a host answered), "roll" (the whole order, once), "turn" (a host's share of it), "outcome" (how far an instance
came) or "stopped" (why nothing more restarts).
"""

from __future__ import annotations

import os

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts

_HOST = "/vllm/%s"  # No host has a slash in its name.


class NoPlace(Exception):
    """Nothing can be kept; the text says where and what to do."""


def keep(place, kind, name, data):
    """Keep one thing of a kind. Raises NoPlace."""
    parts.keep(_HOST % kind, name, data, place)
    if not os.access(os.path.join(place, ".parts"), os.W_OK | os.X_OK):
        raise NoPlace("no vllm_service without a place to keep how far each node came: %s cannot be written: set "
                      "gpuwright_report_dir" % place)


def one(place, kind, name):
    """One thing of a kind, or None."""
    return parts.one(_HOST % kind, name, place)


def everything(place, kind):
    """All of a kind: {name: data}, in the order in which they were kept."""
    return parts.of_host(_HOST % kind, place)


def keep_outcome(place, host, instance, **said):
    """Keep how far an instance came on a host."""
    keep(place, "outcome", "%s/%s" % (host, instance), dict(said, host=host, instance=instance))


def outcome(place, host, instance):
    """How far an instance came on a host, or None."""
    return one(place, "outcome", "%s/%s" % (host, instance))
