# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an engine ended: the line of its log that names the cause, and the last ones, without secrets and noise.

PRIVATE to the collection. vLLM's own last words are "see root cause above": the cause lies hundreds of lines higher,
and below it come leak reports of its libraries.
"""

from __future__ import annotations

import re

from ... import _host

SHOWN = 20
_READ = 600
HIDDEN = "(hidden)"
# "(EngineCore pid=7) ERROR 11-21 15:39:47 [core.py:1512] RuntimeError: ..." and what Ray puts before that.
_PREFIX = re.compile(r"^(?:\([\w ]+pid=\d+(?:, ip=[\w.:]+)?\)\s+)*"
                     r"(?:(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) \S+ [\d:.]+ \[[^\]]*\] ?)?")
_RAISED = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt)\b(?::|$)")
_OTHER = re.compile(r"^(?:vllm(?: serve)?: error: |\S*: error while loading shared libraries: |Killed$"
                    r"|Fatal Python error: |\S+: (?:No such file or directory|Permission denied)$"
                    r"|.*?(?:Failed (?:to|at step) .*?: No such file|status=203/EXEC))")
# What only says that something else went wrong.
_WRAPPERS = ("Engine core initialization failed", "WorkerProc initialization failed", "root cause", "EngineDeadError",
             "Executor failed", "SystemExit", "KeyboardInterrupt", "CancelledError", "ChildFailedError")
_NOISE = re.compile(r"nanobind: | - (?:leaked|\.\.\. skipped)|See https://nanobind|\s*warnings\.warn\(|.*resource_tracker"
                    r"|\s*\^+$|\s*$")
_SECRETS = (
    re.compile(r"\b(?:hf|sk|nvapi|ghp|glpat)[_-][A-Za-z0-9_-]{12,}"),
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(r"(?i)(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"(?i)(?:api[_-]?key|[a-z_-]*token|password|secret)['\"]?\s*[:=]\s*(\[[^\]]*\]|'[^']*'|\"[^\"]*\"|[^\s,(){}]+)"))


def read(host, unit, invocation=None, secrets=()):
    """{"cause": words or None, "lines": the last ones} of a unit's log: of one start of it where that is known."""
    which = ["-u", unit]
    if invocation:
        which = ["_SYSTEMD_INVOCATION_ID=" + invocation, "+", "INVOCATION_ID=" + invocation]
    try:
        status, text, errors = host.run(["journalctl", "-q", "--no-pager", "-o", "cat", "-n", str(_READ)] + which,
                                        changes=False)
    except _host.CommandNotRun as error:
        host.note(str(error))
        return {"cause": None, "lines": []}
    if status:
        host.note("journalctl: %s" % (" ".join(errors.split())[:200] or "exit status %d" % status))
    return of_lines(text.split("\n"), secrets)


def of_lines(lines, secrets=()):
    """{"cause", "lines"} of a log."""
    told = [clean(line.rstrip(), secrets) for line in lines]
    return {"cause": cause(told), "lines": [line[:300] for line in told if not _NOISE.match(line)][-SHOWN:]}


def cause(lines):
    """The first line that names what went wrong: later ones are what came of it. None where no line does."""
    fallback = None
    for number, line in enumerate(lines):
        said = _PREFIX.match(line)
        words = line[said.end():]
        if said.group("level") in ("DEBUG", "INFO", "WARNING"):
            continue
        if not (_RAISED.match(words) or _OTHER.match(words)):
            continue
        if words.endswith((" validation error for " + words.rpartition(" ")[2], " validation errors")):
            words = _detail(lines, number) or words
        if not any(wrapper in words for wrapper in _WRAPPERS):
            return words[:500]
        fallback = fallback or words[:500]
    return fallback


def _detail(lines, number):
    """What pydantic says below its head line, without the input that it repeats."""
    for line in lines[number + 1:number + 4]:
        words = line[_PREFIX.match(line).end():].strip()
        if " [type=" in words:
            return words.partition(" [type=")[0]
    return None


def clean(text, secrets=()):
    """A text without what is or looks like a key, a token or a password."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    for pattern in _SECRETS:
        text = pattern.sub(_hide, text)
    return text


def _hide(found):
    if not found.re.groups or found.group(1) is None:
        return HIDDEN
    start = found.start(1) - found.start()
    return found.group()[:start] + HIDDEN
