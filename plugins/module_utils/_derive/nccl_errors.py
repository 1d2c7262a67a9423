# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the lines by which NCCL, nccl-tests, MPI, Slurm or a shell report that something went wrong.

PRIVATE to the collection. Pure. A run that has passed may hold such lines too (MPI warns a lot): they explain a
failure, they are none by themselves.
"""

from __future__ import annotations

import re

# NCCL's INFO lines name errors that are none (a plugin that is not installed); its error trace is `file.cc:12 -> 2`.
_TRACE = re.compile(r"NCCL INFO \S+\.(?:cc|cu|h):\d+ -> -?\d+")
_ERROR = re.compile(r"""(?:\bNCCL\ WARN\b | \bTest\ (?:NCCL|CUDA)\ failure\b | \bTest\ (?:failure|timeout)\b
    | \bFAILED\b | \b(?:ERROR|Error|error|FATAL|Fatal|fatal)\b | \b[A-Z]\w*Error\b | \bfailure\b | \b[Ff]ailed\b
    | \bout\ of\ memory\b | \bOOM\b | \boom[-_ ]kill | \bSegmentation\ fault\b | \bsegfault\b | \bBus\ error\b
    | \bAborted\b | ABORT\b | \bcore\ dumped\b | \b[Ss]ignal:?\ (?:\w+\ )?\(?\d+ | \b(?:Killed|Terminated)\b
    | (?<![-\w])(?:[Tt]imed\ out|TIME\ LIMIT|CANCELLED|[Tt]imeout\b(?!\s*[-=:\d]))
    | \bnon-zero\ (?:exit\ )?(?:status|code)
    | \bexited\ (?:on|with)\b | \bnot\ enough\ slots\b | \bcommand\ not\ found\b | \bNo\ such\ file\b
    | \bcannot\ (?:open|execute)\b | \b[Pp]ermission\ denied\b | \bConnection\ (?:refused|reset|closed|timed)
    | \bHost\ key\ verification\b | \bCould\ not\ resolve\b | \bno\ CUDA-capable\b | \binsufficient\b
    | \bInvalid\ number\ of\ GPUs\b | \binvalid\ (?:option|size|sizes|type|op)\b | \bIncompatible\ NCCL\b
    | \b[Uu]nhandled\b | \b(?:is|are|was)\ not\ (?:supported|available|a\ power\ of\ 2)\b | \bTraceback\b
    | \b[Uu]nable\ to\b | \bexit\ (?:code|status)\ [1-9] | \bOOMKilled\b | :\ not\ found\b | \bNo\ route\ to\ host\b
    | \bNo\ (?:GPU|device)s?\ (?:were\ )?(?:found|available)\b)""", re.VERBOSE)
# Lines of a table or of a command are no reports; nor is a count of none.
_NONE = re.compile(r"Errors with asterisks|\b(?:0|no) (?:errors?|failed)\b|\btime\s+algbw\s+busbw\b|^\s*[+$] ",
                   re.IGNORECASE)
_MOST = 200


def errors(lines):
    """The lines that report an error, each once, in order; behind the first 200, how many more there are."""
    found = {}
    for line in lines:
        if _reports(line):
            found[line.strip()] = None
    told = list(found)
    if len(told) > _MOST:
        return told[:_MOST] + ["and %d more lines that report errors" % (len(told) - _MOST)]
    return told


def _reports(line):
    if "NCCL INFO" in line:
        return bool(_TRACE.search(line))
    return bool(_ERROR.search(line)) and not _NONE.search(line)
