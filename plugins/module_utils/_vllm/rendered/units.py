# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an instance whose engine is a program on the node: template, drop-in, configuration, environment.

PRIVATE to the collection. Pure. A file is {"text", "mode", "secret"}. The drop-in has only what differs.
"""

from __future__ import annotations

from . import command, ray_units, secret_files, unit_template, unit_text

FOLDER = "/etc/systemd/system"
# The private /tmp hides what lies in the node's.
_HIDDEN = ("/tmp/", "/var/tmp/")
_MAKE_UVM = "command -v nvidia-modprobe >/dev/null && nvidia-modprobe -c 0 -u || true"


def unit(instance):
    """The unit that is started for an instance on this node."""
    return ray_units.unit(instance) if command.is_ray_worker(instance) else "vllm@%s.service" % instance["name"]


def drop_in_path(instance):
    """Where the drop-in lies."""
    return "%s/vllm@%s.service.d/50-gpuwright.conf" % (FOLDER, instance["name"])


def every_path(name):
    """Every path that a file of ours may have for an instance, whatever its engine is or was; the template is all's."""
    return ([path % name for path in (
        "/etc/vllm/%s.yaml", "/etc/vllm/%s.env", "/etc/vllm/%s.secret.env", FOLDER + "/vllm@%s.service",
        FOLDER + "/ray@%s.service", FOLDER + "/vllm@%s.service.d/50-gpuwright.conf",
        "/etc/containers/systemd/vllm@%s.container")] + [_at_boot_path(kind + name) for kind in ("vllm@", "ray@")])


def files(instance, placed, arguments_text, secrets=None):
    """{path: file} of everything. Raises ValueError where a value cannot be written."""
    made = secret_files.environment_file(instance, placed)
    made.update(secret_files.secret_file(instance, secrets))
    if command.uses_ray(instance):
        own_lines = service_lines(instance, placed, secrets)
        made[ray_units.path(instance)] = plain(ray_units.text(instance, placed, own_lines))
    if not command.is_ray_worker(instance):
        made[unit_template.TEMPLATE] = plain(unit_template.text())
        made[drop_in_path(instance)] = plain(drop_in(instance, placed, secrets))
        made[command.configuration(instance)] = plain(arguments_text)
    made.update(at_boot(unit(instance), instance))
    return made


def plain(text):
    """A file that everybody may read."""
    return {"text": text, "mode": 0o644, "secret": False}


def at_boot(name, instance):
    """{path: file} of what has a unit started at boot, if it is to run: a whole file, as the journal gives back."""
    if instance["state"] != "started":
        return {}
    return {_at_boot_path(name[:-len(".service")]): plain("%s[Unit]\nWants=%s\n" % (unit_text.HEAD, name))}


def _at_boot_path(stem):
    return "%s/multi-user.target.d/50-gpuwright-%s.conf" % (FOLDER, stem.replace("@", "-"))


def drop_in(instance, placed, secrets=None):
    """What differs from the template."""
    lines = ["[Unit]"] + ray_units.of_engine(instance) if command.uses_ray(instance) else []
    lines += ["[Service]", "ExecStart=", "ExecStart=" + unit_text.command_line(command.engine(instance))]
    if command.uses_ray(instance):
        lines.append("Environment=RAY_ADDRESS=" + ray_units.address(instance))
    lines += service_lines(instance, placed, secrets)
    if instance["stop_timeout"] != unit_template.STOP_SECONDS:
        lines.append("TimeoutStopSec=%d" % instance["stop_timeout"])
    return unit_text.HEAD + "\n".join(lines) + "\n"


def service_lines(instance, placed, secrets=None):
    """Who runs the engine, where, with what: the same for vLLM and for Ray."""
    lines = [] if instance["user"] == "vllm" else ["User=" + instance["user"]]
    if placed.get("slice"):
        lines.append("Slice=" + placed["slice"])
    lines += ["%s=%s" % (key, value) for key, value in sorted((placed.get("memory_policy") or {}).items())]
    lines += _devices(placed)
    lines += ["Environment=" + unit_text.quoted("PATH=" + _path(instance))]
    # Without the - : an engine that was to ask for a key must not start without one.
    lines += ["EnvironmentFile=" + unit_text.path(path) for path in secret_files.paths(instance, secrets)[1:]]
    return lines + _seen(instance, placed)


def _path(instance):
    """What is compiled while the engine runs needs ninja, which is in the engine's own environment, and nvcc."""
    return command.folder(instance["engine"]) + (":/usr/local/cuda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin"
                                                 ":/usr/bin:/sbin:/bin")


def _devices(placed):
    """Who may open AMD's devices; NVIDIA's are everybody's, but /dev/nvidia-uvm is made by whoever is first and root.

    The engine's user may not have it made, for it gains no privileges.
    """
    vendors = {gpu.get("vendor") for gpu in placed.get("gpus") or ()}
    if "amd" in vendors:
        return ["SupplementaryGroups=render video"]
    if vendors:
        return ["ExecStartPre=-+" + unit_text.command_line(["/bin/sh", "-c", _MAKE_UVM])]
    return []


def _seen(instance, placed):
    """What the protections of the template would hide from this instance, and what it may read but never write."""
    model = instance["model_path"]
    places = [path for path in (model, command.program(instance["engine"])) if path]
    places += list(placed.get("read_only") or ())
    lines = ["PrivateTmp=no"] if any(path.startswith(_HIDDEN) for path in places) else []
    if model:
        # With the -: a unit does not fail for want of its model, but the engine does, and says so.
        lines.append("ReadOnlyPaths=" + unit_text.quoted("-" + model))
    return lines
