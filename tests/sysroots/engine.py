# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine on a stand-in host: plans and applies one role, and counts what a killed apply leaves behind."""

from __future__ import annotations

import functools
import os
import signal
import types

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _host, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

from tests.sysroots.plain_node import Kernel

VM = {"vm.swappiness": 10, "vm.max_map_count": 1048576, "vm.dirty_ratio": 10, "vm.dirty_background_ratio": 3,
      "vm.panic_on_oom": 0, "kernel.panic": 10, "nr_hugepages": {}}
THP = {"transparent_hugepage/enabled": "madvise", "transparent_hugepage/defrag": "defer"}
NUMA = {"kernel.numa_balancing": 0, "vm.zone_reclaim_mode": 0}
DEFAULTS = {"vm": VM, "thp": THP, "numa": NUMA}

# The system calls by which a host is changed: a kill is tried before each of them.
CALLS = ("open", "write", "fsync", "rename", "unlink", "mkdir", "rmdir", "ftruncate", "fchmod")


def plan(root, role, values, read_only=True, catalogue=None, kernel=None, **request):
    """The plan of a role on the host below `root`."""
    asked = dict({"origins": {}, "take_over": [], "allow": [], "options": {}}, **request)
    host = (kernel or Kernel)(str(root), read_only=read_only)
    return _plan.build(host, role, catalogue or ROLES[role], values, asked)


def apply(root, role, values, **request):
    """Plan and carry out; returns the plan."""
    return _apply.apply(functools.partial(plan, root, role, values, read_only=False, **request), {"what": "test"})


def roll_back(root, roles=(), allow=(), kernel=None):
    """Give everything back; returns the plan."""
    host = (kernel or Kernel)(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host, roles, allow))


def steps(made):
    """The steps of a plan by their target."""
    return {step["target"]: step for step in made.steps}


def statuses(made):
    """Target to status."""
    return {step["target"]: step["status"] for step in made.steps}


def killed_at(count, action, *arguments):
    """Run `action` in a child that is killed before its system call number `count`; False if it ended before that."""
    pid = os.fork()
    if pid == 0:
        left = [count]

        def counting(name):
            real = getattr(os, name)

            def call(*args, **kwargs):
                if name != "open" or args[1] & os.O_ACCMODE != os.O_RDONLY:
                    left[0] -= 1
                    if left[0] < 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **kwargs)
            return call
        counted = types.SimpleNamespace(**{name: getattr(os, name) for name in dir(os)})
        for name in CALLS:
            setattr(counted, name, counting(name))
        _host.os = counted
        try:
            action(*arguments)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])
