# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the node runner consists of on a node: its zipapp, its units, its udev rule, and how they are put in force.

PRIVATE to the collection. Whole files only, no links, so that the journal can give each back. The engine writes them.

At boot the service runs once before the workload, never for longer than its time limit. A device that is added, as
when a driver is loaded again, starts a timer anew: the service runs shortly after the last of a burst, and again later,
for many drivers ask for their interrupts only when the link is brought up. A link that comes up, as after a flap, does
the same where whoever owns the network runs scripts then.
"""

from __future__ import annotations

import re
import sys

from .._host import CommandNotRun
from . import bundle, desired

ZIPAPP = "/usr/local/lib/gpuwright/gpuwright.pyz"
UNITS = "/etc/systemd/system/"
SERVICE = UNITS + "gpuwright-boot.service"
ADDED = UNITS + "gpuwright-device.service"
TIMER = UNITS + "gpuwright-device.timer"
ENABLED = UNITS + "multi-user.target.d/90-gpuwright.conf"
RULE = "/etc/udev/rules.d/90-gpuwright.rules"
# Scripts that NetworkManager, networkd-dispatcher and ifupdown run when an interface is up; by how each names it.
HOOKS = {"/etc/NetworkManager/dispatcher.d/90-gpuwright": '[ "$2" = up ] || exit 0\nname=$1',
         "/etc/networkd-dispatcher/routable.d/90-gpuwright": "name=$IFACE",
         "/etc/network/if-up.d/90-gpuwright": "name=$IFACE"}
# What module `runner` adds: the command, and where metrics are wanted, the audit on a timer.
LAUNCHER = "/usr/local/bin/gpuwright"
AUDIT = UNITS + "gpuwright-audit.service"
AUDIT_TIMER = UNITS + "gpuwright-audit.timer"
AUDIT_ENABLED = UNITS + "multi-user.target.d/90-gpuwright-audit.conf"
METRICS = "gpuwright.prom"  # In the folder of node_exporter's textfile collector.
# While it is there, files were written that systemd and udev may not know of. A boot forgets it, and reads them anew.
UNTOLD = "/run/gpuwright-runner-untold"
_OLDEST_PYTHON = 8

_HEAD = "# Written by gpuwright.node, the node runner. Changes made here are overwritten.\n"
_UNLESS_OFF = """ConditionPathExists=!/etc/gpuwright/disabled
ConditionKernelCommandLine=!gpuwright=off
"""

# Type=oneshot without Restart=: systemd before 244 refuses the two together. The timer tries again.
_SERVICE = _HEAD + """
[Unit]
Description=Settings that nothing else persists (gpuwright.node)
""" + _UNLESS_OFF + """ConditionPathExists=%(zipapp)s
ConditionDirectoryNotEmpty=%(desired)s
After=local-fs.target systemd-modules-load.service systemd-sysctl.service gpuwright.slice
Before=slurmd.service kubelet.service k3s.service k3s-agent.service rke2-agent.service
Before=containerd.service crio.service docker.service
StartLimitIntervalSec=60
StartLimitBurst=10

[Service]
Type=oneshot
ExecStart=%(python)s -I %(zipapp)s boot
TimeoutStartSec=60
Nice=10
"""

# A service of its own, since SYSTEMD_WANTS starts but does not restart; bursts become one job, and nothing is counted.
_ADDED = _HEAD + """
[Unit]
Description=A device was added: settings are checked again (gpuwright.node)
""" + _UNLESS_OFF + """StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=systemctl --no-block restart gpuwright-device.timer
TimeoutStartSec=60
"""

_TIMER = _HEAD + """
[Unit]
Description=Settings are checked again after boot and after a device was added (gpuwright.node)

[Timer]
Unit=gpuwright-boot.service
OnActiveSec=3
OnActiveSec=15
OnActiveSec=60
OnActiveSec=300
AccuracySec=1
RemainAfterElapse=no
"""

_ENABLED = _HEAD + """
[Unit]
Wants=gpuwright-boot.service gpuwright-device.timer
"""

# Hardware alone: every container that starts adds a virtual interface. One that udev renames moves after its add.
_RULE = _HEAD + """
ACTION=="add|move", SUBSYSTEM=="net|infiniband|nvme", SUBSYSTEMS=="pci", \\
  TAG+="systemd", ENV{SYSTEMD_WANTS}+="gpuwright-device.service"
"""


# A virtual interface has neither a device nor, unless it lies on top of one as a VLAN or bond does, a lower one.
_HOOK = "#!/bin/sh\n" + _HEAD + """# A link came up: what nothing else persists is checked again, shortly after.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
%s
for below in "/sys/class/net/$name/device" "/sys/class/net/$name"/lower_*; do
    if [ -e "$below" ]; then
        systemctl --no-block start gpuwright-device.service
        break
    fi
done
exit 0
"""

_LAUNCHER = "#!/bin/sh\n" + _HEAD + 'exec %(python)s -I %(zipapp)s "$@"\n'

# No condition on what switches the runner off: the metrics then say just that, where silence would look like a fault.
_AUDIT = _HEAD + """
[Unit]
Description=Audit of this node's settings for its metrics (gpuwright.node)
ConditionPathExists=%(zipapp)s
After=gpuwright-boot.service

