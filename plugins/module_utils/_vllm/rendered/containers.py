# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an instance whose engine is a container: a Quadlet where Podman has that, else a unit of its own.

PRIVATE to the collection. Pure. Sources: podman-systemd.unit(5), from its first version 4.4 on, and for the unit below
that podman-generate-systemd(1). Docker's daemon starts the container itself: its unit cannot give it CPUs or memory.
"""

from __future__ import annotations

from . import command, container_options, secret_files, unit_template, unit_text, units

QUADLET, UNIT = "/etc/containers/systemd/vllm@%s.container", units.FOLDER + "/vllm@%s.service"
_QUADLET_SINCE = (4, 4)
# The container is given more time to stop than the unit gives the command that stops it.
_AFTER_STOP = 30


def uses_quadlet(instance, tool_version):
    """Whether this Podman makes the unit from a Quadlet."""
    return instance["engine"]["kind"] == "podman" and container_options.version(tool_version) >= _QUADLET_SINCE


def files(instance, placed, arguments_text, tool_version, secrets=None):
    """{path: file} of everything. Raises ValueError where such a container cannot be."""
    container_options.check(instance, placed, tool_version)
    made = secret_files.environment_file(instance, placed)
    made.update(secret_files.secret_file(instance, secrets))
    made[command.configuration(instance)] = units.plain(arguments_text)
    if uses_quadlet(instance, tool_version):
        made[QUADLET % instance["name"]] = units.plain(quadlet(instance, placed, secrets))
    else:
        made[UNIT % instance["name"]] = units.plain(plain_unit(instance, placed, tool_version, secrets))
    made.update(units.at_boot(units.unit(instance), instance))
    return made


def _head(instance, needs=()):
    lines = ["Description=vLLM engine %s in a container (gpuwright.node)" % instance["name"],
             "Documentation=https://docs.vllm.ai/en/stable/deployment/docker/",
             "AssertPathExists=" + command.configuration(instance)]
    return unit_text.HEAD + "\n[Unit]\n" + "\n".join(lines + list(needs)) + "\n" + (
        unit_template.ORDER + unit_template.START_LIMIT)


def _service(instance, placed, of_podman):
    """What the unit itself says. Podman's container is its child: slice, CPUs and memory policy reach the engine."""
    lines = ["CacheDirectory=vllm/" + instance["name"]]
    if of_podman and placed.get("slice"):
        lines.append("Slice=" + placed["slice"])
    if of_podman:
        lines += ["%s=%s" % pair for pair in sorted((placed.get("memory_policy") or {}).items())]
    return "\n".join(lines) + "\n" + unit_template.service(instance["stop_timeout"] + _AFTER_STOP)


# -- Quadlet ----------------------------------------------------------------------------------------------------------


def quadlet(instance, placed, secrets=None):
    """The .container file, with the keys that every Podman since 4.4 has; the rest as PodmanArgs=."""
    engine = instance["engine"]
    lines = ["Image=" + unit_text.path(engine["image"]), "ContainerName=" + container_options.name(instance),
             "Network=host", "NoNewPrivileges=yes",
             "AddCapability=" + " ".join("CAP_" + name for name in container_options.CAPABILITIES)]
    lines += ["AddDevice=" + _plain(device) for device in container_options.devices(instance, placed)]
    lines += ["Volume=%s:%s:ro" % (_plain(path), _plain(path)) for path in
              container_options.read_only(instance, placed)]
    lines.append("Volume=%s:%s" % ((container_options.cache(instance),) * 2))
    lines += ["EnvironmentFile=" + path for path in secret_files.paths(instance, secrets)]
    lines += ["PodmanArgs=" + unit_text.quoted(option) for option in container_options.limits(instance)]
    lines.append("Exec=" + " ".join(unit_text.word(one) for one in container_options.arguments(instance)))
    return (_head(instance) + "\n[Container]\n" + "\n".join(lines) + "\n\n[Service]\n"
            + _service(instance, placed, True))


def _plain(path):
    """A path as a value of a Quadlet: Podman splits a volume at its colons, and a list of devices at spaces."""
    if any(letter in path for letter in ' \t"\'\\$') or (":" in path and not path.startswith(container_options.CDI)):
        raise ValueError("%r cannot be given to a container by a Quadlet: legal are paths without spaces, quotes, "
                         "backslashes, $ and colons" % path)
    return unit_text.path(path)


# -- Units of our own --------------------------------------------------------------------------------------------------


def plain_unit(instance, placed, tool_version, secrets=None):
    """The unit that runs Docker's or an older Podman's command."""
    tool, name = instance["engine"]["kind"], container_options.name(instance)
    run = unit_text.command_line(container_options.run(instance, placed, tool_version, secrets))
    seconds = instance["stop_timeout"]
    if tool == "podman":
        return (_head(instance) + "\n[Service]\nType=notify\nNotifyAccess=all\nDelegate=yes\nTimeoutStartSec=300\n"
                + "Environment=PODMAN_SYSTEMD_UNIT=%n\n" + "ExecStart=%s\n" % run
                + "ExecStop=podman stop --ignore -t %d %s\n" % (seconds, name)
                + "ExecStopPost=-podman rm --force --ignore %s\n" % name + _service(instance, placed, True))
    return (_head(instance, ("Requires=docker.service", "After=docker.service"))
            + "\n[Service]\nType=exec\n" + "ExecStartPre=-docker rm --force %s\n" % name + "ExecStart=%s\n" % run
            + "ExecStop=docker stop -t %d %s\n" % (seconds, name)
            + "ExecStopPost=-docker rm --force %s\n" % name + _service(instance, placed, False))
