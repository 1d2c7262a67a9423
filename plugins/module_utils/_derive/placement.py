# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places the replicas of a model on GPUs: groups inside a node, else a rack, else across racks; all of it or nothing.

PRIVATE to the collection. Pure: nothing is marked in what is given, and the same hosts in any order give the same.

The best placement has the least, in this order: tensor-parallel groups across racks, across nodes, across islands of
one node; racks that pipelines cross; node boundaries within replicas; kinds of GPU; nodes in use. An NVLink domain
(`nvlink_domain`) is one island, however many nodes it has.
Method: a group inside a node is a matter of counting, for GPUs of one island are alike. So replicas are counted into
nodes, racks, and the cluster, in several orders, and the cheapest is compared with a lower bound on every entry of the
cost, which is proof where it is reached. Where it is not, up to 32 nodes are searched by branch and bound, with an
effort that is counted. `method` and `proved` of the result say which it was.
"""

from __future__ import annotations

from .._values import nearest
from . import placement_cluster, placement_refusal
from .placement_bound import OBJECTIVE, WITHIN, cost_of, problem_of
from .placement_cluster import links_unknown, whole
from .placement_exact import solve
from .placement_gpus import numbers
from .placement_result import host_variables, in_use, replica

SCHEMA = 1
DTYPES = {"float32": 4, "float16": 2, "half": 2, "bfloat16": 2, "auto": 2}
DEFAULTS = {
    "pipeline_parallel_size": 1, "replicas": 1, "within": "cluster", "gpu": None, "layers": 80, "hidden_size": 8192,
    "attention_heads": None, "dtype": "bfloat16", "batch_size": 32, "tokens_per_second": 30, "network_gbps": None,
    "master_port": 29501}


def place(hosts, tensor_parallel_size, **options):
    """The placement; see place_model.yml for what goes in and comes out. Raises ValueError where it does not fit."""
    given = checked(tensor_parallel_size, options)
    size, stages = given["tensor_parallel_size"], given["pipeline_parallel_size"]
    cluster = placement_cluster.read(hosts, size, given["gpu"])
    problem = problem_of(cluster["bins"], size, stages, given["replicas"], given["within"])
    placed, method, proved = solve(problem)
    if placed is None:
        raise ValueError(placement_refusal.refusal(problem, cluster["told"], proved))
    placed.sort(key=lambda one: (one[1], one[0]))
    load = dict({name: given[name] for name in (
        "layers", "hidden_size", "batch_size", "tokens_per_second", "network_gbps")},
        value_bytes=DTYPES[given["dtype"]])
    made = [replica(number, share, chosen, gpus, problem, cluster["entries"], load) for number, ((share, chosen), gpus)
            in enumerate(zip(placed, numbers(problem, placed)))]
    _give_ports(made, given["master_port"])
    return {"schema": SCHEMA, "tensor_parallel_size": size, "pipeline_parallel_size": stages, "replicas": made,
            "load": load, "hosts": host_variables(made), "objective": dict(zip(OBJECTIVE, cost_of(problem, placed))),
            "method": method, "proved": proved, "free_gpus": _left(cluster, made),
            "notes": cluster["notes"] + in_use(cluster["entries"], made) + _advice(
                problem, placed, given["layers"], cluster["entries"])}


def checked(tensor_parallel_size, options):
    """All options with their defaults, as numbers where they are some. Raises ValueError."""
    for name in options:
        if name not in DEFAULTS:
            raise ValueError("there is no option %s; %s" % (name, nearest(name, list(DEFAULTS))))
    given = dict(DEFAULTS, **{name: value for name, value in options.items() if value is not None})
    given["tensor_parallel_size"] = tensor_parallel_size
    for name in ("tensor_parallel_size", "pipeline_parallel_size", "replicas", "layers", "hidden_size", "batch_size",
                 "master_port"):
        given[name] = whole(given[name], name, 1)
    for name in ("tokens_per_second", "network_gbps"):
        given[name] = None if given[name] is None else _number(given[name], name)
    for name, legal in (("within", WITHIN), ("dtype", tuple(DTYPES))):
        if given[name] not in legal:
            raise ValueError("%s: %r is not one of %s; %s" % (
                name, given[name], ", ".join(legal), nearest(given[name], legal)))
    _check_model(given)
    return given


def _check_model(given):
    """What the model itself does not allow (R29)."""
    if given["attention_heads"] is not None:
        heads = given["attention_heads"] = whole(given["attention_heads"], "attention_heads", 1)
        if heads % given["tensor_parallel_size"]:
            legal = [str(size) for size in range(1, min(heads, 128) + 1) if heads % size == 0]
            raise ValueError("tensor_parallel_size: %d attention heads cannot be divided by %d; legal: %s" % (
                heads, given["tensor_parallel_size"], ", ".join(legal)))
    if given["pipeline_parallel_size"] > given["layers"]:
        raise ValueError("pipeline_parallel_size: %d stages, but the model has %d layers" % (
            given["pipeline_parallel_size"], given["layers"]))
    if given["master_port"] > 65535:
        raise ValueError("master_port: %d is no port" % given["master_port"])


def _number(value, name):
    try:
        number = float("" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        number = 0
    if not 0 < number < float("inf"):
        raise ValueError("%s: %r is not a number above 0" % (name, value))
    return number


def _advice(problem, placed, layers, entries):
    """A sentence where smaller groups in more stages would not leave their islands (R30)."""
    used = {problem.bins[index].host for _share, chosen in placed for index in chosen}
    if not any(cost_of(problem, placed)[:3]) or any(links_unknown(entries[host]) for host in used):
        return []
    most = max(len(island) for one in problem.bins for island in one.islands)
    size = max(part for part in range(1, problem.size + 1) if problem.size % part == 0 and part <= most)
    stages = problem.stages * problem.size // size
    other = problem._replace(size=size, stages=stages, bins=[
        one._replace(slots=sum(len(island) // size for island in one.islands)) for one in problem.bins])
    found = solve(other)[0] if stages <= layers and size < problem.size else None
    if found is None or any(cost_of(other, found)[:3]):
        return []
    return ["Groups of %d leave their islands (R30); TP %d x PP %d would fit, each group in one island" % (
        problem.size, size, stages)]


def _give_ports(made, first):
    """A port for each replica's master, of its own on a host that is the master of several. Raises ValueError."""
    masters = {}
    for one in made:
        port = one["master_port"] = first + masters.get(one["nodes"][0], 0)
        masters[one["nodes"][0]] = masters.get(one["nodes"][0], 0) + 1
        if port > 65535:
            raise ValueError("master_port: %d leaves no port for each of the replicas that begin on %s" % (
                first, one["nodes"][0]))


def _left(cluster, made):
    """How many GPUs are still free on each host that had some."""
    left = {host: counts["free"] for host, counts in cluster["told"].items() if counts["free"]}
    for one in made:
        for stage in one["stages"]:
            for host, gpus in stage["gpus"].items():
                left[host] -= len(gpus)
    return left
