# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node runner's command: gpuwright SUBCOMMAND; one file a subcommand, with the words and the exit status it has.

PRIVATE to the collection. A subcommand is a module with `arguments(parser)` and `run(args, say) -> exit status`: 0 for
all well, 1 for findings, 2 for what could not be done. Its docstring's first line is its help.
"""

from __future__ import annotations

import argparse
import sys

from . import boot

SUBCOMMANDS = {"boot": boot}


def parser():
    """The command's words."""
    top = argparse.ArgumentParser(prog="gpuwright", description="Settings of this node, by the engine of the Ansible "
                                                                "collection gpuwright.node.")
    subcommands = top.add_subparsers(metavar="SUBCOMMAND", dest="subcommand", required=True)
    for name, module in SUBCOMMANDS.items():
        words = module.__doc__.splitlines()[0]
        own = subcommands.add_parser(name, help=words, description=words)
        own.add_argument("--sysroot", metavar="DIR", default="/", help="the folder below which the node lies")
        module.arguments(own)
    return top


def main(argv):
    """Run one subcommand; returns the exit status."""
    args = parser().parse_args(argv)
    return SUBCOMMANDS[args.subcommand].run(args, _say)


def _say(line):
    """A line at once: it is for the journal, and a time limit may end us before the next."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
