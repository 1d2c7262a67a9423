# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts as systemd reads them: the words of a command line, assignments of variables, lines of an environment file.

PRIVATE to the collection. Pure. Sources: systemd.service(5) "COMMAND LINES", systemd.exec(5) EnvironmentFile=,
systemd.syntax(7) "QUOTING".
"""

from __future__ import annotations

import re

HEAD = "# Written by gpuwright.node, role vllm_service. Changes made here are overwritten.\n"
_PLAIN = re.compile(r"[\w@+=:,./-]+\Z", re.ASCII)
_ENDS_LINE = re.compile("[\0\n\r]")


def command_line(words):
    """The value of ExecStart= that starts these words, the first of which is the program. Raises ValueError.

    systemd puts nothing in place of a $ in the program's own path, so $$ would stay two there.
    """
    if "$" in words[0] or not words[0]:
        raise ValueError("the program %r cannot be started by systemd: its path is empty, or has a $" % words[0])
    return " ".join(word(one) for one in words)


def word(text):
    """One word of a command line: no specifier, no variable and no space in it means anything to systemd."""
    return quoted(text).replace("$", "$$")


def quoted(text):
    """One word where systemd knows quotes, backslashes and specifiers, but no variables, as in Environment="""
    refuse_line_ends(text)
    if _PLAIN.match(text):
        return text
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("%", "%%")
    return '"%s"' % inner


def path(text):
    """A path where systemd reads specifiers, but the whole value is the path."""
    refuse_line_ends(text)
    return text.replace("%", "%%")


def environment_line(name, value):
    """One line of an environment file as systemd reads it. Every version takes these four escapes in double quotes."""
    refuse_line_ends(value, name)
    return '%s="%s"\n' % (name, re.sub(r'(["\\`$])', r"\\\1", value))


def bare_environment_line(name, value):
    """One line of a file for --env-file of Podman and Docker: they know no quotes, all after the = is the value."""
    refuse_line_ends(value, name)
    return "%s=%s\n" % (name, value)


def refuse_line_ends(text, name=None):
    """Raise ValueError for what no line can hold; a variable's value is not shown, it may be a secret."""
    if _ENDS_LINE.search(text):
        raise ValueError("%s has a line break or a NUL, which no line of a unit or an environment file can hold"
                         % (name or repr(text)))
