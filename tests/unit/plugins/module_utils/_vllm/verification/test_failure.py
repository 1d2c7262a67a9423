# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cause of a failed start, found in logs of a real engine, and what no answer may show."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import failure

CAUSES = {
    "arg": "vllm: error: unrecognized arguments: --gpu-memory-utilisation",
    "heads": "Value error, Total number of attention heads (4) must be divisible by tensor parallel size (3).",
    "len": "Value error, User-specified max_model_len (99999) is greater than the derived max_model_len",
    "model": "huggingface_hub.errors.HFValidationError: Repo id must be in the form",
    "port": "OSError: [Errno 98] Address already in use",
    "healthy_then_dead": "RuntimeError: Unsupported CPU attention configuration: head_dim=16 isa=2 kv_cache_idx=0"}


@pytest.mark.parametrize("name", sorted(CAUSES))
def test_the_cause_is_found_in_a_real_log(name, checkout):
    lines = (checkout / "tests/captures/vllm-engine" / (name + ".log")).read_text().split("\n")
    found = failure.of_lines(lines)
    assert found["cause"].startswith(CAUSES[name])
    assert 0 < len(found["lines"]) <= failure.SHOWN
    assert not any("nanobind" in line or "leaked" in line for line in found["lines"])


@pytest.mark.parametrize("line, cause", [
    ("(EngineCore pid=7) ERROR 11-21 15:39:47 [core.py:1512] ValueError: Free memory on device cuda:0 (1.02/79.1 GiB)",
     "ValueError: Free memory on device cuda:0 (1.02/79.1 GiB)"),
    ("(EngineCore pid=7) (RayWorkerProc pid=9, ip=10.0.0.2) ERROR 11-21 15:39:47 [x.py:1] "
     "torch.OutOfMemoryError: CUDA out of memory.", "torch.OutOfMemoryError: CUDA out of memory."),
    ("vllm@a.service: Failed at step EXEC spawning /opt/x/bin/vllm: No such file or directory",
     "vllm@a.service: Failed at step EXEC spawning /opt/x/bin/vllm: No such file or directory"),
    ("(APIServer pid=1) WARNING 11-21 15:39:47 [a.py:1] RuntimeError: only a warning", None),
    ("the word Error: alone is no exception", None)])
def test_a_line_names_a_cause_or_not(line, cause):
    assert failure.of_lines(["INFO: begun", line])["cause"] == cause


def test_what_only_points_at_another_line_is_the_last_resort():
    wrapper = "RuntimeError: Engine core initialization failed. See root cause above."
    assert failure.of_lines([wrapper])["cause"] == wrapper
    assert failure.of_lines([wrapper, "KeyError: 'x'"])["cause"] == "KeyError: 'x'"


@pytest.mark.parametrize("text, shown", [
    ("args: {'api_key': ['abc', 'def'], 'port': 1}", "args: {'api_key': (hidden), 'port': 1}"),
    ("HF_TOKEN=hf_abcdefghijklmnopqrst", "HF_TOKEN=(hidden)"),
    ("Authorization: Bearer abc.def", "Authorization: Bearer (hidden)"),
    ("https://me:pw@example.org/m", "https://(hidden)@example.org/m"),
    ("key sk-abcdefghijklmnop", "key (hidden)"),
    ("said MINE twice MINE", "said (hidden) twice (hidden)"),
    ("tokenizer='x', max_tokens: 5, 'password': 'a b'", "tokenizer='x', max_tokens: 5, 'password': (hidden)")])
def test_secrets_are_hidden(text, shown):
    assert failure.clean(text, ["MINE", "", None]) == shown


class Journal(Host):
    """A machine whose journalctl answers as it is told."""

    def __init__(self, answer):
        super().__init__("/")
        self.answer = answer
        self.asked = None

    def run(self, argv, seconds=10, changes=True):
        """Keep the question."""
        self.asked = argv
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_the_log_of_one_start_is_read():
    host = Journal((0, "a\nKeyError: 'MINE'\n", ""))
    assert failure.read(host, "vllm@a.service", "0af1", ["MINE"]) == {
        "cause": "KeyError: '(hidden)'", "lines": ["a", "KeyError: '(hidden)'"]}
    assert host.asked[-3:] == ["_SYSTEMD_INVOCATION_ID=0af1", "+", "INVOCATION_ID=0af1"]
    failure.read(host, "vllm@a.service")
    assert host.asked[-2:] == ["-u", "vllm@a.service"]


def test_a_journal_that_does_not_answer_is_a_note():
    for answer in (CommandNotRun("journalctl: no answer after 10 s"), (1, "", "No journal files were opened")):
        host = Journal(answer)
        assert failure.read(host, "vllm@a.service") == {"cause": None, "lines": []}
        assert "journal" in host.notes[0].lower()
