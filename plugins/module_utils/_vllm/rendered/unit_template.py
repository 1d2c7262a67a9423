# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The template vllm@.service, the same text on every node: limits, order, restarts, and what the engine is kept from.

PRIVATE to the collection. Pure. Sources: systemd.service(5), systemd.exec(5), systemd.resource-control(5).

What is left out on purpose: PrivateDevices= and ProtectClock= (each leaves /dev/nvidia* out), MemoryDenyWriteExecute=
(kernels are compiled while the engine runs), PrivateIPC= and PrivateUsers= (shared memory and GPU memory between
workers), ProcSubset=pid (/proc/driver/nvidia, /proc/meminfo), CPUAffinity= (rule R3: the slice has the CPUs).
"""

from __future__ import annotations

from . import secret_files, unit_text

TEMPLATE = "/etc/systemd/system/vllm@.service"
STOP_SECONDS = 120
_HOMES = "vllm/home"  # A folder of its own: /var/lib/vllm/models may hold the models.

# A start takes minutes, and one that fails often fails late: five within an hour and the unit stays failed.
# gpuwright-boot.service puts back what a reboot loses, as RoCE's traffic classes, before the first connection.
START_LIMIT = """StartLimitIntervalSec=3600
StartLimitBurst=5
"""
ORDER = """Wants=network-online.target
After=network-online.target remote-fs.target nvidia-persistenced.service nvidia-fabricmanager.service
After=nvidia-imex.service nvidia-cdi-refresh.service gpuwright-boot.service
"""
# Always: an engine that has died lets its API server end with status 0. Status 2 is a refused argument, which no
# restart heals. 100 ms, systemd's own pause, would be a storm.
RESTART = """Restart=always
RestartSec=10
RestartPreventExitStatus=2
SuccessExitStatus=143
KillMode=mixed
"""
# Memory for RDMA and pinned buffers is not counted (rule R15); a core dump would have the model in it.
LIMITS = """LimitMEMLOCK=infinity
LimitNOFILE=1048576
LimitSTACK=8M
LimitCORE=0
TasksMax=infinity
OOMScoreAdjust=-500
OOMPolicy=stop
"""
# AF_NETLINK: interfaces and RDMA devices are found by it. A filter of what is refused, not of what is allowed: numactl,
# io_uring, shared memory by process_vm_readv and a profiler all need calls that short lists lack.
HARDENING = """UMask=0027
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=full
ProtectHome=read-only
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=~@clock @cpu-emulation @module @mount @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM
"""


def folders():
    """What the engine may write, and the variables that lead everything there."""
    lines = ["CacheDirectory=vllm/%i", "StateDirectory=%s/%%i" % _HOMES, "WorkingDirectory=%%S/%s/%%i" % _HOMES]
    lines += ["Environment=%s=%s" % pair for pair in sorted(secret_files.caches(
        "%C/vllm/%i", "%%S/%s/%%i" % _HOMES).items())]
    return "\n".join(lines) + "\n"


def service(stop_seconds):
    """What the service of every engine has, whoever runs it; the signal is followed by a kill after so many seconds."""
    return "%sTimeoutStopSec=%d\n%s" % (RESTART, stop_seconds, LIMITS)


def text():
    """The template. Without a drop-in it starts the vllm that is found on PATH."""
    return (unit_text.HEAD + "\n[Unit]\nDescription=vLLM engine %i (gpuwright.node)\n"
            "Documentation=https://docs.vllm.ai/en/stable/cli/serve/\nAssertPathExists=/etc/vllm/%i.yaml\n"
            + ORDER + START_LIMIT
            + "\n[Service]\nType=exec\nUser=vllm\nExecStart=/usr/bin/env vllm serve --config /etc/vllm/%i.yaml\n"
            + "EnvironmentFile=-/etc/vllm/%i.env\n" + folders() + "\n# Life and death\n" + service(STOP_SECONDS)
            + "\n# What it is kept from\n" + HARDENING)
