# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what module vllm_service was asked to a plan: the instances are checked, placed and composed on this node.

PRIVATE to the collection.
"""

from __future__ import annotations

from ..._rules.finding import finding
from ..change.plan import plan
from ..flags import engine_schema
from ..placing import deployment, node
from ..placing.resolved import resolve
from ..verification import preflight
from .instance import check
from .instance_values import BadInstance


def make_plan(host, params):
    """The plan. Raises BadInstance, ForeignJournal, and OSError where the node cannot be read or has no systemd."""
    instances = [resolve(host, check(one)) for one in params["instances"]]
    names = [one["name"] for one in instances]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInstance("instance %s is there twice" % ", ".join(twice))
    unknown = sorted(set(params["secrets"]) - set(names))
    if unknown:
        raise BadInstance("secrets: there is no instance %s" % ", ".join(unknown))
    made = composed(host, instances, params["secrets"])
    try:
        return plan(host, made, params["take_over"])
    except OSError as error:
        raise _with_what_else_is_wrong(error, made) from error


def _with_what_else_is_wrong(error, made):
    """What the node lacks for a plan, such as systemd, and with it what is wrong with the instances themselves."""
    wrong = [words for _name, one in sorted(made.items())
             for words in [one["problem"]] + list((one["deployment"] or {}).get("problems") or ()) if words]
    return error if not wrong else OSError(
        error.errno, "%s. Wrong besides: %s" % (error.strerror, "; ".join(wrong)), error.filename)


def composed(host, instances, secrets):
    """{name: {"instance", "deployment", "problem"}}, on what the node is and has now."""
    wanted = [one for one in instances if one["state"] != "absent"]
    if not wanted:
        return deployment.compose_all(instances, {"taken": {}, "holders": [], "schemas": {}}, secrets)
    looked = node.look(host, instances)
    looked["schemas"] = {one["name"]: engine_schema.read(host, one) for one in wanted}
    made = deployment.compose_all(instances, looked, secrets)
    for one in made.values():
        if one["deployment"] and one["instance"]["state"] == "started":
            _with_its_nodes(host, one["deployment"])
    return made


def _with_its_nodes(host, composed_one):
    """What keeps the nodes of a replica from finding one another keeps it from being switched."""
    told = preflight.look(host, composed_one)
    composed_one["preflight"] = told["facts"]
    composed_one["problems"] += told["problems"]
    composed_one["findings"] += [finding("nodes", "W", composed_one["unit"], words) for words in told["warnings"]]
