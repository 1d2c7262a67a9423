# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module report: builds audit.json on the controller and shows what is new in it, asking no node anything."""

from __future__ import annotations

import os
import time

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import build, parts, show, summary

_NAMED = 20


class ActionModule(ActionBase):
    """Runs once for the hosts of a play; a host that failed or never answered is in the report as such."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Record the hosts of the play, write audit.json, and unless this is the beginning show the tables."""
        result = super().run(tmp, task_vars)
        _checked, arguments = self.validate_argument_spec({
            "begin": {"type": "bool", "default": False},
            "classes": {"type": "list", "elements": "str", "default": []},
            "failed": {"type": "str"},
            "must_be_complete": {"type": "bool", "default": False}})
        _reject_two_classes(arguments["classes"], task_vars)
        place = parts.folder(task_vars, self._templar)
        if arguments["failed"] is not None:
            build.keep_failure(task_vars["inventory_hostname"], arguments["failed"], place)
            return result
        try:
            result.update(self._report(place, arguments["begin"], task_vars))
        except OSError as error:
            parts.warn(place, error)
            result.update(msg="there is no report: %s" % error)
        if arguments["must_be_complete"]:
            result.update(_incomplete(result))
        return result

    def _report(self, place, begin, task_vars):
        play = {"all": set(task_vars["ansible_play_hosts_all"]), "alive": set(task_vars["ansible_play_hosts"]),
                "batch": set() if begin else set(task_vars["ansible_play_batch"])}
        os.makedirs(place, exist_ok=True)
        parts.prune(place)
        parts.expect(task_vars["ansible_play_hosts_all"], place)
        check_mode = bool(self._task.check_mode)
        head = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "check_mode": check_mode}
        news = _News()
        classes = build.classes_of(task_vars.get("groups") or {})
        counted = build.write(place, head, news.watch(build.hosts_of_run(place, play, classes)))
        told = news.lines(show.width())
        if told and not begin:
            show.lines(told + _closing(counted, check_mode, place))
        return {"path": os.path.join(place, "audit.json"), "summary": counted}


def _reject_two_classes(classes, task_vars):
    """Fail on a node of this play that is in two classes, for it would get two sets of values, one after the other."""
    found = build.classes_of(task_vars.get("groups") or {}, classes)
    wrong = ["%s (%s)" % (host, ", ".join(found[host])) for host in task_vars["ansible_play_hosts_all"]
             if len(found.get(host, ())) > 1]
    if wrong:
        more = " and %d more" % (len(wrong) - _NAMED) if len(wrong) > _NAMED else ""
        raise AnsibleActionFail("A node has one class. These are in more: %s%s" % ("; ".join(wrong[:_NAMED]), more))


class _News:
    """The hosts that are new in this report: whole while they are few, merged once they are many."""

    def __init__(self):
        self._few = []
        self._merged = None

    def watch(self, hosts):
        """Pass on `(host, entry)` and remember what is new."""
        for name, host, new in hosts:
            if new:
                self._few.append((name, new))
            if len(self._few) > summary.FEW or (new and self._merged):
                self._merged = self._merged or summary.empty_merge()
                for one in self._few:
                    summary.merge(self._merged, *one)
                self._few = []
            yield name, host

    def lines(self, width):
        """The text on the new hosts."""
        if self._merged:
            return summary.of_many(self._merged, width)
        return summary.of_few(self._few, width)


def _closing(counted, check_mode, place):
    """What the whole run came to so far, and where all of it is written down."""
    hosts = counted["hosts"]
    waiting = {status: number for status, number in hosts.items() if status != "answered" and number}
    lines = []
    if sum(hosts.values()) > 1:
        said = ["%d of %d hosts answered" % (hosts["answered"], sum(hosts.values()))]
        said += ["%d %s" % (number, status.replace("_", " ")) for status, number in sorted(waiting.items())]
        lines.append((", ".join(said), "error" if waiting else None))
    if counted["settings"].get("conflict"):
        lines.append(("In a conflict the owner that is named keeps its value, unless gpuwright_take_over hands it to "
                      "us.", None))
    mode = "Check mode, nothing was changed. " if check_mode else ""
    return lines + [("%sAll of it is in %s" % (mode, os.path.join(place, "audit.json")), None), ("", None)]


def _incomplete(result):
    """The failure of a report that does not have every node's answer, or nothing."""
    hosts = (result.get("summary") or {}).get("hosts")
    if hosts is None:
        return {"failed": True}
    missing = sum(hosts.values()) - hosts["answered"]
    if not missing:
        return {}
    return {"failed": True, "msg": "%d of %d nodes gave no whole answer" % (missing, sum(hosts.values()))}
