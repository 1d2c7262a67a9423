# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which runs a benchmark is made of, in rounds: those of one round have no host in common and go on at once.

PRIVATE to the collection. Pure. A look is what a host is: {"options", "why" (it cannot take part, or None), "gpus",
"programs", "topology", "nvlink_domain"}. A run is {"id", "scope", "search", "hosts", "excuse" (why it cannot be
measured, or None), "launch" (what module nccl_run takes, but for what is measured), "work"}.
"""

from __future__ import annotations

import urllib.parse

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark.request import BadRequest
from ansible_collections.gpuwright.node.plugins.module_utils._derive import pair_search
from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark.options import OF_HOST, PREFIX

_LONGEST_NAME = 80
_TEST_SIZE = 1 << 30
_TEST_SECONDS = 180  # For one size; the pairs of a node that hangs are not to take a quarter of an hour each.


def first(looks):
    """The rounds of the first part. Raises BadRequest where the hosts are not of one mind, or too few."""
    options = of_run(looks)
    ready = [host for host, look in looks.items() if look["why"] is None]
    work = _work(options)
    if options["scope"] == "node":
        return [[_run("node", [host], looks, work) for host in looks]]
    if options["scope"] == "group":
        return [[_run("group", list(looks), looks, work)]]
    if len(looks) < 2:
        raise BadRequest("nccl_benchmark_scope: pairs need two hosts, and this run has %s" % ", ".join(looks))
    rounds = _pairs(ready, looks, work, options["rounds"])
    met = {host for runs in rounds for run in runs for host in run["hosts"]}
    alone = [_run("pair", [host], looks, work) for host in looks if host not in met]
    return rounds + ([alone] if alone else [])


def search(looks, failed):
    """The rounds of pairs that find what is at fault. `failed` are the judged runs: {"scope", "hosts", "operation"}.

    Pairs of suspects with one another, at one large size and for one operation that failed: all_reduce where it did.
    """
    options = of_run(looks)
    several = [one for one in failed if len(one["hosts"]) > 1]
    if not options["search"] or not several or options["launcher"] == "single":
        return []
    suspects = [host for host in looks if any(host in one["hosts"] for one in several)]
    if options["scope"] == "pairs":  # Each is to meet others than the one that it failed with.
        suspects += [host for host in looks if host not in suspects and looks[host]["why"] is None]
    if len(suspects) < 3:
        return []  # A pair alone cannot tell which of the two it is.
    failing = [one["operation"] for one in several]
    operation = "all_reduce" if "all_reduce" in failing else failing[0]
    work = [{"operation": operation, "variant": "", "environment": {}, "launches": [(_TEST_SIZE, _TEST_SIZE, 2)]}]
    rounds = _pairs(suspects, looks, work, options["rounds"], True)
    for run in (run for runs in rounds for run in runs):
        run["launch"]["seconds"] = min(run["launch"]["seconds"], _TEST_SECONDS)
    return rounds


def of_run(looks):
    """The options that all hosts must share. Raises BadRequest where they do not."""
    first_host = next(iter(looks))
    options = looks[first_host]["options"]
    for host, look in looks.items():
        for name, value in look["options"].items():
            if name not in OF_HOST and value != options[name]:
                raise BadRequest("%s%s is of the whole run, but differs: %r on %s, %r on %s"
                                 % (PREFIX, name, options[name], first_host, value, host))
    return options


def _work(options):
    """What is measured in each run: every operation as the node is, then with each set of variables to compare."""
    found = []
    for operation in options["operations"]:
        for variant, values in [("", {})] + sorted(options["compare"].items()):
            found.append({"operation": operation, "variant": variant, "environment": values,
                          "launches": options["launches"]})
    return found


def _pairs(hosts, looks, work, most, searching=False):
    """Rounds of disjoint pairs."""
    rounds = []
    for pairs in pair_search.rounds(hosts, most):
        rounds.append([_run("pair", list(pair), looks, work, searching) for pair in pairs])
    return rounds


def _run(scope, hosts, looks, work, searching=False):
    options, leader = of_run(looks), looks[hosts[0]]
    gpus = min(looks[host]["gpus"] or 0 for host in hosts)
    shared = ("launcher", "launcher_options", "iterations", "warmup", "check", "allow")
    launch = {name: options[name] for name in shared}
    launch.update({name: leader["options"][name] for name in ("path", "library_path", "command_prefix", "environment")},
                  gpus=gpus, hosts=[looks[host]["options"]["host"] or host for host in hosts],
                  seconds=options["timeout"])
    return {"id": _name(scope, hosts, searching), "scope": scope, "search": searching, "hosts": hosts,
            "excuse": _excuse(scope, hosts, looks, options), "launch": launch, "work": work}


def _excuse(scope, hosts, looks, options):
    """Why a run cannot be measured, or None."""
    if len(hosts) == 1:
        return looks[hosts[0]]["why"] or ("there is nobody to pair it with" if scope == "pair" else None)
    wrong = ["%s: %s" % (host, looks[host]["why"]) for host in hosts if looks[host]["why"]]
    if wrong:
        return "; ".join(wrong)
    for operation in options["operations"]:
        places = {looks[host]["programs"][operation]: host for host in reversed(hosts)}
        if len(places) > 1:
            return ("%s of nccl-tests lies at another place on each of %s (%s), and a launcher starts one path: set "
                    "nccl_benchmark_path" % (operation, ", ".join(sorted(places.values())), ", ".join(sorted(places))))
    return None


def _name(scope, hosts, searching):
    """A name for the files of a run."""
    text = "%s-%s" % (scope, "+".join(hosts) if len(hosts) < 3 else "%s+%d-more" % (hosts[0], len(hosts) - 1))
    return ("search-" if searching else "") + urllib.parse.quote(text, safe="+")[:_LONGEST_NAME]
