# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An active tuned daemon: where it wins over us, and how single knobs are taken out of its hands and given back.

PRIVATE to the collection. After a take-over tuned stays in charge of everything else: it runs a profile of ours that
includes the one that was active and leaves out our targets. Changing the profile makes tuned put back, for about a
second, what it found before it started (CPU governor, read-ahead, sysctl keys), and set it again but for our targets:
those keep what they had before tuned, until we write ours. So take over first, then write values.
"""

from __future__ import annotations

import fnmatch
import json
import re

from .._host import CommandNotRun
from . import tuned_profile
from .sysctl_d import is_glob
from .tuned_values import POST_LOADED_FILE, differs, rules, targets, values

ACTIVE_FILE = "/etc/tuned/active_profile"
MODE_FILE = "/etc/tuned/profile_mode"
PID_FILE = "/run/tuned/tuned.pid"
PROFILE = "gpuwright"
_MARK = "# gpuwright: "
_SECONDS = 90  # tuned-adm waits for the new profile to be applied; scripts in a profile can take long.
# What drop= can list: it is split at a comma or semicolon after a letter.
_CAN_BE_DROPPED = re.compile(r"[^,;\s]*\w$")


class TakeOverFailed(RuntimeError):
    """tuned could not be brought to let go, or to take back; the text says why."""


def active(host):
    """{"profile", "mode", "running"} of a tuned daemon that runs with a profile, else None."""
    profile = " ".join(_fresh(host, ACTIVE_FILE).split())
    if not profile or not running(host):
        return None
    mode = _fresh(host, MODE_FILE)
    return {"profile": profile, "mode": mode if mode in ("auto", "manual") else "manual", "running": True}


def running(host):
    """Whether the tuned daemon runs: the process that its pid file names, or any whose command is tuned."""
    pid = _fresh(host, PID_FILE)
    candidates = [pid] if pid.isdigit() and _is_tuned(host, pid) else host.names("/proc")
    return any(name.isdigit() and _is_tuned(host, name) for name in candidates)


def conflicting(host, wanted):
    """Where the active profile sets one of `wanted` ({target: text}) to something else: one knob, two owners.

    {target: {"value", "file", "profile", "sets", "reapplied"}}: "sets" is the target that tuned names, which may be a
    glob or the other one of a pair such as vm.dirty_bytes and vm.dirty_ratio; "reapplied" as in `values`.
    """
    state = active(host)
    found = {}
    for named, one in (values(host, state["profile"]) if state else {}).items():
        for target, text in wanted.items():
            if rules(named, target) and differs(target, str(text), named, one):
                found[target] = {"value": one["value"], "file": one["file"], "profile": state["profile"],
                                 "sets": named, "reapplied": one["reapplied"]}
    return found


def plan_take_over(host, keys):
    """What apply_take_over will do, as plain data for the journal; reads only.

    `keys` are targets as in `values`. Where our profile is active already, the answer still names the profile and mode
    before it, and the keys taken then stay taken. "refused" says why it cannot be done, if it cannot.
    """
    state = active(host) or {"profile": "", "mode": "manual"}
    folder = "%s/%s" % (tuned_profile.user_folder(host), PROFILE)
    if state["profile"] == PROFILE:
        state = _remembered(host, folder + "/tuned.conf")
        keys = [tuple(key) for key in state["keys"]] + list(keys)
    keys = sorted(set(keys))
    entry = {"owner": "tuned", "profile": state["profile"], "mode": state["mode"], "folder": folder,
             "keys": [list(key) for key in keys]}
    try:
        return dict(entry, refused=_refused(host, entry, keys), text=_text(host, entry, keys))
    except tuned_profile.BrokenProfile as error:
        return dict(entry, refused=str(error), text="")


def apply_take_over(host, entry):
    """Carry out what plan_take_over said; returns whether anything changed. To be repeated after a kill."""
    if entry["refused"]:
        raise TakeOverFailed(entry["refused"])
    state = active(host)
    if state and state["profile"] == PROFILE and _fresh(host, _path(entry)) == entry["text"].rstrip():
        return False
    host.make_folder(entry["folder"])
    host.write_file(_path(entry), entry["text"].encode())
    _switch(host, ["profile", PROFILE])
    return True


def keep_only(host, entry, keys):
    """Take over fewer settings than `entry` did: tuned has the others again. Returns the entry for the journal."""
    fewer = dict(entry, keys=[list(key) for key in keys])
    fewer["text"] = _text(host, fewer, [tuple(key) for key in keys])
    apply_take_over(host, fewer)
    return fewer


def give_back(host, entry):
    """Bring the profile and mode of before back and remove ours; returns whether anything changed."""
    changed = host.exists(_path(entry))
    if _fresh(host, ACTIVE_FILE) == PROFILE:
        changed = True
        if not running(host):
            # tuned-adm would start it.
            host.write_file(ACTIVE_FILE, (entry["profile"] + "\n").encode())
            host.write_file(MODE_FILE, (entry["mode"] + "\n").encode())
        elif entry["mode"] == "auto":
            _switch(host, ["auto_profile"])
        else:
            _switch(host, ["profile"] + entry["profile"].split())
    if changed:
        host.remove_file(_path(entry))
    if host.is_folder(entry["folder"]):
        host.remove_folder(entry["folder"])
    return changed


def _switch(host, words):
    try:
        status, output, errors = host.run(["tuned-adm"] + words, seconds=_SECONDS)
    except CommandNotRun as error:
        raise TakeOverFailed(str(error))
    state = active(host)
    if status != 0 or state is None or (words[0] == "profile" and state["profile"].split() != words[1:]):
        raise TakeOverFailed("tuned-adm %s: exit status %d: %s" % (" ".join(words), status, (errors or output).strip()))


def _remembered(host, path):
    """The first line of a profile of ours: what was so before it."""
    for line in (host.text(path) or "").split("\n"):
        if line.startswith(_MARK):
            return json.loads(line[len(_MARK):])
    raise TakeOverFailed("%s is active but does not say which profile was before it" % path)


def _refused(host, entry, keys):
    """Why our profile could not do its work, or an empty text."""
    names = entry["profile"].split()
    if not names or PROFILE in names:
        return "tuned's active profile is %r: nothing can be taken out of it" % entry["profile"]
    later = _fresh(host, POST_LOADED_FILE)
    for unit in tuned_profile.load(host, later.split())[0]:
        for named, _option in targets(host, unit):
            if any(rules(named, key) for key in keys):
                return "tuned's post-loaded profile %s sets %s and comes after ours" % (later, named[1])
    return ""


def _path(entry):
    return entry["folder"] + "/tuned.conf"


def _text(host, entry, keys):
    """Our profile: the one before, without our keys."""
    remembered = {name: entry[name] for name in ("profile", "mode", "keys")}
    lines = [_MARK + json.dumps(remembered, sort_keys=True),
             "# Written by gpuwright.node: the profile before, without the settings that are gpuwright's.",
             "[main]", "summary=%s, without what gpuwright sets" % entry["profile"],
             "include=%s" % ",".join(entry["profile"].split())]
    units, _variables = tuned_profile.load(host, entry["profile"].split())
    for unit in units:
        dropped = {option: named for named, option in targets(host, unit) if any(rules(named, key) for key in keys)}
        if dropped:
            lines += ["", "[%s]" % unit["name"]] + _section(host, unit, dropped, keys)
    return "\n".join(lines) + "\n"


def _section(host, unit, dropped, keys):
    """The lines that take options out of a unit. What they do not repeat, tuned would set to its default."""
    lines = ["type=%s" % unit["type"], "devices=%s" % unit["devices"], "enabled=%d" % unit["enabled"]]
    # A glob goes as a whole: what else it stands for here is named one by one.
    rest = ["%s=%s" % (path, unit["options"][option][0]) for option, named in dropped.items() if is_glob(option)
            for path in _matching(host, named[1])
            if not any(rules(key, ("sysfs", path)) for key in keys) and path not in unit["options"]]
    if tuned_profile.has_drop(host) and all(_CAN_BE_DROPPED.match(option) for option in dropped):
        return lines + ["drop=" + ",".join(sorted(dropped))] + rest
    lines += ["%s=%s" % (field, unit[field]) for field in tuned_profile.REGEXES + ("priority",) if unit[field]]
    lines += ["%s=%s" % (option, text.replace("\n", "\n\t")) for option, (text, _path) in unit["options"].items()
              if option not in dropped]
    return lines + rest + ["replace=1"]


def _matching(host, pattern):
    """The files that a glob stands for on this node."""
    found = [""]
    for part in pattern.strip("/").split("/"):
        found = ["%s/%s" % (folder, name) for folder in found
                 for name in (fnmatch.filter(host.names(folder or "/"), part) if is_glob(part) else [part])]
    return [path for path in found if host.exists(path)]


def _is_tuned(host, pid):
    words = [word.rpartition("/")[2] for word in _fresh(host, "/proc/%s/cmdline" % pid).split("\0")]
    return words[0] == "tuned" or (words[0].startswith("python") and "tuned" in words[1:4])


def _fresh(host, path):
    """The text of a file that may change during a run, empty if it is not there."""
    try:
        return host.read(path)
    except OSError:
        return ""
