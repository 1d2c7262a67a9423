# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what happens when memory runs out, and on when dirty pages are written.

PRIVATE to the collection.
"""

from __future__ import annotations

from .finding import finding

_CONTAINERS = (("/run/containerd/containerd.sock", "containerd"), ("/run/docker.sock", "docker"),
               ("/run/crio/crio.sock", "CRI-O"), ("/var/lib/kubelet/config.yaml", "kubelet"))


def r16_panic_on_oom(view):
    """vm.panic_on_oom other than 0 needs a way back up, somebody who sees the traces, and no containers for 2."""
    step = view.step("vm.panic_on_oom")
    value = view.value("vm.panic_on_oom")
    if step is None or value in (None, "0"):
        return []
    found = []
    if view.number("kernel.panic") == 0:
        found.append("kernel.panic is 0, so a panicked node would hang until somebody comes: set vm_kernel_panic")
    if not view.options.get("vm_panic_on_oom_attested"):
        found.append("set vm_panic_on_oom_attested if kdump or a management console keeps the traces of a panic here")
    runtime = next((name for path, name in _CONTAINERS if view.exists(path)), None)
    if value == "2" and runtime:
        found.append("%s is here, and with 2 a container that runs out of its own memory takes the node down" % runtime)
    # Where panic_on_oom is in force already, what must not happen is that kernel.panic is given back.
    cause = "kernel.panic" if step["status"] == "ok" and view.given_back("kernel.panic") else "vm.panic_on_oom"
    findings = [finding("R16", "E", cause, words) for words in found]
    if value == "1":
        findings.append(finding("R16", "W", "vm.panic_on_oom", "1 does nothing for services bound to a cpuset, "
                                "a memory policy or a memory cgroup, as GPU services usually are"))
    return findings


def background_below_foreground(view):
    """The kernel silently halves a background threshold that is not below the foreground one."""
    findings = []
    for kind in ("ratio", "bytes"):
        background, foreground = view.number("vm.dirty_background_" + kind), view.number("vm.dirty_" + kind)
        if background and foreground and background >= foreground:
            findings.append(finding("dirty-order", "W", "vm.dirty_background_" + kind,
                                    "%d is not below vm.dirty_%s %d: the kernel uses half of that instead"
                                    % (background, kind, foreground)))
    return findings