[Service]
Type=oneshot
ExecStart=%(python)s -I %(zipapp)s audit --prometheus %(metrics)s
SuccessExitStatus=1
TimeoutStartSec=300
Nice=19
IOSchedulingClass=idle
"""

_AUDIT_TIMER = _HEAD + """
[Unit]
Description=Audit of this node's settings every %(seconds)d seconds (gpuwright.node)

[Timer]
OnActiveSec=60
OnUnitInactiveSec=%(seconds)d
RandomizedDelaySec=%(spread)d
AccuracySec=30
"""

_AUDIT_ENABLED = _HEAD + """
[Unit]
Wants=gpuwright-audit.timer
"""


def files(host):
    """{path: (bytes, mode)} of what puts settings back at boot, when a device is added, and when a link comes up."""
    places = _places(host)
    texts = {SERVICE: _SERVICE % places, ADDED: _ADDED, TIMER: _TIMER, ENABLED: _ENABLED, RULE: _RULE}
    made = {path: (text.encode(), 0o644) for path, text in texts.items()}
    made.update((path, ((_HOOK % name).encode(), 0o755)) for path, name in HOOKS.items()
                if host.is_folder(path.rpartition("/")[0]))
    made[ZIPAPP] = (bundle.build(), 0o755)
    return made


def command_files(host, metrics, seconds):
    """{path: (bytes, mode)} of the command, and with a file for metrics, of an audit every so many seconds."""
    places = dict(_places(host), metrics=metrics, seconds=seconds, spread=max(1, seconds // 10))
    made = {LAUNCHER: ((_LAUNCHER % places).encode(), 0o755)}
    if metrics:
        texts = {AUDIT: _AUDIT % places, AUDIT_TIMER: _AUDIT_TIMER % places, AUDIT_ENABLED: _AUDIT_ENABLED}
        made.update((path, (text.encode(), 0o644)) for path, text in texts.items())
    return made


def _places(host):
    return {"zipapp": ZIPAPP, "desired": desired.FOLDER, "python": interpreter(host)}


def interpreter(host):
    """The Python that the service names: the distribution's own, for it is there at boot and outlives an upgrade.

    Where that is too old, as on RHEL 8, the newest beside it; and last the one that runs us, which can do it.
    """
    found = {}
    for name in host.names("/usr/bin"):
        if re.fullmatch(r"python3(\.\d+)?", name):
            version = re.search(r"/python3\.(\d+)$", host.real("/usr/bin/" + name))
            if version and int(version.group(1)) >= _OLDEST_PYTHON:
                found[name] = int(version.group(1))
    if "python3" in found:
        return "/usr/bin/python3"
    if found:
        return "/usr/bin/" + max(found, key=found.get)
    return sys.executable if host.live and sys.executable else "/usr/bin/python3"


def due(host, wanted=None):
    """The files that are not as they shall be, or perhaps were not told of: of `wanted`, or of those that put back."""
    return [path for path, (content, mode) in sorted((files(host) if wanted is None else wanted).items())
            if host.exists(UNTOLD) or not _is_so(host, path, content, mode)]


def _is_so(host, path, content, mode):
    try:
        return host.link(path) is None and host.read_bytes(path) == content and host.mode(path) == mode
    except OSError:
        return False


def write(host, due_files):
    """Put [(path, content, mode)] in place and in force. Raises OSError, or CommandNotRun with what failed."""
    host.write_file(UNTOLD, b"")
    for path, content, mode in due_files:
        host.write_file(path, content, mode)
    commit(host)


def commit(host):
    """Put the files in force after they were written, or given back. Raises CommandNotRun with what failed."""
    if host.runs_commands and host.exists("/run/systemd/system"):
        _tell_systemd(host)
        if host.exists("/run/udev/control"):
            _succeed(host, ["udevadm", "control", "--reload"], 10)
    host.remove_file(UNTOLD)


def _tell_systemd(host):
    units = ([] if host.exists(TIMER) else [TIMER]) + ([] if host.exists(AUDIT_TIMER) else [AUDIT_TIMER, AUDIT])
    gone = [path.rpartition("/")[2] for path in units]
    if gone:
        host.run(["systemctl", "-q", "stop"] + gone)  # It fails where none was started.
    _succeed(host, ["systemctl", "daemon-reload"], 60)
    if gone:
        # Somebody else's daemon-reload may have come first, and then a timer has failed for want of its service.
        host.run(["systemctl", "-q", "reset-failed"] + gone)
    if host.exists(AUDIT_TIMER):
        _succeed(host, ["systemctl", "restart", AUDIT_TIMER.rpartition("/")[2]], 10)


def _succeed(host, argv, seconds):
    status, _output, errors = host.run(argv, seconds=seconds)
    if status:
        raise CommandNotRun("%s: %s" % (" ".join(argv), errors.strip() or "exit status %d" % status))
