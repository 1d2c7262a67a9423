# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at an instance after its start: whether it serves what was asked for, from where, and what differs.

PRIVATE to the collection. Nothing here waits for an engine that still starts: who calls asks again.
"""

from __future__ import annotations

from ... import _host
from ..._health import gpu_process
from ..._topology import nvidia_smi
from ..change import places
from ..rendered import command, container_group
from . import answers, binding, failure, http, processes

_PROPERTIES = ("LoadState", "ActiveState", "SubState", "Result", "ExecMainStatus", "MainPID", "NRestarts",
               "ControlGroup", "InvocationID", "NeedDaemonReload")


def look(host, deployment, ask, secrets=()):
    """{"ok", "differs", "facts"}. `ok` is None while it starts; then facts["waits_for"] says for what.

    `deployment` is what deployment.compose made, with its instance; `ask` is http.asker of the instance; `secrets` are
    texts that must not be in any answer.
    """
    instance = deployment["instance"]
    units = places.units(list(deployment["files"]), instance["name"]) or [deployment["unit"]]
    unit = units[-1]  # With Ray's before it, in whose control group the workers are.
    shown, problem = _show(host, unit)
    if problem:
        return {"ok": False, "differs": [problem], "facts": {"unit": unit}}
    facts = {"unit": unit, "state": "%s (%s)" % (shown.get("ActiveState"), shown.get("SubState")),
             "restarts": _number(shown.get("NRestarts"))}
    if instance["state"] != "started":
        return _stopped(instance, shown, facts)
    if shown.get("ActiveState") in ("failed", "inactive") or shown.get("SubState") == "auto-restart":
        return _ended(host, deployment, unit, shown, facts, secrets)
    if instance["engine"]["kind"] == "docker":
        shown["ControlGroup"] = container_group.of_docker(host, instance) or ""
    told = [shown] + [_show(host, other)[0] for other in units[:-1]]
    found = _processes(host, told)
    done = _serves(host, deployment, ask, found, facts)
    if done["ok"] is None and facts["restarts"]:
        return _ended(host, deployment, unit, shown, facts, secrets)
    if done["ok"] is not None:
        # Looked at anew: workers may have come after the first look and before the first answer.
        found, main = _processes(host, told), _number(shown.get("MainPID"))
        done["differs"] += _placed(host, deployment, found, main, shown, facts)
        done["ok"] = not done["differs"]
    done["differs"] = [failure.clean(words, secrets) for words in done["differs"]]
    return done


def _show(host, unit):
    """(what systemd has of the unit, None) or ({}, why it does not say)."""
    try:
        status, text, errors = host.run(["systemctl", "show", "--property=" + ",".join(_PROPERTIES), unit],
                                        changes=False)
    except _host.CommandNotRun as error:
        return {}, str(error)
    shown = dict(line.partition("=")[::2] for line in text.split("\n") if "=" in line)
    if status or not shown.get("ActiveState"):
        return {}, "systemctl show %s: %s" % (unit, errors.strip()[:200] or "no answer")
    return shown, None


def _processes(host, units):
    """The processes of some units."""
    pids = []
    for shown in units:
        group = processes.of_group(host, shown.get("ControlGroup"))
        pids += group if group is not None else [_number(shown.get("MainPID"))]
    return [told for told in (processes.tell(host, pid) for pid in pids if pid) if told]


def _number(text):
    return int(text) if text and text.isdigit() else 0


def _stopped(instance, shown, facts):
    """An instance that shall not run."""
    if shown["ActiveState"] == "deactivating":
        return {"ok": None, "differs": [], "facts": dict(facts, waits_for="waits until its processes have ended")}
    if shown["ActiveState"] not in ("inactive", "failed"):
        return {"ok": False, "differs": ["unit: wanted %s, found %s" % (instance["state"], facts["state"])],
                "facts": facts}
    return {"ok": True, "differs": [], "facts": facts}


def _ended(host, deployment, unit, shown, facts, secrets):
    """An engine whose main process is gone, or was: why, by its own log."""
    over = shown.get("ActiveState") in ("failed", "inactive") or shown.get("SubState") == "auto-restart"
    # What systemd started again has a log of its own, without the end of the start that failed.
    start = shown.get("InvocationID") if over else (deployment.get("invocations") or {}).get(unit)
    log = failure.read(host, unit, start, secrets)
    how = "its main process ended"
    if shown.get("Result") not in (None, "", "success", "exit-code"):
        how += " (%s)" % shown["Result"]
    if shown.get("ExecMainStatus") not in (None, "", "0"):
        how += " with status %s" % shown["ExecMainStatus"]
    times = "%d time%s" % (facts["restarts"], "" if facts["restarts"] == 1 else "s")
    if not over:  # What systemd shows is the start that goes on now.
        words = "unit %s does not stay up: its main process ended, and systemd started it again %s; now it is %s" % (
            unit, times, facts["state"])
    else:
        words = "unit %s is %s: %s%s" % (unit, facts["state"], how, "; systemd started it again " + times
                                         if facts["restarts"] else "")
    if log["cause"]:
        words += ": " + log["cause"]
    return {"ok": False, "differs": [words], "facts": dict(facts, cause=log["cause"], log=log["lines"])}


def _serves(host, deployment, ask, found, facts):
    """Whether it answers; where this node has only workers of it, whether they are there."""
    instance, placed = deployment["instance"], deployment["placed"]
    if is_headless(deployment):
        missing = binding.count(instance, placed, found)
        facts["completion"] = "not asked for: the API is on the first node"
        if missing:
            return {"ok": None, "differs": [], "facts": dict(facts, waits_for=missing[0])}
        return {"ok": True, "differs": [], "facts": facts}
    differs = _foreign(host, instance, found)
    for question in () if differs else _questions(instance, deployment["arguments"], ask):
        good, words, told = question()
        facts.update(told)
        if good is None:
            return {"ok": None, "differs": [], "facts": dict(facts, waits_for=words)}
        if good is False:
            differs.append(words)
            break
    return {"ok": not differs, "differs": differs, "facts": facts}


def is_headless(deployment):
    """Whether this node has workers only: the API of the instance is on another."""
    return deployment["arguments"].get("headless") is True or command.is_ray_worker(deployment["instance"])


def _questions(instance, arguments, ask):
    """What the engine is asked, in this order."""
    name = instance["served_name"]
    return (lambda: answers.health(ask),
            lambda: answers.version(ask, instance["engine"]["version"]),
            lambda: answers.models(ask, name, arguments.get("max-model-len")),
            lambda: answers.completion(ask, name, instance["prompt"]),
            lambda: answers.metrics(ask, arguments))


def _foreign(host, instance, found):
    """A stranger that has the port of the instance: it is not asked anything, and gets no key.

    Containers have the host's network, so that their sockets are seen here, too.
    """
    if http.where(instance)["socket"] or not found:
        return []
    place = (instance["listen"], instance["port"])
    if processes.listens(host, place, [process["pid"] for process in found]) is not False:
        return []
    others = [int(name) for name in host.names("/proc") if name.isdigit()]
    holder = next((pid for pid in others if processes.listens(host, place, [pid])), None)
    told = processes.tell(host, holder) if holder else None
    return ["port %d: wanted by this instance, found with %s" % (
        instance["port"], "%s (process %d)" % (told["title"], holder) if told else "a process that cannot be seen")]


def _placed(host, deployment, found, main, shown, facts):
    """What differs in the unit and its processes from how they were placed."""
    instance, placed = deployment["instance"], deployment["placed"]
    pids = {process["pid"] for process in found}
    limits_of = {pid: processes.limits(host, pid) for pid in pids}
    some = binding.workers(found)
    pages_of = {worker["pid"]: processes.pages(host, worker["pid"]) for worker in some}
    facts["workers"] = [_fact(worker, limits_of, pages_of) for worker in some]
    if host.notes:
        facts["not_seen"] = list(host.notes)
    differs = _unit(placed, shown, instance["engine"]["kind"] == "docker")
    if instance["engine"]["kind"] in ("venv", "existing"):
        differs += _started_with(host, deployment, main)
        differs += binding.variables(placed, processes.variables(host, main, set(placed["visible"])))
    elif not some:
        return differs  # Nobody says where Docker's processes are: that is in facts["not_seen"].
    differs += binding.count(instance, placed, found)
    differs += binding.cpus(instance, placed, found, processes.isolated(host))
    differs += binding.limits(_units(host, deployment["files"]), found, limits_of)
    differs += binding.memory(deployment, found, pages_of)
    if any(gpu.get("vendor") == "nvidia" for gpu in placed["gpus"]):
        told = nvidia_smi.output(host, "nvidia-smi", "-q", "-x")
        differs += binding.gpus(placed, pids, gpu_process.parse(told) if told else {})
    return differs


def _units(host, files):
    """The texts of the unit's files as they lie on the node: what is kept of a deployment has none."""
    found = []
    for path in sorted(files):
        if places.is_unit(path):
            try:
                found.append(host.read(path))
            except OSError:
                found.append(files[path].get("text") or "")
    return found


