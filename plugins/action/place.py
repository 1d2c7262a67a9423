# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of module place: places a model on the hosts of a play, shows it, and writes it down on the controller."""

from __future__ import annotations

import os

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.module_utils._derive import placement
from ansible_collections.gpuwright.node.plugins.plugin_utils._place import files, table, variables
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts, show


class ActionModule(ActionBase):
    """Runs once for the hosts of a play, after module topology_facts; connects to no node."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Place all replicas or none; nothing is written where they do not fit."""
        result = super().run(tmp, task_vars)
        place = parts.folder(task_vars, self._templar)
        options = {name: value for name, value in self._task.args.items() if value is not None and value != ""}
        source = options.pop("from", None)
        try:
            made, without = self._make(options, source, task_vars)
            written = files.write(place, made)
        except ValueError as error:
            return dict(result, failed=True, msg=str(error) + _earlier(place))
        except OSError as error:
            return dict(result, failed=True, msg="the placement cannot be written: %s: %s: set gpuwright_report_dir" % (
                error.filename or place, error.strerror))
        lines = table.of_placement(made, without, show.width())
        lines += [("All of it is in %s; the variables of the hosts: -e @%s" % tuple(
            os.path.relpath(path) for path in written), None), ("", None)]
        show.lines(lines)
        return dict(result, path=written[0], variables_path=written[1], placement=_short(made), changed=False)

    def _make(self, options, source, task_vars):
        """(the placement, hosts without a topology). Raises ValueError."""
        variables.check_names(task_vars)
        size = options.pop("tensor_parallel_size", None)
        if size is None:
            raise ValueError("tensor_parallel_size is needed: how many GPUs share each layer, such as "
                             "-e place_tensor_parallel_size=8")
        placement.checked(size, options)
        topologies, when = variables.recorded(source) if source else (None, None)
        names = task_vars["ansible_play_hosts_all"]
        if topologies is not None and names == ["localhost"]:
            names = sorted(topologies)
        hosts, without = variables.hosts_of(names, task_vars["hostvars"], topologies)
        if not hosts:
            raise ValueError("no topology is known of any host of the play: %s" % (
                "%s has none of it" % source if source else "run gpuwright.node.topology_facts first"))
        try:
            made = placement.place(hosts, size, **options)
        except ValueError as error:
            raise ValueError(". ".join([str(error)] + table.lost(without)))
        racks = {name: host["rack"] or host["nvlink_domain"] or "-" for name, host in hosts.items()}
        for one in made["replicas"]:
            one["racks_of"] = {host: str(racks[host]) for host in one["nodes"]}
        if source:
            made["notes"].insert(0, "The topology is that of %s, of %s, and no node was asked" % (
                source, when or "an unknown time"))
        return dict(made, left_out=without), without


def _short(made):
    """What is returned of a placement: the lists of all replicas are in the file."""
    return {name: made[name] for name in ("objective", "method", "proved", "notes", "left_out")}


def _earlier(place):
    """A word on a file that is still there, which is of another run."""
    path = os.path.join(place, "placement.json")
    return ". %s is that of an earlier run" % os.path.relpath(path) if os.path.exists(path) else ""
