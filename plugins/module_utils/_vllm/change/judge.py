# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of an instance: what of its files and of its unit is not as asked for, and whether it must start anew.

PRIVATE to the collection.
"""

from __future__ import annotations

from ..._kinds import vllm_instance
from ..._owners import jobs
from . import difference, owners, places, state

_SLACK = 2  # Seconds: the kernel's start of a process and a file's time have different clocks.
_UNENDED = {
    state.SWITCHING: "interrupted: a run that was to start it with other settings did not come to its end",
    state.PUTTING_BACK: "interrupted: a run that was putting the old settings back did not come to its end",
    state.SWITCHED: "interrupted: it was started with these settings, and no run has verified them since"}


def judge(made, step):
    """Give a step its status, and in `_said` the words for it."""
    if step["desired"] == "absent":
        _judge_absent(made, step)
        return
    said = _files(step)
    if not any(path in step["_found"] and step["_found"][path] for path in step["_files"]
               if not places.is_shared(path)):
        said = ["not there yet"]
    step["_said"] += said
    _running(made, step)
    if step["_state"]["phase"] in _UNENDED:
        step["_said"].append(_UNENDED[step["_state"]["phase"]])
        step["_restart"] |= step["_state"]["phase"] != state.SWITCHED
    step["status"] = "drift" if step["_said"] else "ok"
    made.findings += _findings(made, step)


def seen(step):
    """What is there, before anybody has judged it."""
    if any(vllm_instance.runs(shown) for shown in step["_shown"].values()):
        return "started"
    return "stopped" if any(file for path, file in step["_found"].items() if not places.is_shared(path)) else "absent"


def _judge_absent(made, step):
    """What is not asked for has no file of ours and does not run."""
    running = step["running"] == "started"
    ours = step["running"] != "absent" or step["_state"]["phase"] or any(
        vllm_instance.identity(None, unit, None) in made.journal["entries"] for unit in step["_units"])
    step["status"] = "drift" if ours else "ok"
    if ours:
        step["_restart"] = running
        step["_said"].append("no longer asked for: it is stopped, and what was there before us comes back"
                             if step["why"] == "no longer asked for" else "is to be absent: it is stopped and removed")
        step["_said"] += ["%s stays on the disk" % path for path in _staying(made, step)]


def _staying(made, step):
    """The engine and the model that no other instance of ours was ever started with."""
    mine = {vllm_instance.identity(None, unit, None) for unit in step["_units"]}
    stays = {own: {path for key, entry in made.journal["entries"].items() if (key in mine) is own
                   for path in entry.get("stays") or ()} for own in (True, False)}
    return sorted(path for path in stays[True] - stays[False] if made.host.exists(path))


def _files(step):
    """What differs between the files, in words; a difference that a start depends on asks for one."""
    said = []
    for path, wanted in sorted(step["_files"].items()):
        found = step["_found"].get(path)
        if places.same(found, wanted):
            continue
        if places.starts_at_boot(path):
            said.append("it is %sstarted at boot" % ("not " if wanted else ""))
            continue
        if places.is_shared(path) and found is not None:
            words = ["the template %s differs" % path.rpartition("/")[2]]
        else:
            words = difference.words(path, found, wanted, path in step["_secret"])
        if _starts_alike(path, found, wanted):
            words = [word + " (no restart)" for word in words]
        else:
            step["_restart"] = True
        said += words
    return said


def _starts_alike(path, found, wanted):
    """Whether a start with either is the same."""
    if not found or not wanted or found["link"] is not None:
        return False
    return places.started_with(path, found["text"]) == places.started_with(path, wanted["text"])


def _running(made, step):
    """Whether its units run, with these files, and are started at boot."""
    started = step["desired"] == "started"
    running = all(vllm_instance.runs(shown) for shown in step["_shown"].values())
    some = any(vllm_instance.runs(shown) for shown in step["_shown"].values())
    other = "; ".join(step["_said"])
    step["configured"] = ("at boot" if all(vllm_instance.at_boot(shown) for shown in step["_shown"].values())
                          else "not at boot")
    failed = ["%s has %s (%s)" % (unit, "failed" if shown["ActiveState"] == "failed" else "failed, and systemd is "
                                  "starting it again", shown.get("Result") or "no result")
              for unit, shown in step["_shown"].items()
              if shown["ActiveState"] == "failed" or shown.get("SubState") == "auto-restart"]
    step["running"] = "failed" if failed else "started" if running else "stopped"
    if step["_said"] == ["not there yet"]:
        step["running"] = "started, not by us" if some else "absent"
    if started:
        step["_said"] += failed if failed else [] if running or other == "not there yet" else ["it does not run"]
        step["_restart"] |= bool(failed) or not running
    elif some:
        step["_said"].append("it runs and is to be stopped")
        step["_restart"] = True
    if other != "not there yet":
        _at_boot(step, started)
        if started and running and not step["_restart"]:
            _age(made, step)
    if step["running"] == "started" and step["_restart"]:
        step["running"] = "started, with other settings"


def _at_boot(step, started):
    by_file = any(file and places.starts_at_boot(path) for path, file in step["_files"].items())
    step["configured"] = "at boot" if by_file and not step["_said"] else step["configured"]
    for unit, shown in step["_shown"].items():
        if shown.get("UnitFileState") == "generated" or (started and by_file):
            continue
        if vllm_instance.at_boot(shown) != started:
            step["_said"].append("%s is %sstarted at boot" % (unit, "not " if started else ""))


def _age(made, step):
    """What runs was started with files that are no longer there: a start would bring something else."""
    kept, now = step["_state"], places.digests(step["_found"])
    by_us = kept["invocations"] == {unit: shown.get("InvocationID") for unit, shown in step["_shown"].items()}
    if by_us:
        older = sorted(path for path in set(now) | set(kept["runs"]) if now.get(path) != kept["runs"].get(path))
    else:
        older = _changed_since(made.host, step)
    if older:
        step["_said"].append("it runs an older configuration: %s changed after its start" % ", ".join(older))
        step["_restart"] = True


def _changed_since(host, step):
    """The files that are younger than the process that a later start, not one of ours, has made."""
    pids = [int(shown.get("MainPID") or 0) for shown in step["_shown"].values()]
    starts = [jobs.started_at(host, pid) for pid in pids if pid]
    if not starts or None in starts:
        return []
    return sorted(path for path, file in step["_found"].items()
                  if file and (host.changed_at(path) or 0) > min(starts) + _SLACK)


def _findings(made, step):
    """Drop-ins of others change what we have written; they are named and left alone."""
    return [{"rule": "drop-in", "severity": "W", "setting": step["target"],
             "message": "%s is somebody else's and comes on top of what we write: it sets %s" % (
                 path, ", ".join(keys) or "nothing")}
            for path, keys in sorted(owners.drop_ins(made, step).items())]
