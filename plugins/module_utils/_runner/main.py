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

from .._host import Host
from . import audit, bind, boot, explain, health, rollback, topology
from .cannot_do import CannotDo
from .version import VERSION

SUBCOMMANDS = {"audit": audit, "topology": topology, "health": health, "explain": explain, "bind": bind,
               "rollback": rollback, "boot": boot}
_EXITS = "Exit status: 0 all well, 1 findings, 2 it could not be done."


def parser():
    """The command's words."""
    top = argparse.ArgumentParser(prog="gpuwright", epilog=_EXITS, description="Settings of this node, by the engine "
                                  "of the Ansible collection gpuwright.node.")
    top.add_argument("--version", action="version", version="gpuwright %s" % VERSION)
    subcommands = top.add_subparsers(metavar="SUBCOMMAND", dest="subcommand", required=True)
    for name, module in SUBCOMMANDS.items():
        words = module.__doc__.splitlines()[0]
        own = subcommands.add_parser(name, help=words, description=words)
        own.add_argument("--sysroot", metavar="DIR", default="/", help="the folder below which the node lies")
        module.arguments(own)
    return top


def main(argv):
    """Run one subcommand; returns the exit status."""
    args = _parsed(argv)
    try:
        if not Host(args.sysroot).is_folder("/"):
            raise CannotDo("--sysroot %s: there is no such folder on this machine" % args.sysroot)
        return SUBCOMMANDS[args.subcommand].run(args, _say)
    except CannotDo as error:
        sys.stderr.write("gpuwright %s: %s\n" % (args.subcommand, error))
        return 2
    except BrokenPipeError:  # Whoever read has seen enough, as `head` does.
        sys.stdout = None
        return 2
    except KeyboardInterrupt:
        return 130


def _parsed(argv):
    """The words as they were meant: what follows the first -- of `bind` is another program's, and no word of ours."""
    if argv[:1] == ["bind"] and "--" in argv:
        args = parser().parse_args(argv[:argv.index("--")])
        args.command += argv[argv.index("--") + 1:]
        return args
    return parser().parse_args(argv)


def _say(line):
    """A line at once: it is for the journal, and a time limit may end us before the next."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
