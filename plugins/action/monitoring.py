# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module monitoring: writes what Prometheus and Grafana read, from the inventory, on the controller."""

from __future__ import annotations

import json
import os

import yaml
from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.filter.topology import thaw
from ansible_collections.gpuwright.node.plugins.plugin_utils._monitoring import alerts, dashboards, targets, thresholds
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts, show, table

_HEAD = "# Written by the playbook gpuwright.node.monitoring: its variables say what an alert begins at.\n"


class ActionModule(ActionBase):
    """Runs once for the hosts of a play and connects to none of them."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp=None, task_vars=None):
        """Write each file that is not as it shall be; nothing at all where a variable cannot be."""
        result = super().run(tmp, task_vars)
        place = self._task.args.get("directory") or os.path.join(parts.folder(task_vars, self._templar), "monitoring")
        place = os.path.abspath(os.path.expanduser(str(place)))
        try:
            thresholds.check_names(task_vars)
            said = thresholds.read(self._given(task_vars))
            hosts = _hosts(task_vars)
            wanted = texts(hosts, said)
            old = {name: _text(os.path.join(place, name)) for name in wanted}
            due = [name for name, text in wanted.items() if old[name] != text]
            if not self._task.check_mode:
                for name in due:
                    _write(os.path.join(place, name), wanted[name])
        except ValueError as error:
            return dict(result, failed=True, msg="nothing was written: %s" % error)
        except OSError as error:
            return dict(result, failed=True, msg="%s: %s: set monitoring_directory" % (
                error.filename or place, error.strerror))
        diff = [{"before_header": name, "after_header": name, "before": old[name] or "", "after": wanted[name]}
                for name in due]
        counted = {job: len(found) for job, found in targets.targets(hosts, said).items()}
        show.lines(_words(place, counted, len(due), self._task.check_mode))
        return dict(result, changed=bool(due), directory=place, written=due, diff=diff if self._task.diff else [],
                    targets=counted)

    def _given(self, task_vars):
        """The thresholds of the task over the variables of the play: null says something, so nothing is omitted."""
        named = {name: self._templar.template(task_vars[thresholds.PREFIX + name]) for name in thresholds.DEFAULTS
                 if thresholds.PREFIX + name in task_vars}
        return dict(named, **(self._task.args.get("thresholds") or {}))


def _words(place, counted, due, check_mode):
    """What there is now, and what a person does with it."""
    done = "%d files %s" % (due, "would be written" if check_mode else "were written") if due else "all as it was"
    words = "%s: %s; targets: %s. alerts.yml goes into rule_files of Prometheus, scrape_configs.yml into " \
            "scrape_config_files, grafana/*.json into Grafana's import." % (
                place, done, ", ".join("%d of job %s" % (number, job) for job, number in counted.items() if number)
                or "none")
    return [("", None)] + [(line, None) for line in table.paragraph(words, show.width(), 2)]


def texts(hosts, said):
    """{file name: text} of everything."""
    found = {"targets/%s.json" % job: json.dumps(listed, indent=1) + "\n"
             for job, listed in targets.targets(hosts, said).items()}
    found["alerts.yml"] = _HEAD + _yaml(alerts.groups(said))
    found["scrape_configs.yml"] = _HEAD + _yaml(targets.scrape_configs(said))
    found.update({"grafana/" + name: json.dumps(made, indent=1) + "\n"
                  for name, made in dashboards.dashboards().items()})
    return found


def _yaml(data):
    return yaml.safe_dump(data, sort_keys=False, width=118)


def _hosts(task_vars):
    """{host: {address, rack, instances}} of the hosts of the play."""
    found = {}
    for host in task_vars["ansible_play_hosts_all"]:
        told = task_vars["hostvars"][host]
        found[host] = {"address": told.get("monitoring_address") or told.get("ansible_host") or host,
                       "rack": told.get("rack"),
                       "instances": targets.instances(
                           thaw(told.get("vllm_service_instances")),
                           (thaw(told.get("vllm_service_placement")) or {}).get(host),
                           thaw(told.get("vllm_service_placed")))}
    return found


def _text(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = "%s.new-%d" % (path, os.getpid())
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(new, path)
