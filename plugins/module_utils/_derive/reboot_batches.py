# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of nodes to reboot: racks are spread, an NVLink domain goes down as one.

PRIVATE to the collection. Pure.

A unit is what goes down together: the members of one nvlink_domain, or a single node. A batch takes no two units of one
rack, unless `per_rack` allows it; a unit that lies in one rack as a whole is not split for that. The same nodes always
make the same batches: racks with the most units left come first, and within a rack the order of the inventory holds.
"""

from __future__ import annotations

import heapq

DEFAULT_SIZES = (1, "5%", "25%")


def batches(nodes, sizes=DEFAULT_SIZES, per_rack=1):
    """[[host, ...], ...] of `nodes`: [{"host", "rack", "nvlink_domain", "first", "down"}] in the inventory's order.

    `sizes` are numbers of nodes, or percentages of all of them, the last one for all further batches; a batch has at
    least one unit, however large that is. The first batch begins with the smallest unit. A node with `first` was taken
    out of service by an earlier run: its unit comes before all others. Units of which no node goes down (`down` false:
    only looked at) make one batch, before the rest. Raises ValueError on a size that is none.
    """
    limits = limits_of(sizes, len(nodes))
    found = units(nodes)
    only_looked_at = [host for unit in found if not unit["down"] for host in unit["hosts"]]
    queues = _queues([unit for unit in found if unit["down"]])
    if not any(unit["first"] for queue in queues.values() for unit in queue):
        _canary_to_front(queues)
    waiting = [_turn(racks, queue) for racks, queue in queues.items()]
    heapq.heapify(waiting)
    made = []
    while waiting:
        made.append(_fill(waiting, queues, limits[min(len(made), len(limits) - 1)], per_rack))
    return [only_looked_at] + made if only_looked_at else made


def units(nodes):
    """[{"hosts", "size", "racks": {rack: members there}, "index", "first", "down"}] in the order of the inventory."""
    found = {}
    for index, node in enumerate(nodes):
        domain, rack = node.get("nvlink_domain"), node.get("rack")
        unit = found.setdefault(("domain", str(domain)) if domain not in (None, "") else ("host", node["host"]),
                                {"hosts": [], "size": 0, "racks": {}, "index": index, "first": False,
                                 "down": False})
        unit["hosts"].append(node["host"])
        unit["size"] += 1
        unit["first"] = unit["first"] or bool(node.get("first"))
        unit["down"] = unit["down"] or node.get("down", True)
        place = ("rack", str(rack)) if rack not in (None, "") else ("host", node["host"])
        unit["racks"][place] = unit["racks"].get(place, 0) + 1
    return list(found.values())


def limits_of(sizes, count, variable="gpuwright_serial"):
    """The sizes as numbers of nodes, one at least. Raises ValueError on what is neither a number nor a percentage."""
    listed = list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]
    limits = []
    for size in listed:
        word = str(size).strip()
        percent = word.endswith("%")
        number = word[:-1] if percent else word
        if isinstance(size, bool) or not number.isdigit() or int(number) < 1 or (percent and int(number) > 100):
            raise ValueError("%s: %r is neither a number of nodes nor a percentage" % (variable, size))
        limits.append(max(1, count * int(number) // 100) if percent else int(number))
    if not limits:
        raise ValueError("%s is empty" % variable)
    return limits


def _queues(found):
    """Units by the racks they lie in, those first that an earlier run took out of service."""
    queues = {}
    for unit in sorted(found, key=lambda unit: (not unit["first"], unit["index"])):
        queues.setdefault(tuple(sorted(unit["racks"])), []).append(unit)
    return {racks: list(reversed(queue)) for racks, queue in queues.items()}


def _turn(racks, queue):
    """What the racks of a queue are sorted by: who takes part in a batch first."""
    unit = queue[-1]
    return (not unit["first"], not unit.get("canary"), -len(queue), unit["size"], unit["index"], racks)


def _canary_to_front(queues):
    """The first batch risks as little as it can: the smallest unit of all goes to the front."""
    if queues:
        _size, _index, racks = min((unit["size"], unit["index"], racks)
                                   for racks, queue in queues.items() for unit in queue)
        unit = min(queues[racks], key=lambda unit: (unit["size"], unit["index"]))
        unit["canary"] = True
        queues[racks].remove(unit)
        queues[racks].append(unit)


def _fill(waiting, queues, limit, per_rack):
    """Take one batch off the waiting racks: as many units as fit, or one that is too large where no other is left."""
    batch, load, passed_over = [], {}, []
    while waiting and len(batch) < limit:
        racks = heapq.heappop(waiting)[-1]
        queue = queues[racks]
        while queue and _fits(queue[-1], batch, load, limit, per_rack):
            _take(queue.pop(), batch, load)
        if queue:
            passed_over.append(_turn(racks, queue))
    if not batch:
        _take(queues[min(passed_over)[-1]].pop(), batch, load)
    for racks in [turn[-1] for turn in passed_over]:
        if queues[racks]:
            heapq.heappush(waiting, _turn(racks, queues[racks]))
    return batch


def _take(unit, batch, load):
    """Put a unit into a batch."""
    batch.extend(unit["hosts"])
    for rack, members in unit["racks"].items():
        load[rack] = load.get(rack, 0) + members


def _fits(unit, batch, load, limit, per_rack):
    """Whether a unit may go down with those of the batch."""
    return len(batch) + unit["size"] <= limit and all(
        rack not in load or load[rack] + members <= per_rack for rack, members in unit["racks"].items())
