# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives back what roles changed on this node, by the journal alone: values, files, folders and owners.

PRIVATE to the collection. The same code as of module rollback.
"""

from __future__ import annotations

import json
from functools import partial

from .._host import Host, Locked
from .._journal import ForeignJournal
from .._rollback import carry_out, plan_rollback
from .._settings.catalogue import GIVEN_BACK
from .cannot_do import CannotDo
from .text_table import columns, count


def arguments(parser):
    """Its own words."""
    parser.add_argument("--role", action="append", default=[], choices=GIVEN_BACK, metavar="ROLE",
                        help="only what this role changed, may be given several times: %s" % ", ".join(GIVEN_BACK))
    parser.add_argument("--allow", action="append", default=[], choices=["link", "unverified"],
                        help="link: although a job is running; unverified: by ways that our tests could not try")
    parser.add_argument("--check", action="store_true", help="say what would come back, and change nothing")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(args, say):
    """Give back; returns 0 if all is back, 1 if something is not, or with --check would come back."""
    host = Host(args.sysroot, read_only=args.check)
    make_plan = partial(plan_rollback, host, args.role, args.allow)
    try:
        plan = make_plan()
        if plan.due and not args.check:
            if not host.is_root():
                raise CannotDo("giving settings back needs root; with --check everybody may see what would come back")
            plan = carry_out(make_plan)
    except ForeignJournal as error:
        raise CannotDo(str(error))
    except Locked as error:
        raise CannotDo("another run is changing this node, nothing was changed: %s" % error)
    except OSError as error:  # The journal or the lock cannot be written: a full or read-only file system.
        raise CannotDo("%s: %s" % (error.filename, error.strerror))
    _print(plan, args, say)
    refused = any(step["status"] == "refused" for step in plan.steps)
    return 1 if plan.errors or refused or (args.check and plan.due) else 0


def _print(plan, args, say):
    told = plan.result()
    if args.json:
        say(json.dumps(dict(told, errors=plan.errors), indent=1, sort_keys=True))
        return
    if not plan.due:
        say("nothing to give back")
        return
    rows = [(step["target"], step["running"], step["desired"], _outcome(step)) for step in told["settings"]]
    for line in columns([("setting", "was ours", "comes back", "")] + rows if rows else []):
        say(line)
    for words, found in (("file", told["files"]), ("owner", told["owners"])):
        for one in found:
            say("  %s %s: as it was before us" % (words, one))
    for error in plan.errors:
        say("did not come back: %s" % error)
    say("%s, %s%s%s" % (count(len(rows), "setting"), count(len(told["files"]), "file"),
                        ": nothing was changed, this was a check" if args.check else " given back",
                        "; a reboot is needed" if told["reboot_required"] else ""))


def _outcome(step):
    if step.get("error"):
        return step["error"]
    return "" if step["status"] == "drift" else "%s: %s" % (step["status"], step["reason"])
