# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round of the roll on one node: switch, verify, and keep or put back, as the replica's other nodes came through.

PRIVATE to the collection. No stage fails the node before all nodes of a replica were asked.
"""

from __future__ import annotations

import time

from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import kept

# Seconds between two looks; the first ones come sooner.
_FIRST, _LONGEST = 2, 15
_WELL = ("ok", "kept", "unkept")
_WORDS = {"switched": "restarted, and not verified", "ok": "verified", "failed": "failed", "waited": "failed",
          "kept": "ok", "unkept": "serves, but could not be kept", "put_back": "failed",
          "down": "failed, and the old one does not serve", "not_reached": "not reached"}


def mine(place, host, round_name):
    """The units of a host in a round, such as "0.1" for the second one of the first batch."""
    turn = kept.one(place, "turn", host)
    if turn is None:
        return []
    batch, _dot, number = str(round_name).partition(".")
    return [unit for unit in turn["units"] if turn["batch"] == int(batch) and unit["round"] == int(number)]


def switch(place, host, units, ask):
    """Restart what this round restarts here; after a failure anywhere nothing more is restarted."""
    why = kept.one(place, "stopped", "why")
    answer = None if why else ask({"stage": "switch", "only": [unit["name"] for unit in units]})
    for unit in units:
        if why:
            kept.keep_outcome(place, host, unit["name"], phase="not_reached", words=[why])
            continue
        wrong = (answer.get("errors") or {}).get(unit["name"]) or answer.get("failed")
        # What is to be gone needs no looks: it is, once it was stopped without an error.
        kept.keep_outcome(place, host, unit["name"], switched=True, left=unit["leaves"], words=[wrong] if wrong else [],
                          phase="failed" if wrong else "ok" if unit["leaves"] else "switched")
    return answer or {}


def verify(place, host, units, ask, timeout, say, sleep=time.sleep, clock=time.monotonic):
    """Look until each unit serves, one differs, its time is up, or another node of its replica failed."""
    waiting = [unit for unit in units if phase(place, host, unit["name"]) == "switched"]
    begun, pause = clock(), _FIRST
    while waiting:
        answer = ask({"stage": "verify", "only": [unit["name"] for unit in waiting]})
        late = clock() - begun
        waiting = [unit for unit in waiting if not _settled(place, host, unit, answer, late, timeout[unit["name"]])]
        if waiting:
            say(["%s: waiting for %s for %d s%s" % (host, unit["name"], late, _why(answer, unit)) for unit in waiting])
            sleep(pause)
            pause = min(pause * 2, _LONGEST)


def _settled(place, host, unit, answer, late, limit):
    """Keep what a look says of a unit, if it says it for good."""
    name = unit["name"]
    told = (answer.get("verified") or {}).get(name) or {}
    lost = [other for other in unit["hosts"] if other != host and phase(place, other, name) == "failed"]
    if answer.get("failed"):
        said = {"phase": "failed", "words": [answer["failed"]]}
    elif told.get("ok"):
        said = {"phase": "ok", "words": [], "facts": told.get("facts")}
    elif told.get("ok") is False:
        said = {"phase": "failed", "words": told.get("differs") or ["it does not serve"]}
    elif lost:
        said = {"phase": "waited", "words": ["it failed on %s" % ", ".join(lost)]}
    elif late >= limit:
        said = {"phase": "failed", "words": ["after %d s it does not serve yet (vllm_service_health_timeout)%s"
                                             % (late, _why(answer, unit))]}
    else:
        return False
    kept.keep_outcome(place, host, name, switched=True, **said)
    return True


def _why(answer, unit):
    differs = ((answer.get("verified") or {}).get(unit["name"]) or {}).get("differs")
    return ": %s" % "; ".join(differs) if differs else ""


def phase(place, host, name):
    """How far a unit came on a host."""
    return (kept.outcome(place, host, name) or {}).get("phase")


def settle(place, host, units, ask, timeout, sleep=time.sleep, clock=time.monotonic):
    """Keep the units that serve on all their nodes, put the others back; returns what is wrong, in words."""
    wrong, good = [], []
    for unit in units:
        states = {other: kept.outcome(place, other, unit["name"]) or {} for other in unit["hosts"]}
        bad = {other: state for other, state in states.items() if state.get("phase") not in _WELL}
        if not bad:
            good.append(unit)
        elif states[host].get("switched"):
            wrong.append(_put_back(place, host, unit, bad, ask, lambda unit=unit: _served_again(
                unit["name"], ask, timeout.get(unit["name"], 60), sleep, clock)))
        else:
            wrong.append("%s: not restarted: %s" % (unit["name"], _reason(bad)))
    if good:
        answer = ask({"stage": "keep", "only": [unit["name"] for unit in good]})
        for unit in good:
            told = dict(kept.outcome(place, host, unit["name"]), phase="unkept" if answer.get("failed") else "kept",
                        down_seconds=(answer.get("down_seconds") or {}).get(unit["name"]) or None)
            words = [answer["failed"]] if answer.get("failed") else _at_most(place, host, unit, told["down_seconds"])
            kept.keep_outcome(place, **dict(told, words=words))
            wrong += ["%s: it serves, but could not be kept: %s" % (unit["name"], answer["failed"])] if answer.get(
                "failed") else []
    return wrong


def _put_back(place, host, unit, bad, ask, served_again):
    """Put the old configuration of a unit back on this node, look until it serves, and say how that went."""
    name, why = unit["name"], _reason(bad)
    kept.keep(place, "stopped", "why", "%s failed: %s" % (name, why))
    answer = ask({"stage": "put_back", "only": [name]})
    told = (answer.get("put_back") or {}).get(name) or {}
    well, said = bool(told.get("ok")) and not answer.get("failed"), _listed(answer.get("failed") or told.get("words"))
    down = told.get("down_seconds")
    if well and down:  # Something served before.
        well, waited, differs = served_again()
        down += waited
        said = ["the old one serves again; it was down for %d s" % down] if well else [
            "the old one was started again and does not serve; it is down for %d s: %s" % (down, "; ".join(differs))]
        said += _at_most(place, host, unit, down) + _listed(told.get("also"))
    left = [] if unit["leaves"] else _left(place, host)
    said += ["%s, which this run stopped on %s before, is not started again" % (", ".join(left), host)] if left else []
    kept.keep_outcome(place, host, name, phase="put_back" if well else "down", words=[why] + said, down_seconds=down,
                      switched=True)
    return "%s: %s; %s" % (name, why, "; ".join(said) or "nothing is known of the old one")


def _at_most(place, host, unit, down):
    """Since when it is down counts from a run that was stopped; whether it served before this one, nobody saw."""
    opened = (kept.one(place, "plan", host) or {}).get("open") or ()
    return ["down for at most that: it counts from an earlier run, which was stopped before it had verified this, and "
            "it may have served since"] if down and unit["name"] in opened else []


def _left(place, host):
    """The instances that this run stopped or removed on a host, as one that is renamed."""
    return [state["instance"] for state in kept.everything(place, "outcome").values()
            if state["host"] == host and state.get("left") and state.get("phase") in _WELL]


def _served_again(name, ask, limit, sleep, clock):
    """(whether the old one serves, seconds until that was known, what differs)."""
    begun, pause = clock(), _FIRST
    while True:
        answer = ask({"stage": "verify", "only": [name]})
        told = (answer.get("verified") or {}).get(name) or {}
        late = clock() - begun
        if told.get("ok") is not None or answer.get("failed") or late >= limit:
            return bool(told.get("ok")), int(late), _listed(answer.get("failed") or told.get("differs"))
        sleep(pause)
        pause = min(pause * 2, _LONGEST)


def _listed(words):
    return [words] if isinstance(words, str) else list(words or ())


def _reason(bad):
    """Which node of a replica failed, and why; who only waited for another one says nothing new."""
    said = ["%s: %s" % (host, "; ".join(state.get("words") or ["nothing is known of it"]))
            for host, state in sorted(bad.items()) if state.get("phase") not in ("waited", "put_back", "down")]
    return "; ".join(said) or "; ".join(
        "%s: %s" % (host, "; ".join(state.get("words") or [])) for host, state in sorted(bad.items()))


def words(state):
    """What the outcome table says of an instance."""
    return _WORDS.get((state or {}).get("phase"), (state or {}).get("phase") or "not reached")
