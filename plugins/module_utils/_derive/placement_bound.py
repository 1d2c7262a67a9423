# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a placement costs, in counts, and the least that any placement of the same replicas can cost.

PRIVATE to the collection. Pure. A replica is (share, bins): the GPUs that each of its nodes gives, and those nodes in
the order of their ranks. A share is whole tensor-parallel groups, or an equal part of one, so that all nodes of a
replica give the same: what vLLM's --nnodes demands. The cost is the tuple of OBJECTIVE, least first by its first
entry, then by its second, and so on.
"""

from __future__ import annotations

import collections

OBJECTIVE = ("groups_across_racks", "groups_across_nodes", "groups_across_islands", "pipelines_across_racks",
             "node_boundaries", "gpu_kinds", "nodes_used")
WITHIN = ("node", "rack", "cluster")
# `free` and `slots` are those of the bins now: free GPUs, and groups that an island of the bin still holds whole.
Problem = collections.namedtuple("Problem", "bins size stages replicas within")


def fabric(one):
    """What a bin shares by NVLink: its domain, else its host."""
    return (one.rack, "host", one.host) if one.domain is None else (one.rack, "domain", one.domain)


def problem_of(bins, size, stages, replicas, within):
    """The problem; bins that can give nothing are left out."""
    return Problem([one for one in bins if one.free], size, stages, replicas, within)


def shares(problem):
    """The GPUs that a node may give to a replica, the most first."""
    world, size = problem.size * problem.stages, problem.size
    most = max([one.free for one in problem.bins] or [0])
    return [share for share in range(min(world, most), 0, -1)
            if world % share == 0 and (share % size == 0 or (size % share == 0 and problem.within != "node"))]


def arranged(problem, share, chosen):
    """Some bins in the order of their ranks: groups in a domain, then in a rack, and neighbours side by side."""
    chosen = sorted(chosen)
    parts = problem.size // share
    if parts <= 1:
        return tuple(chosen)
    groups, left = [], chosen
    for place in (fabric, lambda one: one.rack, lambda one: None):
        near, left = _grouped(problem.bins, left, place), []
        for members in near.values():
            whole = len(members) // parts * parts
            groups += [members[start:start + parts] for start in range(0, whole, parts)]
            left += members[whole:]
        left.sort()
    return tuple(index for group in sorted(groups) for index in group)


def _grouped(bins, indexes, place):
    found = collections.OrderedDict()
    for index in indexes:
        found.setdefault(place(bins[index]), []).append(index)
    return found


def take(problem, free, slots, replica):
    """Take a replica's GPUs off `free` and `slots`, and return its cost without the last two of OBJECTIVE."""
    share, chosen = replica
    bins, whole = problem.bins, share // problem.size
    cost = [0, 0, 0, len({bins[index].rack for index in chosen}) - 1, len(chosen) - 1]
    for index in chosen:
        free[index] -= share
        cost[2] += max(0, whole - max(0, slots[index]))
        slots[index] -= whole
    parts = 0 if whole else problem.size // share
    for start in range(0, len(chosen) if parts else 0, parts or 1):
        group = [bins[index] for index in chosen[start:start + parts]]
        if len({one.rack for one in group}) > 1:
            cost[0] += 1
        elif len({fabric(one) for one in group}) > 1:
            cost[1] += 1
    return tuple(cost)


def begin(problem):
    """`free` and `slots` before anything is taken."""
    return [one.free for one in problem.bins], [one.slots for one in problem.bins]


def cost_of(problem, placed):
    """The whole cost of a placement."""
    free, slots = begin(problem)
    total = (0,) * 5
    for replica in placed:
        total = plus(total, take(problem, free, slots, replica))
    used = [problem.bins[index] for _share, chosen in placed for index in chosen]
    return total + (len({one.kind for one in used}), len({one.host for one in used}))


def plus(one, other):
    """The sum of two costs."""
    return tuple(left + right for left, right in zip(one, other))


def least(problem, free, slots, count, kinds=(), hosts=()):
    """A cost that no placement of `count` more replicas goes below; `kinds` and `hosts` are used already.

    It is one in the order of OBJECTIVE: an entry holds for what reaches the bounds of the entries before it.
    """
    if not count:
        return (0,) * 5 + (len(kinds), len(hosts))
    bins, size, groups = problem.bins, problem.size, count * problem.stages
    whole = [min(max(0, slots[index]), free[index] // size) for index in range(len(bins))]
    racks, domains = collections.Counter(), collections.Counter()
    for index, one in enumerate(bins):
        racks[one.kind, one.rack] += free[index]
        if one.domain is not None:
            domains[one.kind, one.rack, one.domain] += free[index]
    linked = sum(number // size for number in domains.values())
    alone = [index for index, one in enumerate(bins) if one.domain is None]
    cost = [max(0, groups - sum(number // size for number in racks.values()))]
    cost.append(max(0, groups - linked - sum(free[index] // size for index in alone) - cost[0]))
    cost.append(max(0, groups - linked - sum(whole[index] for index in alone) - sum(cost)))
    best = not any(cost)  # Then every group is in an island or a domain, and only what lies there counts.
    usable = [whole[index] * size if best and one.domain is None else free[index] for index, one in enumerate(bins)]
    cost.append(_least_racks(problem, usable, domains if best else None, count))
    cost.append(_least_boundaries(problem, usable, count))
    # Without a node boundary a node gives whole replicas only.
    unit = size if cost[4] else size * problem.stages
    return tuple(cost) + _least_used(problem, [number // unit * unit if best and problem.bins[index].domain is None
                                               else number for index, number in enumerate(usable)],
                                     groups * size, kinds, hosts)


def _least_racks(problem, usable, domains, count):
    """How many of the replicas at least cannot have all their groups in one rack."""
    size, racks = problem.size, collections.Counter()
    for index, one in enumerate(problem.bins):
        if domains is None or one.domain is None:
            racks[one.kind, one.rack] += usable[index]
    for (kind, rack, _domain), number in (domains or {}).items():
        racks[kind, rack] += number // size * size
    return max(0, count - sum(number // (size * problem.stages) for number in racks.values()))


def _least_boundaries(problem, usable, count):
    """As many replicas as can on one node, the others on as few nodes as any share allows."""
    world = problem.size * problem.stages
    alone = min(count, sum(number // world for number in usable))
    several = [world // share - 1 for share in shares(problem) if share < world and share <= max(usable or [0])]
    return (count - alone) * (min(several) if several else 0)


def _least_used(problem, usable, need, kinds, hosts):
    """The fewest kinds, and the fewest hosts, that have so many GPUs."""
    by_kind, by_host = collections.Counter(), collections.Counter()
    for index, one in enumerate(problem.bins):
        by_kind[one.kind] += usable[index]
        by_host[one.host] += usable[index]
    more = max(0, need - sum(by_host[host] for host in hosts))
    return (max(len(kinds), _fewest(by_kind.values(), need)),
            len(hosts) + _fewest([number for host, number in by_host.items() if host not in hosts], more))


def _fewest(numbers, need):
    """How many of the largest numbers come to `need`."""
    count = 0
    for number in sorted(numbers, reverse=True):
        if need <= 0:
            break
        need -= number
        count += 1
    return count
