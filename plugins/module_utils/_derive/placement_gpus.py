# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which GPUs of its nodes a replica gets, once it is decided how many of which node.

PRIVATE to the collection. Pure. On each node whole tensor-parallel groups choose first, an island each as far as there
are any, and within an island one NUMA node; what is part of a group that spans nodes takes what they leave.
"""

from __future__ import annotations


def numbers(problem, placed):
    """[[{stage: [number, ...]} of each node in the order of its rank] of each replica]."""
    answer = [[{} for _index in chosen] for _share, chosen in placed]
    for index, wishes in sorted(_wishes(problem, placed).items()):
        left = [list(island) for island in problem.bins[index].islands]
        for _parts, replica, stage, rank, count in sorted(wishes):
            answer[replica][rank][stage] = _pick(left, count)
    return answer


def _wishes(problem, placed):
    """{bin: [(is a part, replica, stage, rank, GPUs)]}."""
    found = {}
    for replica, (share, chosen) in enumerate(placed):
        for rank, index in enumerate(chosen):
            for first in range(rank * share, (rank + 1) * share, min(share, problem.size)):
                found.setdefault(index, []).append((share < problem.size, replica, first // problem.size, rank,
                                                    min(share, problem.size)))
    return found


def _pick(islands, count):
    """Take `count` GPUs off some islands of (NUMA node, number): off the fullest that holds all, else off several."""
    able = [island for island in islands if len(island) >= count]
    if able:
        island = min(able, key=lambda one: (len(one), one))
        return sorted(_from_island(island, count))
    picked = []
    for island in sorted(islands, key=lambda one: (-len(one), one)):
        picked += _from_island(island, min(len(island), count - len(picked)))
    return sorted(picked)


def _from_island(island, count):
    """Take GPUs off an island: of one NUMA node that holds them, the one that is left with least."""
    nodes = {}
    for numa, number in island:
        nodes.setdefault(numa, []).append((numa, number))
    able = [members for members in nodes.values() if len(members) >= count]
    chosen = (min(able, key=lambda one: (len(one), one)) if able else island)[:count]
    island[:] = [one for one in island if one not in chosen]
    return [number for _numa, number in chosen]
