# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine answers: its health, its models, a completion, its metrics; each as (good, words, facts).

PRIVATE to the collection. `good` is True, False, or None for "not yet". An engine of which a worker cannot compute
answers /health with 200 until the first request: only a completion proves that it serves.
"""

from __future__ import annotations

import json

# The names of which our alert rules and dashboards are made (roles/monitoring); each is there from the start.
METRICS = (
    "vllm:kv_cache_usage_perc", "vllm:num_preemptions_total", "vllm:num_requests_running", "vllm:num_requests_waiting",
    "vllm:request_queue_time_seconds_bucket", "vllm:time_to_first_token_seconds_bucket",
    "vllm:inter_token_latency_seconds_bucket", "vllm:e2e_request_latency_seconds_bucket",
    "vllm:request_success_total", "vllm:admission_rejections_total", "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total")
COMPLETION_SECONDS = 60
_TOKENS = 8


def health(ask):
    """Whether /health is 200."""
    answer = ask("/health")
    if answer["status"] == 200:
        return True, None, {"health": 200}
    if answer["status"] is None:
        return None, "waits for /health: " + answer["why"], {"health": None}
    words = "/health: 200 is wanted, found %d%s" % (answer["status"], _message(answer["text"]))
    return False, words, {"health": answer["status"]}


def version(ask, wanted):
    """Whether the engine that runs is of the version that is wanted; one that does not say is let be."""
    found = (_json(ask("/version")["text"]) or {}).get("version")
    found = found if isinstance(found, str) else None
    if wanted and found and found.partition("+")[0] != wanted.partition("+")[0]:
        return False, "the engine that runs is vLLM %s, wanted is %s" % (found, wanted), {"version": found}
    return True, None, {"version": found}


def models(ask, served_name, max_model_len=None):
    """Whether /v1/models has the name, and the length that was asked for."""
    answer = ask("/v1/models")
    if answer["status"] is None:
        return None, "waits for /v1/models: " + answer["why"], {}
    if answer["status"] in (401, 403):
        return False, "/v1/models: the engine refuses the API key of this instance (status %d)" % answer["status"], {}
    listed = (_json(answer["text"]) or {}).get("data")
    if answer["status"] != 200 or not isinstance(listed, list):
        return False, "/v1/models: status %d%s" % (answer["status"], _message(answer["text"])), {}
    listed = [model for model in listed if isinstance(model, dict)]
    names = [str(model.get("id")) for model in listed]
    length = next((model.get("max_model_len") for model in listed if model.get("id") == served_name), None)
    facts = {"models": names[:20], "max_model_len": length}
    if served_name not in names:
        return False, "/v1/models: wanted is %s, found %s" % (served_name, ", ".join(names[:5]) or "no model"), facts
    if isinstance(max_model_len, int) and length and length != max_model_len:
        return False, "/v1/models: max_model_len of %s: wanted %d, found %d" % (
            served_name, max_model_len, length), facts
    return True, None, facts


def completion(ask, served_name, prompt):
    """Whether a completion is answered: the plain one, else a chat, else an embedding; the facts say what was tried."""
    if prompt is None:
        return True, None, {"completion": "not asked for: prompt is null"}
    asked = {"model": served_name, "max_tokens": _TOKENS, "temperature": 0}
    tried = []
    for path, body, text in (
            ("/v1/completions", dict(asked, prompt=prompt), _choice),
            ("/v1/chat/completions", dict(asked, messages=[{"role": "user", "content": prompt}]), _choice),
            ("/v1/embeddings", {"model": served_name, "input": prompt}, _embedding),
            ("/pooling", {"model": served_name, "input": prompt}, _embedding)):
        answer = ask(path, body, COMPLETION_SECONDS)
        if answer["status"] is None:
            return None, "waits for a completion: " + answer["why"], {"completion": None}
        said = text(_json(answer["text"])) if answer["status"] == 200 else None
        if said is not None:
            return True, None, {"completion": "%s answered %s" % (path, said)}
        words = "%s: status %d%s" % (path, answer["status"], _message(answer["text"]))
        tried.append(words if answer["status"] != 200 else "%s: no text in the answer" % path)
        if answer["status"] >= 500 and answer["status"] != 501 or answer["status"] in (401, 403, 429):
            break
    return False, "a completion was not answered: " + "; ".join(tried), {"completion": None}


def metrics(ask, arguments):
    """Whether /metrics has the names of our alert rules."""
    if arguments.get("disable-log-stats") is True:
        return True, None, {"metrics": "none: disable-log-stats leaves them out, and no alert can see this instance"}
    answer = ask("/metrics")
    if answer["status"] is None:
        return None, "waits for /metrics: " + answer["why"], {}
    if answer["status"] != 200:
        return False, "/metrics: status %d" % answer["status"], {}
    lines = answer["text"].split("\n")
    found = {line.partition("{")[0].partition(" ")[0] for line in lines if line[:1] not in ("#", "")}
    missing = [name for name in METRICS if name not in found]
    facts = {"metrics": len({name for name in found if name.startswith("vllm:")})}
    if missing:
        return False, "/metrics lacks %s, of which our alert rules are made" % ", ".join(missing), facts
    return True, None, facts


def _choice(found):
    """The first words that a model said, an empty text too: some end at once."""
    try:
        choice = found["choices"][0]
        said = choice["text"] if "text" in choice else choice["message"].get("content") or ""
        return "%r" % str(said)[:60]
    except (TypeError, KeyError, IndexError, AttributeError):
        return None


def _embedding(found):
    try:
        data = found["data"][0]
        numbers = data["embedding"] if "embedding" in data else data["data"]
        return "with %d numbers" % len(numbers)
    except (TypeError, KeyError, IndexError):
        return None


def _json(text):
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _message(text):
    """What an error answer says, as words to append."""
    found = _json(text) or {}
    error = found.get("error", found.get("detail"))
    words = error.get("message") if isinstance(error, dict) else error
    return ": %s" % str(words)[:300] if words else ""
