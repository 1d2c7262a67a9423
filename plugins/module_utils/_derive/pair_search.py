# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the bad node or link of a group by runs on pairs: which pairs to run, and whom their results blame.

PRIVATE to the collection. Pure. A host that passed with anyone is sound: a pair of two sound hosts that fails is a bad
link. A host that fails with everyone, of whom two at least are sound, is bad itself. Everything between is undecided,
and said together with the pairs that would decide it.
"""

from __future__ import annotations

PASS, FAIL = "pass", "fail"
# A bad host is one that fails with so many sound ones.
_WITNESSES = 2


def rounds(hosts, most=None):
    """[[(host, host), ...], ...]: rounds of disjoint pairs, in which no two hosts meet twice (a round robin).

    All rounds let each two hosts meet, which names any bad link; of an odd number of hosts one sits out a round. Four
    rounds give each host three partners, which names up to two bad hosts: `most` limits them, and whoever runs them
    may stop as soon as `blame` leaves nothing undecided.
    """
    circle = list(dict.fromkeys(hosts))
    order = {host: number for number, host in enumerate(circle)}
    if len(circle) % 2:
        circle.append(None)
    found = []
    for _round in range(len(circle) - 1 if most is None else min(most, len(circle) - 1)):
        pairs = [(one, other) for one, other in zip(circle, reversed(circle)) if None not in (one, other)]
        found.append([tuple(sorted(pair, key=order.get)) for pair in pairs[:len(order) // 2]])
        circle = circle[:1] + circle[-1:] + circle[1:-1]
    return [sorted(pairs, key=lambda pair: order[pair[0]]) for pairs in found if pairs]


def blame(results):
    """{nodes, links, rails, node_rails, undecided, next, words} of the results of some pairs.

    `results` is [{"hosts": [a, b], "verdict": pass, fail or not_measured, "rail": of a run on one rail}]. `nodes` are
    bad hosts, `node_rails` [host, rail] of hosts that are bad on some rails only, `links` [{hosts, rail}] of sound
    hosts, `rails` what fails between all. `next` are disjoint pairs that decide more, `words` sentences on each.
    """
    by_rail = {}
    for one in results:
        by_rail.setdefault(one.get("rail"), []).append(one)
    parts = {rail: _of_rail(by_rail[rail]) for rail in sorted(by_rail, key=lambda rail: (rail is not None, str(rail)))}
    real = [rail for rail in parts if rail is not None]
    common = [rail for rail in real if parts[rail]["common"]]
    rails = common if len(common) < len(real) else []
    nodes, node_rails = _hosts(parts, real)
    found = {"nodes": nodes, "node_rails": node_rails, "rails": rails,
             "links": [{"hosts": list(pair), "rail": rail} for rail in parts for pair in parts[rail]["links"]],
             "undecided": sorted({host for rail in parts if rail not in rails
                                  for host in parts[rail]["undecided"]} - set(nodes))}
    found["next"] = _next(found["undecided"], parts)
    found["words"] = _words(found, parts)
    return found


def _of_rail(results):
    """What the runs on one rail, or on all together, tell."""
    outcome = _outcomes(results)
    partners = {}
    for one, other in outcome:
        partners.setdefault(one, set()).add(other)
        partners.setdefault(other, set()).add(one)
    sound = {host for pair, passed in outcome.items() if passed for host in pair}
    failed = [pair for pair, passed in outcome.items() if passed is False]
    suspects = {host for pair in failed for host in pair} - sound
    # A pair that was not measured is no witness.
    against = {host: {other for pair in failed if host in pair for other in pair} - {host} for host in suspects}
    bad = {host for host in suspects if len(against[host] & sound) >= _WITNESSES}
    return {"nodes": bad, "links": sorted(pair for pair in failed if set(pair) <= sound),
            "undecided": (suspects - bad) | (set(partners) - sound - suspects), "sound": sound, "partners": partners,
            "against": against, "common": len(partners) > 2 and not sound and len(failed) == len(outcome)}


def _outcomes(results):
    """{pair: True for all passed, False for one that failed, None for not measured}."""
    found = {}
    for one in results:
        pair = tuple(sorted(one["hosts"]))
        passed = {PASS: True, FAIL: False}.get(one.get("verdict"))
        known = found.get(pair)
        # What failed once is not put right by what passes later.
        found[pair] = passed if known is None else known if passed is None else known and passed
    return found


def _hosts(parts, real):
    """(hosts that are bad on all rails, [[host, rail]] of those that are on some)."""
    suspected = {host for part in parts.values() for host in part["nodes"]}
    nodes, node_rails = [], []
    for host in sorted(suspected):
        where = [rail for rail in real if host in parts[rail]["nodes"]]
        tried = [rail for rail in real if host in parts[rail]["partners"]]
        if not where or (where == tried and len(tried) > 1):
            nodes.append(host)
        else:
            node_rails += [[host, rail] for rail in where]
    return nodes, node_rails


def _next(undecided, parts):
    """Disjoint pairs of an undecided host and a sound one that it did not meet, or of two that have not met yet."""
    sound = sorted({host for part in parts.values() for host in part["sound"]})
    known = sorted({host for part in parts.values() for host in part["partners"]})
    busy, found = set(), []
    for host in undecided:
        if host in busy:
            continue
        met = {other for part in parts.values() for other in part["partners"].get(host, ())}
        fresh = [other for other in sound + known if other not in busy | met | {host}]
        # A run that measured nothing may be run again.
        again = [other for other in sorted(met) if other not in busy]
        for other in fresh[:1] or again[:1]:
            busy |= {host, other}
            found.append([host, other])
    return found


def _words(found, parts):
    """A sentence for each that is blamed or not decided."""
    words = ["%s is bad: it fails with all of %s" % (
        host, _some(sorted({other for part in parts.values() for other in part["against"].get(host, ())})))
        for host in found["nodes"]]
    words += ["%s is bad on rail %s: its NIC, cable or port of the switch" % (host, rail)
              for host, rail in found["node_rails"]]
    words += ["rail %s is bad: all pairs fail on it and not on others; look at its switch" % rail
              for rail in found["rails"]]
    words += ["the link between %s and %s is bad%s: both pass with others" % (
        link["hosts"][0], link["hosts"][1], "" if link["rail"] is None else " on rail %s" % link["rail"])
        for link in found["links"]]
    if not found["rails"] and any(part["common"] for part in parts.values()):
        words.append("every pair fails: look first at what all of them share, the environment of the run, the image, "
                     "the switches")
    elif found["undecided"]:
        words.append("not decided: %s; run %s" % (_some(found["undecided"]), _some(
            ["%s with %s" % tuple(pair) for pair in found["next"]]) if found["next"] else "pairs with other hosts"))
    return words


def _some(names):
    more = " and %d more" % (len(names) - 8) if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
