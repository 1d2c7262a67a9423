# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places replicas one after the other, the best place first, and keeps the best of several orders.

PRIVATE to the collection. Pure. What it finds need not be the best: `placement_exact` says whether it is.
"""

from __future__ import annotations

import heapq

from .placement_bound import arranged, begin, cost_of, fabric, shares, take

# (where a group may lie, where its replica may lie), from the cheapest on.
_PHASES = (("island", "rack"), ("domain", "domain"), ("domain", "rack"), ("island", "cluster"), ("domain", "cluster"),
           ("node", "rack"), ("node", "cluster"), ("rack", "rack"), ("rack", "cluster"), ("cluster", "cluster"))
_INSIDE = ("island", "node")
_PLACE = {"domain": fabric, "rack": lambda one: one.rack, "cluster": lambda one: None}
_FORBIDDEN = {"node": ("domain", "rack", "cluster"), "rack": ("cluster",), "cluster": ()}


def best(problem, bound):
    """The cheapest placement that any of the orders finds, or the longest part of one; ends early at `bound`."""
    found = None
    kinds = sorted({one.kind for one in problem.bins})
    legal = shares(problem)
    for chosen in [kinds] + ([[kind] for kind in kinds] if len(kinds) > 1 else []):
        for allowed in [legal] + ([legal[::-1]] + [[share] for share in legal] if len(legal) > 1 else []):
            for packed in (True, False):
                placed = _run(problem, chosen, allowed, packed)
                rank = (-len(placed), cost_of(problem, placed))
                if found is None or rank < found[0]:
                    found = (rank, placed)
                if found[0] == (-problem.replicas, bound):
                    return placed
    return found[1] if found else []


def _run(problem, kinds, allowed, packed):
    """One order: phase by phase, share by share, zone by zone."""
    free, slots = begin(problem)
    run = {"problem": problem, "free": free, "slots": slots, "used": set(), "placed": [], "packed": packed}
    zones = {level: _zones(problem, level, kinds) for level in _PLACE}
    for group, replica in _PHASES:
        if group in _FORBIDDEN[problem.within]:
            continue
        for share in allowed:
            if (share >= problem.size) != (group in _INSIDE):
                continue
            # A replica of one node is anywhere as near to itself.
            for zone in zones["cluster" if share == problem.size * problem.stages else replica]:
                _fill(run, zone, group, share)
                if len(run["placed"]) == problem.replicas:
                    return run["placed"]
    return run["placed"]


def _zones(problem, level, kinds):
    """Lists of the bins of one kind that lie in one place, the ones with most GPUs first."""
    found = {}
    for index, one in enumerate(problem.bins):
        if one.kind in kinds:
            found.setdefault((one.kind, _PLACE[level](one)), []).append(index)
    return sorted(found.values(), key=lambda zone: (-sum(problem.bins[index].free for index in zone), zone))


def _fill(run, zone, group, share):
    """As many replicas into a zone as it holds."""
    problem = run["problem"]
    nodes = problem.size * problem.stages // share
    if group not in _INSIDE:
        _fill_with_parts(run, zone, group, share)
    elif nodes == 1:
        _fill_nodes(run, zone, group, share)
    else:
        _fill_several(run, zone, group, share, nodes)


def _room(run, index, group, share):
    """How many shares a bin can still give."""
    free, size = run["free"][index], run["problem"].size
    if group == "island":
        return min(max(0, run["slots"][index]), free // size) // (share // size)
    return free // share


def _place(run, share, chosen):
    chosen = arranged(run["problem"], share, chosen)
    run["placed"].append((share, chosen))
    take(run["problem"], run["free"], run["slots"], run["placed"][-1])
    run["used"].update(chosen)


def _missing(run):
    return run["problem"].replicas - len(run["placed"])


def _fill_nodes(run, zone, group, share):
    """Replicas of one node each, on as few nodes as they fit on."""
    rooms = {index: _room(run, index, group, share) for index in zone}
    order = sorted((index for index in zone if rooms[index]),
                   key=lambda index: (index not in run["used"], -rooms[index], index))
    for place, index in enumerate(order):
        if index not in run["used"] and rooms[index] > _missing(run):
            # The last one: the node that is left with least.
            index = min((one for one in order[place:] if rooms[one] >= _missing(run)),
                        key=lambda one: (rooms[one], one))
        for _number in range(min(rooms[index], _missing(run))):
            _place(run, share, [index])
        if not _missing(run):
            return


def _fill_several(run, zone, group, share, nodes):
    """Replicas of several nodes that hold whole groups."""
    def turn(index):
        room = _room(run, index, group, share)
        key = (index not in run["used"], room) if run["packed"] else (-room,)
        return key + (index,)

    waiting = [turn(index) for index in zone if _room(run, index, group, share)]
    heapq.heapify(waiting)
    while _missing(run) and len(waiting) >= nodes:
        chosen = [heapq.heappop(waiting)[-1] for _number in range(nodes)]
        _place(run, share, chosen)
        for index in chosen:
            if _room(run, index, group, share):
                heapq.heappush(waiting, turn(index))


def _fill_with_parts(run, zone, group, share):
    """Replicas whose groups lie on several nodes each, all of them in one place of the level `group`."""
    problem, places = run["problem"], {}
    for index in zone:
        if run["free"][index] >= share:
            places.setdefault(_PLACE[group](problem.bins[index]), []).append(index)
    places = sorted(places.values(), key=lambda place: (-len(place), place))
    while _missing(run) and places:
        chosen = _groups(run, places, share)
        if len(chosen) < problem.stages * (problem.size // share):
            return
        _place(run, share, chosen)
        places = [place for place in places if _forget_full(run, place, share)]


def _groups(run, places, share):
    """Bins for the groups of one replica, each group from one place, as far as there are any."""
    parts, chosen = run["problem"].size // share, []
    for place in places:
        able = []
        for index in place:
            if run["free"][index] >= share:
                able.append(index)
            if len(able) + len(chosen) == parts * run["problem"].stages:
                break
        chosen += able[:len(able) // parts * parts]
        if len(chosen) == parts * run["problem"].stages:
            break
    return chosen


def _forget_full(run, place, share):
    """Whether a place has any GPUs left; its first bins that have none are forgotten."""
    full = 0
    while full < len(place) and run["free"][place[full]] < share:
        full += 1
    del place[:full]
    return bool(place)
