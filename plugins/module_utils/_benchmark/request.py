# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be asked of a benchmark: operations, launchers, sizes, and the environment that it runs with.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re

from .._values import nearest

OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "alltoall", "sendrecv")
LAUNCHERS = ("single", "mpirun", "srun")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_LARGEST = 1 << 40
# 0.1, 1, 4, 16, 64 and 256 MB: what guides on inference measure. None of them tells a bandwidth.
_GUIDE = (104856, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20)
_SWEEP = {"begin": "8", "end": "8G", "factor": 2}
PRESETS = {"sweep": _SWEEP, "guide": _GUIDE, "bandwidth": {"begin": "1G", "end": "8G", "factor": 2}}
_NAME = re.compile(r"[A-Za-z_]\w*$")


class BadRequest(Exception):
    """What was asked for cannot be; the text names it and says what is legal."""


def one_of(name, value, legal):
    """A word that must be one of some. Raises BadRequest."""
    if value not in legal:
        raise BadRequest("%s: %r is none; %s" % (name, value, nearest(value, legal)))
    return value


def number(name, value, least, most=None):
    """A whole number within bounds. Raises BadRequest."""
    text = str(value).strip()
    if isinstance(value, bool) or not text.isdigit() or int(text) < least or (most is not None and int(text) > most):
        raise BadRequest("%s: %r is no whole number from %d%s"
                         % (name, value, least, "" if most is None else " to %d" % most))
    return int(text)


def size(name, value):
    """Bytes of a size as nccl-tests takes it: 8, 512K, 0.5M, 8G. Raises BadRequest."""
    match = re.match(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$", str(value).strip().upper().replace("IB", "B"))
    if isinstance(value, bool) or not match:
        raise BadRequest("%s: %r is no size; legal are bytes, or a number with K, M or G, such as 8G" % (name, value))
    count = int(float(match.group(1)) * _UNITS[match.group(2)])
    if not 0 < count <= _LARGEST:
        raise BadRequest("%s: %r is out of bounds: from 1 byte to 1T" % (name, value))
    return count


def size_text(count):
    """A size in bytes in the shortest form that nccl-tests takes and that means exactly this."""
    for unit, power in (("G", 30), ("M", 20), ("K", 10)):
        if count >> power and not count % (1 << power):
            return "%d%s" % (count >> power, unit)
    return str(count)


def launches(sizes):
    """[(begin, end, factor)], one a start of nccl-tests: a sweep is one start, a list of sizes one each.

    Raises BadRequest.
    """
    name = "nccl_benchmark_sizes"
    if isinstance(sizes, str):
        listed = [part.strip() for part in sizes.split(",") if part.strip()]
        sizes = listed if len(listed) > 1 or sizes[:1].isdigit() else PRESETS[one_of(name, sizes, PRESETS)]
    if isinstance(sizes, dict):
        return [_sweep(name, sizes)]
    if isinstance(sizes, bool) or not isinstance(sizes, (list, tuple, int)) or sizes in ([], ()):
        raise BadRequest("%s: %r; legal is one of %s, a list of sizes, or {begin, end, factor}"
                         % (name, sizes, ", ".join(PRESETS)))
    return [(count, count, 2) for count in (size(name, one) for one in _as_list(sizes))]


def _as_list(sizes):
    return list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]


def _sweep(name, sizes):
    unknown = sorted(set(sizes) - set(_SWEEP))
    if unknown:
        raise BadRequest("%s: no key %s; %s" % (name, unknown[0], nearest(unknown[0], _SWEEP)))
    whole = dict(_SWEEP, **sizes)
    begin, end = (size("%s.%s" % (name, key), whole[key]) for key in ("begin", "end"))
    if begin > end:
        raise BadRequest("%s: begin %s is more than end %s" % (name, whole["begin"], whole["end"]))
    return begin, end, number("%s.factor" % name, whole["factor"], 2, 1024)


def variables(name, given, nccl):
    """Environment variables as text. `nccl` says whether those of NCCL belong here. Raises BadRequest."""
    if not isinstance(given, dict):
        raise BadRequest("%s: %r is no dict of environment variables" % (name, given))
    found = {}
    for key, value in given.items():
        if not isinstance(key, str) or not _NAME.match(key):
            raise BadRequest("%s: %r is no name of a variable" % (name, key))
        if isinstance(value, (dict, list, bool)) or value is None or re.search(r"[\0\n]", str(value)):
            raise BadRequest("%s.%s: %r is no text of one line" % (name, key, value))
        if key.startswith("NCCL_") and not nccl:
            raise BadRequest("%s.%s: the benchmark measures the node as it is, with /etc/nccl.conf alone; to compare a "
                             "value with that, set nccl_benchmark_compare" % (name, key))
        found[key] = str(value)
    return found
