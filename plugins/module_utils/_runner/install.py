# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the node runner consists of on a node: its zipapp, its units, its udev rule, and how they are put in force.

PRIVATE to the collection. Whole files only, no links, so that the journal can give each back. The engine writes them.

At boot the service runs once before the workload, never for longer than its time limit. A device that is added, as
when a driver is loaded again, starts a timer anew: the service runs shortly after the last of a burst, and again later,
for many drivers ask for their interrupts only when the link is brought up, and nothing announces that.
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


def files(host):
    """{path: (bytes, mode)} of everything that the runner consists of."""
    places = {"zipapp": ZIPAPP, "desired": desired.FOLDER, "python": interpreter(host)}
    texts = {SERVICE: _SERVICE % places, ADDED: _ADDED, TIMER: _TIMER, ENABLED: _ENABLED, RULE: _RULE}
    return dict({path: (text.encode(), 0o644) for path, text in texts.items()}, **{ZIPAPP: (bundle.build(), 0o755)})


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


def due(host):
    """The files that are not as they shall be."""
    return [path for path, (content, mode) in sorted(files(host).items()) if not _is_so(host, path, content, mode)]


def _is_so(host, path, content, mode):
    try:
        return host.link(path) is None and host.read_bytes(path) == content and host.mode(path) == mode
    except OSError:
        return False


def commit(host):
    """Put the files in force after they were written, or given back. Raises CommandNotRun with what failed."""
    if not host.runs_commands or not host.exists("/run/systemd/system"):
        return
    gone = not host.exists(TIMER)
    if gone:
        host.run(["systemctl", "-q", "stop", "gpuwright-device.timer"])  # It fails where none was started.
    _succeed(host, ["systemctl", "daemon-reload"], 60)
    if gone:
        # Somebody else's daemon-reload may have come first, and then the timer has failed for want of its service.
        host.run(["systemctl", "-q", "reset-failed", "gpuwright-device.timer"])
    if host.exists("/run/udev/control"):
        _succeed(host, ["udevadm", "control", "--reload"], 10)


def _succeed(host, argv, seconds):
    status, _output, errors = host.run(argv, seconds=seconds)
    if status:
        raise CommandNotRun("%s: %s" % (" ".join(argv), errors.strip() or "exit status %d" % status))
