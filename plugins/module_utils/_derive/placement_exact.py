# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says whether a placement is the best there is: by its bound, else by trying all others where they are few.

PRIVATE to the collection. Pure. Bins that are alike are tried once, and a state that was reached at no more cost is not
tried again. The effort is counted, not timed, so that the same hosts always get the same answer.
"""

from __future__ import annotations

import collections

from .placement_bound import arranged, begin, cost_of, least, plus, shares, take
from .placement_greedy import best

_MOST_BINS = 32
_MOST_TRIES = 4000
BOUND, EXACT, GREEDY = "greedy, proved the best by its lower bound", "branch and bound", "greedy, not proved the best"


def solve(problem):
    """(replicas, method, proved): replicas is None where there is no placement, or, unless proved, none was found."""
    free, slots = begin(problem)
    bound = least(problem, free, slots, problem.replicas)
    placed = best(problem, bound)
    whole = len(placed) == problem.replicas
    cost = cost_of(problem, placed) if whole else None
    if cost == bound:
        return placed, BOUND, True
    if sum(free) < problem.replicas * problem.size * problem.stages:
        return None, "counting", True
    if len(problem.bins) > _MOST_BINS:
        return (placed if whole else None), GREEDY, False
    search = {"problem": problem, "cost": cost, "placed": placed if whole else None, "tries": 0, "seen": {},
              "legal": shares(problem)}
    proved = _try(search, free, slots, [], (0,) * 5) or search["cost"] == bound
    return search["placed"], EXACT if proved else GREEDY, proved


def _try(search, free, slots, placed, cost):
    """Try all further replicas; False where the effort ended before all were tried."""
    problem = search["problem"]
    if len(placed) == problem.replicas:
        full = cost_of(problem, placed)
        if search["cost"] is None or full < search["cost"]:
            search.update(cost=full, placed=list(placed))
        return True
    used = {index for _share, chosen in placed for index in chosen}
    if not _is_worth_it(search, free, slots, placed, used, cost):
        return True
    for share in search["legal"]:
        for chosen in _choices(search, free, slots, used, share):
            if search["tries"] >= _MOST_TRIES:
                return False
            search["tries"] += 1
            left, whole = list(free), list(slots)
            replica = (share, arranged(problem, share, chosen))
            more = take(problem, left, whole, replica)
            if not _try(search, left, whole, placed + [replica], plus(cost, more)):
                return False
    return True


def _is_worth_it(search, free, slots, placed, used, cost):
    """Whether what follows from here can be cheaper than the best, and was not tried yet."""
    problem = search["problem"]
    kinds = {problem.bins[index].kind for index in used}
    hosts = {problem.bins[index].host for index in used}
    rest = least(problem, free, slots, problem.replicas - len(placed), kinds, hosts)
    if search["cost"] is not None and plus(cost + (0, 0), rest) >= search["cost"]:
        return False
    state = (len(placed), tuple(zip(free, slots)), tuple(sorted(used)))
    if state in search["seen"] and search["seen"][state] <= cost:
        return False
    search["seen"][state] = cost
    return True


def _choices(search, free, slots, used, share):
    """Sets of bins of one kind that can give `share` each; of bins that are alike, the first ones."""
    problem = search["problem"]
    nodes = problem.size * problem.stages // share
    alike = collections.OrderedDict()
    bins_of = collections.Counter(one.host for one in problem.bins)
    hosts = {problem.bins[index].host for index in used}
    for index, one in enumerate(problem.bins):
        if free[index] >= share:
            key = (one.kind, one.rack, one.domain, free[index], slots[index], one.host in hosts,
                   one.host if bins_of[one.host] > 1 else None)
            alike.setdefault(key, []).append(index)
    for kind in sorted({key[0] for key in alike}):
        classes = [members for key, members in alike.items() if key[0] == kind]
        for chosen in _pick(classes, nodes):
            if problem.within != "rack" or _groups_in_racks(problem, share, chosen):
                yield chosen


def _pick(classes, count):
    """All ways to take `count` members of some classes, of each class its first ones."""
    if not count:
        yield []
        return
    others = sum(len(members) for members in classes[1:])
    for number in range(min(count, len(classes[0]) if classes else 0), max(0, count - others) - 1, -1):
        for rest in _pick(classes[1:], count - number):
            yield classes[0][:number] + rest


def _groups_in_racks(problem, share, chosen):
    """Whether no tensor-parallel group of a replica lies in two racks."""
    order = arranged(problem, share, chosen)
    free = [share] * len(problem.bins)
    return take(problem, free, [0] * len(problem.bins), (share, order))[0] == 0
