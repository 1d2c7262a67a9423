# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts for systemd: what is written is what it reads, whatever the text, and what no line can hold is refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plugins.module_utils import _journal
from plugins.module_utils._vllm.rendered import unit_text

from tests.sysroots import systemd_itself

LINE = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\n\r"))
ODD = ("", " ", "a b", "\ta\t", "$HOME", "${HOME}", "$$", "$", "%i", "%%", "%", "\\", "\\n", "a\\", '"', "'", "it's",
       '"a"', ";", "#x", "-", "\\x41", "`id`", "$(id)", "é", "日本", "=", "a=b", "*", "~", '{"a": [1, "b$c"]}', "\x01",
       "|", "&&", "${HOME:-x}", "@", "!", "a;b", "\\;", "\u2028", "\x85")


def unquoted(text):
    """A word in double quotes as systemd.syntax(7) and systemd.service(5) describe it; or a plain one."""
    if not text.startswith('"'):
        assert not set(text) & set(" \t\"'\\$%;")
        return text
    assert text.endswith('"') and len(text) > 1
    found, rest = "", text[1:-1]
    while rest:
        if rest[0] == "\\":
            found += {"\\": "\\", '"': '"', "t": "\t"}[rest[1]]
            rest = rest[2:]
        else:
            assert rest[0] != '"'
            if rest[0] in "$%":
                assert rest[1] == rest[0]
                rest = rest[1:]
            found += rest[0]
            rest = rest[1:]
    return found


@given(LINE)
def test_a_word_is_read_as_it_was(text):
    assert unquoted(unit_text.word(text)) == text


@given(LINE)
@example('a"b\\c`d$e')
def test_a_value_of_an_environment_file_is_read_as_it_was(text):
    line = unit_text.environment_line("NAME", text)
    assert line.startswith('NAME="') and line.endswith('"\n')
    inner, found = line[len('NAME="'):-2], ""
    while inner:
        if inner[0] == "\\":
            assert inner[1] in '"\\`$'
            inner = inner[1:]
        else:
            assert inner[0] not in '"\\`$'
        found, inner = found + inner[0], inner[1:]
    assert found == text


@pytest.mark.parametrize("write", [unit_text.word, unit_text.quoted, unit_text.path,
                                   lambda text: unit_text.environment_line("A", text),
                                   lambda text: unit_text.bare_environment_line("A", text)])
@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b"])
def test_what_no_line_can_hold_is_refused(write, text):
    with pytest.raises(ValueError, match="line break"):
        write(text)


def test_a_refused_secret_is_not_shown():
    with pytest.raises(ValueError) as caught:
        unit_text.environment_line("HF_TOKEN", "hf_secret\nB=1")
    assert "hf_secret" not in str(caught.value) and "HF_TOKEN" in str(caught.value)


@pytest.mark.parametrize("path", ["/opt/$a/vllm", ""])
def test_a_program_that_systemd_could_not_start_is_refused(path):
    with pytest.raises(ValueError, match="cannot be started by systemd"):
        unit_text.command_line([path, "serve"])


def test_plain_words_stay_plain():
    assert unit_text.command_line(["/opt/gpuwright/vllm-0.33.0/bin/vllm", "serve", "--config", "/etc/vllm/a.yaml"]) == (
        "/opt/gpuwright/vllm-0.33.0/bin/vllm serve --config /etc/vllm/a.yaml")


def test_containers_read_all_after_the_sign():
    assert unit_text.bare_environment_line("A", ' "x" $y #z\\ ') == 'A= "x" $y #z\\ \n'


def test_the_first_line_is_one_that_the_journal_knows():
    assert unit_text.HEAD.startswith(_journal.HEAD) and unit_text.HEAD.count("\n") == 1


def drawn(count):
    """The odd texts, and mixtures of them that are the same in every run."""
    draw = random.Random(6)
    letters = list(ODD) + ["a", " ", "/", "1"]
    return list(ODD) + ["".join(draw.choices(letters, k=draw.randint(1, 6))) for _count in range(count)]


if systemd_itself.SYSTEMD:
    def test_systemd_itself_reads_the_same_words():
        """And with the library at hand, what is left of $ once variables that are set have been put in place."""
        texts = drawn(400)
        lines = ["ExecStart=" + unit_text.command_line(["/bin/echo", text, "end"]) for text in texts]
        unit = {"words.service": "[Service]\nType=oneshot\n%s\n" % "\n".join(lines)}
        read = systemd_itself.command_lines(unit, "words.service")
        assert len(read) == len(texts)
        if systemd_itself.LIBRARY:
            read = [systemd_itself.expanded(words, {"HOME": "/wrong", "y": "wrong", "a": "wrong"}) for words in read]
        else:
            read = [[word.replace("$$", "$") for word in words] for words in read]
        assert read == [["/bin/echo", text, "end"] for text in texts]

if systemd_itself.LIBRARY:
    def test_systemd_itself_reads_the_same_environment():
        named = {"N%d" % number: text for number, text in enumerate(drawn(400))}
        text = unit_text.HEAD + "".join(unit_text.environment_line(*pair) for pair in named.items())
        assert systemd_itself.environment(text) == named
