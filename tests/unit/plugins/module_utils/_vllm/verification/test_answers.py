# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of an engine, as a real one gave them, and what is made of each."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import answers

NOBODY = {"status": None, "text": "", "why": "nobody listens on http://127.0.0.1:8000"}
UNAUTHORIZED = (401, {"error": "Unauthorized"})
MODELS = (200, {"object": "list", "data": [{"id": "tiny", "object": "model", "max_model_len": 256}]})
COMPLETION = (200, {"object": "text_completion", "choices": [{"index": 0, "text": " Paris", "logprobs": None}]})
CHAT = (200, {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}}]})
EMBEDDING = (200, {"object": "list", "data": [{"index": 0, "embedding": [0.1, 0.2]}]})
NOT_FOUND = (404, {"detail": "Not Found"})
NO_TEMPLATE = (400, {"error": {"message": "default chat template is no longer allowed", "code": 400}})
DEAD = (500, {"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "code": 500}})


def engine(**said):
    """A function that answers these paths; the slash of a path is an underscore."""
    asked = []

    def ask(path, body=None, seconds=10):
        asked.append((path, body, seconds))
        given = said.get(path.strip("/").replace("/", "_"), NOT_FOUND)
        if given is NOBODY:
            return NOBODY
        status, body = given
        return {"status": status, "why": None, "text": body if isinstance(body, str) else json.dumps(body)}
    ask.asked = asked
    return ask


@pytest.mark.parametrize("given, good", [((200, ""), True), ((503, ""), False), (NOBODY, None)])
def test_health(given, good):
    found = answers.health(engine(health=given))
    assert found[0] is good
    assert found[1] == {True: None, False: "/health: 200 is wanted, found 503",
                        None: "waits for /health: nobody listens on http://127.0.0.1:8000"}[good]


@pytest.mark.parametrize("running, wanted, good", [
    ("0.32.0", "0.32.0", True), ("0.32.0+cpu", "0.32.0", True), ("0.32.0", "0.33.0", False), ("0.32.0", None, True)])
def test_version(running, wanted, good):
    assert answers.version(engine(version=(200, {"version": running})), wanted)[::2] == (good, {"version": running})


def test_a_version_that_is_not_said_is_let_be():
    assert answers.version(engine(version=NOBODY), "0.33.0")[0] is True


@pytest.mark.parametrize("given, name, length, good, words", [
    (MODELS, "tiny", 256, True, None),
    (MODELS, "tiny", "1k", True, None),
    (MODELS, "big", None, False, "/v1/models: wanted is big, found tiny"),
    (MODELS, "tiny", 512, False, "/v1/models: max_model_len of tiny: wanted 512, found 256"),
    (UNAUTHORIZED, "tiny", None, False, "/v1/models: the engine refuses the API key of this instance (status 401)"),
    (DEAD, "tiny", None, False, "/v1/models: status 500: EngineCore encountered an issue."),
    ((200, "junk"), "tiny", None, False, "/v1/models: status 200"),
    (NOBODY, "tiny", None, None, "waits for /v1/models: nobody listens on http://127.0.0.1:8000")])
def test_models(given, name, length, good, words):
    assert answers.models(engine(v1_models=given), name, length)[:2] == (good, words)


@pytest.mark.parametrize("said, how", [
    ({"v1_completions": COMPLETION}, "/v1/completions answered ' Paris'"),
    ({"v1_chat_completions": CHAT}, "/v1/chat/completions answered 'Paris'"),
    ({"v1_embeddings": EMBEDDING, "v1_chat_completions": NO_TEMPLATE}, "/v1/embeddings answered with 2 numbers"),
    ({"pooling": (200, {"data": [{"data": [1, 2, 3]}]})}, "/pooling answered with 3 numbers"),
    ({"v1_completions": (200, {"choices": [{"text": ""}]})}, "/v1/completions answered ''")])
def test_a_completion_by_whatever_the_model_can(said, how):
    ask = engine(**said)
    assert answers.completion(ask, "tiny", "Hello") == (True, None, {"completion": how})
    assert {seconds for _path, _body, seconds in ask.asked} == {answers.COMPLETION_SECONDS}


def test_an_engine_whose_workers_die_at_the_first_request_is_found_out():
    ask = engine(v1_completions=DEAD, v1_chat_completions=CHAT)
    good, words, _facts = answers.completion(ask, "tiny", "Hello")
    assert good is False and len(ask.asked) == 1
    assert words == "a completion was not answered: /v1/completions: status 500: EngineCore encountered an issue."


def test_all_that_was_tried_is_said():
    words = answers.completion(engine(v1_chat_completions=NO_TEMPLATE), "tiny", "Hello")[1]
    assert words == ("a completion was not answered: /v1/completions: status 404: Not Found; /v1/chat/completions: "
                     "status 400: default chat template is no longer allowed; /v1/embeddings: status 404: Not Found; "
                     "/pooling: status 404: Not Found")
    strange = answers.completion(engine(v1_completions=(200, {"choices": []})), "tiny", "Hello")[1]
    assert "/v1/completions: no text in the answer" in strange


def test_a_completion_that_takes_long_is_waited_for_and_none_is_said_so():
    assert answers.completion(engine(v1_completions=NOBODY), "tiny", "Hello")[0] is None
    ask = engine()
    assert answers.completion(ask, "tiny", None) == (True, None, {"completion": "not asked for: prompt is null"})
    assert ask.asked == []


@pytest.fixture(name="real")
def fixture_real(checkout):
    return (checkout / "tests/captures/vllm-engine/metrics.txt").read_text()


def test_a_real_engine_has_every_metric(real):
    good, words, facts = answers.metrics(engine(metrics=(200, real)), {})
    assert (good, words) == (True, None) and facts["metrics"] > 90


@pytest.mark.parametrize("name", answers.METRICS)
def test_a_metric_that_is_gone_is_named(name, real):
    text = re.sub("(?m)^%s\\b.*\n" % name, "", real)
    words = answers.metrics(engine(metrics=(200, text)), {})[1]
    assert words == "/metrics lacks %s, of which our alert rules are made" % name


def test_metrics_that_are_turned_off_or_not_there():
    assert answers.metrics(engine(), {"disable-log-stats": True})[0] is True
    assert answers.metrics(engine(metrics=NOBODY), {})[:2] == (
        None, "waits for /metrics: nobody listens on http://127.0.0.1:8000")
    assert answers.metrics(engine(), {})[:2] == (False, "/metrics: status 404")


def test_every_metric_of_our_alert_rules_is_looked_for(checkout, real):
    """Those that a real engine has from the start; others come with the first request that has them."""
    text = (checkout / "plugins/plugin_utils/_monitoring/alerts.py").read_text()
    named = set(re.findall(r"vllm:[a-z_]+", text))
    assert len(named) > 4
    assert {name for name in named if "\n%s{" % name in real} - set(answers.METRICS) == set()


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "m", "text"])
_KEYS = st.sampled_from(["data", "id", "max_model_len", "version", "error", "message", "choices", "text", "embedding"])
_ANYTHING = st.recursive(_LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(_KEYS, below, max_size=3))


@settings(max_examples=300, deadline=None)
@any_of(said=_ANYTHING | st.dictionaries(_KEYS, _ANYTHING), status=st.sampled_from([200, 401, 404, 500]))
def test_whatever_a_stranger_at_the_port_answers_is_told_of(said, status):
    """Of a container nobody sees whose port it is."""
    ask = engine(**dict.fromkeys(("health", "version", "v1_models", "v1_completions", "metrics"), (status, said)))
    for good, words, _facts in (answers.health(ask), answers.version(ask, "0.33.0"), answers.models(ask, "m", 5),
                                answers.completion(ask, "m", "x"), answers.metrics(ask, {})):
        assert good in (True, False) and (words is None) is good


def test_an_answer_without_a_bottom():
    assert answers.models(engine(v1_models=(200, "[" * 100000)), "m")[0] is False
