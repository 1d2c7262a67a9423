# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plans of the roles that were applied on a node, made again from what is kept of them there.

PRIVATE to the collection. One role that cannot be planned, for whatever reason, does not take the others away.
"""

from __future__ import annotations

from .. import _plan
from .._conflicts import UnknownOwner
from .._host import CommandNotRun
from .._input import KINDS, BadInput
from .._journal import ForeignJournal
from .._settings.catalogue import ROLES
from . import desired

_IN_WORDS = (desired.DamagedDesired, BadInput, ForeignJournal, UnknownOwner, CommandNotRun, OSError)
_KEPT = "as it was applied"
_NO_ROLE = "this version of the runner knows no such role: apply it again"


def plans(host, volatile=False):
    """({role: its plan}, {role: why it cannot be planned}); with `volatile`, of roles that ask for such settings."""
    made, problems = {}, {}
    for role in desired.roles(host):
        try:
            request = desired.read(host, role)
            if role not in ROLES:
                problems[role] = _NO_ROLE
            elif not volatile or asks_for_volatile(role, request["values"]):
                request["origins"] = dict.fromkeys(request["values"], _KEPT)
                made[role] = _plan.build(host, role, ROLES[role], request["values"], request)
        except _IN_WORDS as error:
            problems[role] = str(error)
        except Exception as error:  # pylint: disable=broad-except
            problems[role] = "could not be planned: %s: %s" % (type(error).__name__, error)
    return made, problems


def asks_for_volatile(role, values):
    """Whether something that is asked for is of a kind that nothing native persists; without a look at the node."""
    known = {row.name for row in ROLES[role].ROWS}
    return not set(values) <= known or any(
        KINDS[row.kind].VOLATILE and values.get(row.name) is not None for row in ROLES[role].ROWS)


def volatile_steps(plan):
    """The steps that are the runner's: of the kinds that nothing persists, and asked for."""
    return [step for step in plan.steps if KINDS[step["kind"]].VOLATILE and "_restore" not in step]
