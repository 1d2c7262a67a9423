# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a node by starting a module on it, so that whatever happens becomes an answer that the report can show.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible.errors import AnsibleConnectionFailure

_ALWAYS = ("settings", "rules", "reboot_required", "changed", "notes")
_OF_ROLLBACK = ("files", "owners")


def ask(action, module, arguments, task_vars):
    """The result of `module`; a node that cannot be reached is a failure with `no_answer`, never ansible's unreachable.

    In a batch where one host is unreachable ansible-core goes on with the next batches and plays, even with
    any_errors_fatal or max_fail_percentage, and where all are it skips `always`: no stop and no report. A failed host
    has neither trap (tried on 2.19 and 2.21).
    """
    try:
        return action._execute_module(module_name=module, module_args=arguments, task_vars=task_vars)
    except AnsibleConnectionFailure as error:
        return {"failed": True, "no_answer": True, "changed": False, "msg": "The node cannot be reached: %s" % error}


def answer(result, check_mode):
    """What the report keeps of a result that has `settings` and `rules`."""
    kept = {name: result.get(name) for name in _ALWAYS}
    kept.update({name: result[name] for name in _OF_ROLLBACK if name in result})
    return dict(kept, check_mode=bool(check_mode), **failure(result))


def failure(result):
    """The part of an answer that says that, and why, there was none."""
    if not result.get("failed"):
        return {"failed": None}
    # A module that crashed has no msg, only an exception; what ansible-core makes of that differs between versions.
    event = getattr(result.get("exception"), "event", None)
    message = result.get("msg") or getattr(event, "msg", None)
    # Where Python did not start, or died, its last line tells more than that there was no JSON.
    said = str(result.get("module_stderr") or "").strip().splitlines()
    message = ": ".join(str(part) for part in (message, said[-1] if said else None) if part)
    return {"failed": str(message or "failed without a message"), "no_answer": bool(result.get("no_answer"))}
