# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""R31: arguments and variables of an instance that its engine does not know, or that nobody could check.

PRIVATE to the collection. Pure. What the engine is known to refuse is no finding but a problem: arguments.check.
"""

from __future__ import annotations

from ..._rules.finding import finding
from ..flags.arguments import doubts
from . import environment_names


def r31_names(instance, schema):
    """The findings, of severity W; secrets and a choice of GPUs in the environment are E."""
    where = "%s: environment" % instance["name"]
    found = [finding("R31", "E", None, words) for words in environment_names.problems(instance["environment"], where)]
    found += [finding("R31", "W", None, words) for words in environment_names.warnings(instance["environment"], where)]
    found += [finding("R31", "W", None, "%s: arguments: %s" % (instance["name"], words))
              for words in doubts(instance["arguments"], schema)]
    if schema.get("unchecked"):
        found.append(finding("R31", "W", None, "%s: its arguments are not checked against its engine: %s" % (
            instance["name"], schema["unchecked"])))
    return found
