# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The assignments in a shell file such as /etc/default/grub, read without running it.

PRIVATE to the collection. Pure. What only a shell could tell (the output of a command, what stands in an `if`) is
marked as such; a file whose quoting does not end raises ValueError, as a shell would refuse it.
"""

from __future__ import annotations

import collections
import re

TEXT, VARIABLE, UNKNOWN = "text", "variable", "unknown"
# pieces: [(TEXT, literal) | (VARIABLE, name) | (UNKNOWN, source)]; certain: False where it may not be carried out.
# The name "*" stands for any variable: another file is read there, or code is made up.
Assignment = collections.namedtuple("Assignment", "line name append pieces certain")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPEN = {"if", "case", "for", "while", "until", "{"}
_CLOSE = {"fi", "esac", "done", "}"}
_LEADING = {"then", "else", "elif", "do", "!"}
_DECLARING = {"export", "readonly", "declare", "typeset", "local"}


def assignments(text):
    """Every assignment in the order of the file."""
    found, command = [], []
    depth = subshells = 0
    naming = chained = False
    for kind, line, item in list(_lex(text)) + [("operator", 0, ";")]:
        if kind == "word":
            plain = None if command else _plain(item)
            depth = max(0, depth + (plain in _OPEN) - (plain in _CLOSE))
            if plain not in _OPEN | _CLOSE | _LEADING:
                command.append((line, item))
        elif item == "(" and command:
            naming, command = True, []  # A function's name: its body follows in braces.
        elif item == ")" and (naming or not subshells):
            naming, command = False, []  # Else it ends a pattern of `case`.
        else:
            found.extend(_of_command(command, not (depth or subshells or chained or item in ("|", "&"))))
            chained = item in ("&&", "||", "|") or (chained and item == "\n" and not command)
            command = []
            subshells += (item == "(") - (item == ")")
    return found


def _plain(pieces):
    return pieces[0][1] if len(pieces) == 1 and pieces[0][0] == TEXT else None


def _of_command(command, certain):
    """The assignments of one simple command: those before another command's name are for that command alone."""
    words = list(command)
    first = _plain(words[0][1]) if words else None
    if first in (".", "source", "eval", "read"):
        return [Assignment(words[0][0], "*", False, [], certain)]
    if first == "unset":
        return [Assignment(line, _plain(item) or "*", False, [], certain) for line, item in words[1:]]
    declaring = first in _DECLARING
    made = [_assignment(line, item, certain) for line, item in words[declaring:]]
    return [one for one in made if one] if declaring or all(made) else []


def _assignment(line, pieces, certain):
    """The assignment that a word is, or None; its name and sign must stand unquoted."""
    kind, text = pieces[0] if pieces else (None, "")
    name = _NAME.match(text) if kind == TEXT else None
    if not name or not text[name.end():].startswith(("=", "+=")):
        return None
    append = text[name.end()] == "+"
    rest = [(TEXT, text[name.end() + 1 + append:])] + pieces[1:]
    return Assignment(line, name.group(), append, [piece for piece in rest if piece[1]], certain)


def _lex(text):
    """("word", line, pieces) and ("operator", line, sign), comments and continued lines taken away."""
    place, line = 0, 1
    while place < len(text):
        char = text[place]
        if char in " \t" or text.startswith("\\\n", place):
            line += char == "\\"
            place += 1 + (char == "\\")
        elif char == "#":
            place = (text + "\n").find("\n", place)
        elif char in "<>":
            place = _redirection(text, place)
        elif char in "\n;&|()":
            sign = text[place:place + 2] if text[place:place + 2] in ("&&", "||", ";;") else char
            yield "operator", line, sign
            line += char == "\n"
            place += len(sign)
        else:
            pieces, end = _word(text, place)
            yield "word", line, pieces
            line += text.count("\n", place, end)
            place = end


def _redirection(text, place):
    """The place after a redirection and the file it names."""
    if text.startswith("<<", place):
        raise ValueError("a here-document")
    place += 1 + text.startswith((">>", ">&", "<&", ">|"), place)
    while place < len(text) and text[place] in " \t":
        place += 1
    return _word(text, place)[1]


def _word(text, place):
    """The pieces of the word that starts here, and the place after it."""
    pieces, quoted = [], False
    while place < len(text):
        char = text[place]
        if quoted and char == '"':
            quoted, place = False, place + 1
        elif not quoted and char in " \t\n;&|()<>":
            break
        elif not quoted and char == '"':
            quoted, place = True, place + 1
            pieces.append((TEXT, ""))
        elif not quoted and char == "'":
            end = _find(text, "'", place + 1)
            pieces.append((TEXT, text[place + 1:end]))
            place = end + 1
        elif char in "$`":
            piece, place = _expansion(text, place)
            pieces.append(piece)
        elif char == "\\":
            literal = text[place:place + 2] if quoted and text[place + 1:place + 2] not in tuple('$`"\\\n') \
                else text[place + 1:place + 2].replace("\n", "")
            pieces.append((TEXT, literal))
            place += 2
        else:
            pieces.append((TEXT, char))
            place += 1
    if quoted:
        raise ValueError("a quote that does not end")
    return _joined(pieces), place


def _joined(pieces):
    """Neighbouring texts as one."""
    made = []
    for kind, text in pieces:
        if made and kind == TEXT and made[-1][0] == TEXT:
            made[-1] = (TEXT, made[-1][1] + text)
        else:
            made.append((kind, text))
    return made


def _find(text, sign, place):
    end = text.find(sign, place)
    if end < 0:
        raise ValueError("a quote that does not end")
    return end


def _expansion(text, place):
    """What a $ or a backquote stands for, and the place after it."""
    if text[place] == "`":
        end = place + 1
        while text[_find(text, "`", end) - 1] == "\\":
            end = _find(text, "`", end) + 1
        end = _find(text, "`", end)
        return (UNKNOWN, text[place:end + 1]), end + 1
    name = _NAME.match(text, place + 1)
    if name:
        return (VARIABLE, name.group()), name.end()
    braced = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}").match(text, place + 1)
    if braced:
        return (VARIABLE, braced.group(1)), braced.end()
    if text[place + 1:place + 2] in ("(", "{"):
        end = _matching(text, place + 1)
        return (UNKNOWN, text[place:end]), end
    if text[place + 1:place + 2] in tuple("0123456789@*#?-$!"):
        return (UNKNOWN, text[place:place + 2]), place + 2
    return (TEXT, "$"), place + 1


def _matching(text, place):
    """The place after the bracket that closes the one here."""
    pairs = {"(": ")", "{": "}"}
    wanted = [pairs[text[place]]]
    place += 1
    while wanted:
        char = text[place:place + 1]
        if not char:
            raise ValueError("a bracket that does not end")
        if char == "\\":
            place += 1
        elif char == "'" and wanted[-1] != '"':
            place = _find(text, "'", place + 1)
        elif char == wanted[-1]:
            wanted.pop()
        elif char == '"':
            wanted.append('"')
        elif char in "({" and (wanted[-1] != '"' or text[place - 1] == "$"):
            wanted.append(pairs[char])
        place += 1
    return place
