# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ray as units: ray@NAME.service on every node of an instance, and what binds the engine on the first node to it.

PRIVATE to the collection. Pure. The two share a private /tmp, for Ray's sockets lie there.
"""

from __future__ import annotations

import shlex

from . import command, secret_files, unit_template, unit_text

_HEALTH_SECONDS = 300


def unit(instance):
    """Ray's unit."""
    return "ray@%s.service" % instance["name"]


def path(instance):
    """Where it lies."""
    return "/etc/systemd/system/" + unit(instance)


def of_engine(instance):
    """What the engine's unit says of it: after it, never without it, restarted with it, and in the same /tmp."""
    return ["%s=%s" % (key, unit(instance)) for key in ("Requires", "After", "PartOf", "JoinsNamespaceOf")]


def address(instance):
    """Where the head of the instance's own Ray answers."""
    return "%s:%d" % (instance["several"]["master_addr"], instance["several"]["master_port"])


def text(instance, placed, own_lines):
    """The unit. vLLM's workers are Ray's children, so limits, slice and memory policy stand here, too.

    It counts as started once Ray answers: an engine that came earlier would fail. Another node's may yet be starting.
    """
    program = shlex.quote(command.folder(instance["engine"]) + "/ray")
    ready = "until %s health-check --address %s; do sleep 2; done" % (program, address(instance))
    wait = [] if command.is_ray_worker(instance) else [
        "ExecStartPost=" + unit_text.command_line(["/bin/sh", "-c", ready]),
        "TimeoutStartSec=%d" % _HEALTH_SECONDS]
    return (unit_text.HEAD + "\n[Unit]\nDescription=Ray for vLLM engine %i (gpuwright.node)\n"
            "Documentation=https://docs.ray.io/en/latest/cluster/cli.html\n" + unit_template.ORDER
            + unit_template.START_LIMIT + "\n[Service]\nType=exec\nUser=vllm\n"
            + "ExecStart=%s\n" % unit_text.command_line(command.ray(instance, placed))
            + "".join(line + "\n" for line in wait)
            + "EnvironmentFile=%s\n" % unit_text.path(secret_files.path(instance)) + unit_template.folders()
            + "\n# Life and death\n" + unit_template.service(instance["stop_timeout"])
            + "\n# What it is kept from\n" + unit_template.HARDENING
            + "\n# On this node\n" + "".join(line + "\n" for line in own_lines))