def _unit(placed, shown, unseen):
    """What differs in the unit itself; `unseen` is whether its processes may be where nobody can look."""
    differs = []
    group = shown.get("ControlGroup", "")
    if placed["slice"] and "/%s/" % placed["slice"] not in group and (group or not unseen):
        differs.append("slice: wanted %s, found %s" % (placed["slice"], group.rpartition("/")[0] or "no control group"))
    if shown.get("NeedDaemonReload") == "yes":
        differs.append("unit: its files changed after systemd read them")
    return differs


def _started_with(host, deployment, main):
    """Whether the main process was started with the words of the deployment, from the program's own ones on."""
    running, wanted = processes.command(host, main), deployment["command"]
    if not running or not wanted or running[-len(wanted) + 1:] == wanted[1:]:
        return []
    return ["command: wanted %s, found %s" % (" ".join(wanted), " ".join(running)[:300])]


def _fact(worker, limits_of, pages_of):
    """What is told of a worker."""
    pages, limits = pages_of.get(worker["pid"]) or {}, limits_of.get(worker["pid"]) or {}
    memlock = limits.get("memlock", (None,))[0]
    return {"pid": worker["pid"], "title": worker["title"], "cpus": worker["cpus"], "mems": worker["mems"],
            "threads": worker["threads"], "memlock": "unlimited" if memlock == float("inf") else memlock,
            "pages": {str(node): size for node, size in sorted(pages.get("nodes", {}).items())},
            "policies": pages.get("policies", [])}
