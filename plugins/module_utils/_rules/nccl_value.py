# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule R19: every variable of NCCL that is set here is known to the NCCL that reads it, and means what it seems to.

PRIVATE to the collection. What this role would write is judged on its setting, what others left behind as what it is.
"""

from __future__ import annotations

from .._nccl_lists import ALGORITHMS, PROTOCOLS, left_without, token_lists
from .._nccl_names import DEBUGGING, GONE, INTEGERS, OLD, SINCE, unknown, version
from .._nccl_text import is_integer, number
from .finding import finding
from .isolation import listed
from .nccl_consequence import consequence
from .rdma_node import environment, nccl_steps, replaced_file

_OLDEST, _DEBUG = "nccl_env_min_version", "nccl_env_debugging"
_SCOPED, _RAILS = (2, 24), (2, 30)
_TOKENS = {"NCCL_ALGO": ALGORITHMS, "NCCL_PROTO": PROTOCOLS}
# The words of NCCL_NET_GDR_LEVEL and NCCL_P2P_LEVEL, and since when each is one.
_LEVELS = {"LOC": (2, 10), "NVL": (2, 10), "NVB": (2, 10), "C2C": (2, 26), "PIX": (2, 10), "PXB": (2, 10),
           "P2C": (2, 28), "PXN": (2, 12), "PHB": (2, 10), "SYS": (2, 10)}
_ALGORITHMS_SINCE = {"CollnetChain": (2, 14), "CollnetDirect": (2, 14), "NVLS": (2, 17), "NVLSTree": (2, 18),
                     "PAT": (2, 23)}
# What makes no sense for a whole node.
_OF_ONE_JOB = {
    "NCCL_CONF_FILE": "only the environment of a process can say this: NCCL looks before it reads a file",
    "NCCL_COMM_ID": "it is where the ranks of one job meet, and two jobs of a node would meet each other",
    "NCCL_HOSTID": "nodes with the same one are one host to NCCL",
}


def oldest(view):
    """The oldest NCCL that is declared here, as a tuple, or None."""
    told = view.options.get(_OLDEST)
    try:
        return None if told is None else version(told)
    except ValueError:
        return None


def r19_version(view):
    """The oldest NCCL is declared as a version."""
    told = view.options.get(_OLDEST)
    try:
        return [] if told is None or version(told) else []
    except ValueError as error:
        return [finding("R19", "E", None, "%s: %s" % (_OLDEST, error))]


def r19_written(view):
    """What this role would write: refused where a communicator would fail or data could be wrong, else said."""
    found = []
    for step in nccl_steps(view):
        name, text = step["target"], step["desired"]
        words = list(judged(name, text, oldest(view))) + _unknown_to_old(view, name, text)
        if name in _OF_ONE_JOB:
            words.append(("W", _OF_ONE_JOB[name]))
        if name in DEBUGGING:
            allowed = view.options.get(_DEBUG)
            more = "" if allowed else ". %s: true lets it through" % _DEBUG
            words.append(("W" if allowed else "E", "NVIDIA counts it among what should not be set in production: %s%s"
                          % (consequence(name, text), more)))
        found += [finding("R19", severity, name, "%s=%s: %s" % (name, text, said)) for severity, said in words]
    return found


def _unknown_to_old(view, name, text):
    """What the operator asks for and an older NCCL does not know. What is derived is for those that do."""
    least, derived = oldest(view), (view.options.get("nccl_env_derived") or {}).get(name) or {}
    if least is None or SINCE.get(name, (2, 10)) <= least or derived.get("value") == text:
        return []
    return [("W", "an NCCL before %s takes no notice of it, and %s is %s" % (
        _text(SINCE[name]), _OLDEST, _text(least)))]


def r19_left_behind(view):
    """What other files, units and processes set; a file that this run replaces is as good as gone."""
    places = {}
    for scope in environment(view):
        for name, told in scope["values"].items():
            path = told["where"].rpartition(":")[0]
            if name.startswith("NCCL_") and path != replaced_file(view):
                places.setdefault((told["where"], name), (told["value"], scope["pid"]))
    found, debugging = [], {}
    for (where, name), (text, pid) in sorted(places.items()):
        wrong = unknown(name)
        words = [("W", wrong)] if wrong else list(judged(name, text, oldest(view)))
        found += [finding("R19", "W" if pid else severity, None, "%s: %s=%s: %s" % (where, name, text, said))
                  for severity, said in words]
        if name in DEBUGGING and not words:
            debugging.setdefault(where.rpartition(":")[0] or where, []).append("%s=%s" % (name, text))
    return found + [finding("R19", "W", None, "%s: NVIDIA says that %s should not be set in production: NCCL would "
                            "choose by itself" % (where, listed(names))) for where, names in sorted(debugging.items())]


def judged(name, text, least):
    """[(severity, words)] on a variable and its value; `least` is the oldest NCCL that reads it, or None."""
    if name in GONE:
        yield "W", "NCCL takes no notice of it since %s: %s" % GONE[name]
        return
    if name in OLD:
        yield "W", "deprecated since NCCL %s: %s" % OLD[name]
    if name in INTEGERS and not is_integer(text):
        yield "E", "that is no integer, and NCCL takes it for %d" % number(text)
    elif name in _TOKENS:
        yield from _tokens(name, text, least)
    elif name in ("NCCL_NET_GDR_LEVEL", "NCCL_P2P_LEVEL"):
        yield from _level(text, least)
    elif name == "NCCL_IB_HCA":
        yield from _rails(text, least)
    elif name in _SPECIAL:
        yield from _SPECIAL[name](text)


def _tokens(name, text, least):
    """The words of NCCL_ALGO and NCCL_PROTO, what they leave a collective without, and what an older NCCL reads."""
    try:
        lists = token_lists(text, _TOKENS[name], scoped=True)
    except ValueError as error:
        yield "E", str(error)
        return
    without = left_without(lists) if name == "NCCL_ALGO" else {}
    if without:
        yield "E", "from NCCL 2.24 on %s then %s: %s cannot do %s, and NCCL does not fall back to ring. Begin with a " \
            "function, as in allreduce:%s" % (listed(without), "fails" if len(without) == 1 else "fail", listed(
                list(without.values())[0]), "it" if len(without) == 1 else "them", text.rpartition(":")[2])
    forced = [word for _function, out, words in lists for word in words if not out]
    if "LL128" in forced and name == "NCCL_PROTO":
        yield "W", "LL128 is forced: where a platform does not support it, data are corrupted"
    if least is None:
        return
    if (";" in text or ":" in text) and least < _SCOPED:
        yield "W", "an NCCL before 2.24 knows no FUNCTION: and then reads nothing of it; %s is %s" % (
            _OLDEST, _text(least))
    late = sorted({word for word in forced if _ALGORITHMS_SINCE.get(word, least) > least})
    if late:
        yield "W", "an NCCL before %s does not know %s; %s is %s" % (
            _text(max(_ALGORITHMS_SINCE[word] for word in late)), listed(late), _OLDEST, _text(least))


def _level(text, least):
    if is_integer(text):
        yield "W", "numbers are of old, and mean other distances than they seem to: above 4 is SYS, across sockets"
    elif text not in _LEVELS:
        yield "W", "NCCL knows no such level and says nothing; levels are in capitals: %s" % ", ".join(_LEVELS)
    elif least is not None and _LEVELS[text] > least:
        yield "W", "an NCCL before %s does not know %s and says nothing; %s is %s" % (
            _text(_LEVELS[text]), text, _OLDEST, _text(least))


def _rails(text, least):
    """The rail of a device, which an older NCCL does not read, and an empty port, which it takes for port 0."""
    if least is None or least >= _RAILS:
        return
    entries = [entry.split(":") for entry in text.lstrip("^=").split(",")]
    if any(len(parts) > 2 and not parts[1] for parts in entries):
        yield "E", "an NCCL before 2.30 takes the empty port for port 0, finds no device and goes over TCP. Name the " \
            "port; %s is %s" % (_OLDEST, _text(least))
    elif any(len(parts) > 2 for parts in entries):
        yield "W", "an NCCL before 2.30 reads no rails, and orders devices by PCI; %s is %s" % (_OLDEST, _text(least))


def _log(text):
    if text.upper() in ("INFO", "TRACE"):
        yield "W", "every job writes a flood into its log; WARN is for good, the rest for one run"


def _subsystems(text):
    words = text.upper().split(",")
    if not text.startswith("^") and {"COLL", "CALL", "ALL"} & set(words):
        yield "W", "with NCCL_DEBUG=INFO each call of a collective then writes a line"


def _timeout(text):
    value = number(text)
    if not 0 < value < 32:
        yield "W", "NICs then wait for ever: a peer that is gone is not noticed"
    elif not 14 <= value <= 25:
        yield "W", "an answer is waited for %.3g s; 14 to 25 are of use" % (4.096e-6 * 2 ** value)


_SPECIAL = {"NCCL_DEBUG": _log, "NCCL_DEBUG_SUBSYS": _subsystems, "NCCL_IB_TIMEOUT": _timeout}


def _text(numbers):
    return ".".join(str(one) for one in numbers)
