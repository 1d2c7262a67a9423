# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says why a model cannot be placed: what it needs, what there is, and which host lacks what.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from .placement_bound import shares
from .placement_greedy import best

_MOST_HOSTS = 20
_WORDS = (("busy", "busy"), ("mig", "in MIG mode"), ("vfio", "bound to vfio"), ("other", "not asked for"))


def refusal(problem, told, proved):
    """The sentences of the error."""
    size, stages, replicas = problem.size, problem.stages, problem.replicas
    need, free = size * stages * replicas, sum(one.free for one in problem.bins)
    words = "nothing was placed: it needs %s of %s (%s, %s each: %s in all); %s: %s" % (
        _count(replicas * stages, "group"), _count(size, "GPU"), _count(replicas, "replica"),
        _count(stages, "pipeline stage"), _count(need, "GPU"), _there_are(problem, free),
        ", ".join(_hosts(problem, told)))
    if free < need:
        return words
    fit = len(best(problem, None))
    return "%s. %s%d of %s %s%s" % (
        words, "" if proved else "There are too many hosts to try everything, and none was found that takes all: ", fit,
        _count(replicas, "replica"), "fits" if fit == 1 else "fit", _rule(problem))


def _there_are(problem, free):
    """How many groups of the size there are inside nodes, and how many GPUs in all."""
    inside = sum(one.free // problem.size for one in problem.bins)
    most = max([one.free for one in problem.bins] or [0])
    if not most:
        return "no GPU is free"
    groups = "inside a node there %s %d" % ("is" if inside == 1 else "are", inside)
    if not inside:
        groups += ", for no node has more than %d alike" % most
    return "%s, and %s" % (groups, "%d GPU%s free" % (free, " is" if free == 1 else "s are"))


def _rule(problem):
    """What a replica's nodes must have in common."""
    legal = shares(problem)
    world = problem.size * problem.stages
    if not legal:
        return ""
    ways = " or ".join("%d on %s" % (share, _count(world // share, "node")) for share in legal[:4])
    return (". All nodes of a replica give as many like GPUs (vLLM's --nnodes), in whole groups or in equal parts of "
            "one: %s" % ways)


def _hosts(problem, told):
    """'node3 4 free (2 busy)' for each host, those first that have most."""
    order = sorted(told, key=lambda host: (-told[host]["free"], host))
    kinds = {}
    for one in problem.bins:
        kinds.setdefault(one.host, []).append(one)
    several = len({one.kind for one in problem.bins}) > 1
    said = ["%s %s" % (host, _host(told[host], kinds.get(host, ()), several)) for host in order[:_MOST_HOSTS]]
    return said + (["and %d more hosts" % (len(order) - _MOST_HOSTS)] if len(order) > _MOST_HOSTS else [])


def _host(counts, bins, several):
    out = ["%d %s" % (counts[key], words) for key, words in _WORDS if counts[key]]
    kinds = [_kind(one) for one in bins] if several else []
    if len(bins) > 1:
        kinds = ["%d %s" % (one.free, _kind(one)) for one in bins]
    found = kinds + out
    return "%d free%s" % (counts["free"], " (%s)" % ", ".join(found) if found else "")


def _kind(one):
    return one.kind[1] or one.kind[0] or "of unknown name"


def _count(number, word):
    return "%d %s%s" % (number, word, "" if number == 1 else "s")
